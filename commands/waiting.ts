/**
 * Waiting on a socket by the stack's clock.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { So, Sol } from "../assembly/abi/socket.ts";
import { SocketError, type Stack } from "../mod.ts";

/** What a wait came to, where no message came: the time is over, or the signal ended it. */
export type NoMessage = "timeout" | "ended";

/** Receives one message, waiting at most `wait_us`; answers its length. */
export async function receiveWithin(
  { sys }: Stack,
  fd: number,
  buffer: Uint8Array,
  wait_us: number,
  signal?: AbortSignal,
): Promise<number | NoMessage> {
  // a timeout of 0 is none
  const timeout_us = wait_us === Infinity ? 0 : Math.max(1, Math.ceil(wait_us));
  sys.setsockopt(fd, Sol.SOCKET, So.RCVTIMEO, timeout_us);
  try {
    return await sys.recv(fd, buffer, 0, { signal });
  } catch (error) {
    if (signal?.aborted) return "ended";
    if (error instanceof SocketError && error.errno === Errno.EAGAIN) return "timeout";
    throw error;
  }
}

/** Closes a descriptor, which the end of the stack may have closed before. */
export function release({ sys }: Stack, fd: number): void {
  try {
    sys.nb.close(fd);
  } catch (error) {
    if (!(error instanceof SocketError) || error.errno !== Errno.EBADF) throw error;
  }
}
