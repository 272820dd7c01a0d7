/**
 * The setting that is no number: the keys of Fast Open cookies. It can be set and not be read, and
 * is in no profile; a stack that is given none makes one up.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import type { Engine } from "./engine.ts";
import { SocketError } from "./errors.ts";

/** Its name. */
export const FASTOPEN_KEY = "net.ipv4.tcp_fastopen_key";
const KEY = /^[0-9a-f]{1,8}(-[0-9a-f]{1,8}){3}$/i;

/**
 * The bytes of a key in Linux's form: four words in hexadecimal, such as
 * `a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4`, or two such keys with a comma between them, of which the
 * first makes cookies and both are good. Undefined for other text.
 */
export function keyBytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  const keys = text.trim().split(",");
  if (keys.length > 2 || !keys.every((key) => KEY.test(key))) return undefined;
  const words = keys.flatMap((key) => key.split("-").map((word) => parseInt(word, 16)));
  const bytes = new Uint8Array(4 * words.length);
  words.forEach((word, i) => new DataView(bytes.buffer).setUint32(4 * i, word, true));
  return bytes;
}

/** Sets the keys of a stack; throws `SocketError` EINVAL. */
export function setFastOpenKey({ calls, scratch, memory }: Engine, value: unknown): void {
  const bytes = keyBytes(String(value));
  if (bytes === undefined) {
    const form = "one or two keys as 00000000-00000000-00000000-00000000";
    throw new SocketError(Errno.EINVAL, "sysctl", `${FASTOPEN_KEY} takes ${form}`);
  }
  memory.set(bytes, scratch);
  calls.tcp_fastopen_key(scratch, bytes.length);
}
