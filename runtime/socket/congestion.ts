/**
 * Names of congestion control algorithms.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";

/** The names that kernels have for them, in the order of the engine's numbers (`Cc`). */
export const CONGESTION_ALGORITHMS: readonly string[] = ["reno", "cubic"];

/** The number of an algorithm; `newreno` is another name of `reno`. Throws ENOENT. */
export function algorithmBy(name: string): number {
  const number = CONGESTION_ALGORITHMS.indexOf(name === "newreno" ? "reno" : name);
  if (number >= 0) return number;
  const known = CONGESTION_ALGORITHMS.join(", ");
  throw new SocketError(Errno.ENOENT, "setsockopt", `there is no "${name}", only ${known}`);
}
