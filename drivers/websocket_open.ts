/**
 * Opening and closing WebSockets, as promises.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { SocketError } from "../runtime/errors.ts";
import { fromHostError } from "./host_error.ts";
import type { Schedule } from "./schedule.ts";

/**
 * An open socket; `SocketError` ECONNREFUSED or EACCES.
 *
 * @param prepare gets the socket before anything can come from it
 */
export async function openSocket(
  url: URL,
  protocols: readonly string[],
  prepare: (socket: WebSocket) => void,
): Promise<WebSocket> {
  let socket: WebSocket;
  try {
    socket = new WebSocket(url, [...protocols]);
  } catch (error) {
    throw fromHostError(error, "connect", `connecting to ${url} failed`);
  }
  prepare(socket);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const listening = new AbortController();
  const { signal } = listening;
  const refused = (event: Event): void => {
    const { message } = event as { message?: string };
    const words = `connecting to ${url} failed${message ? `: ${message}` : ""}`;
    reject(new SocketError(Errno.ECONNREFUSED, "connect", words));
  };
  socket.addEventListener("open", () => resolve(), { signal });
  socket.addEventListener("error", refused, { signal });
  socket.addEventListener("close", refused, { signal });
  try {
    await promise;
  } finally {
    listening.abort();
  }
  return socket;
}

/** Closes a socket, and waits until that is done, at most `patience_us`. */
export async function closeSocket(
  socket: WebSocket,
  patience_us: number,
  schedule: Schedule,
): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.addEventListener("close", () => resolve(), { once: true });
  // A socket that is still opening fails by this, and says so.
  socket.addEventListener("error", (event) => event.preventDefault(), { once: true });
  if (socket.readyState !== WebSocket.CLOSING) socket.close();
  const cancel = schedule(patience_us, resolve);
  await promise;
  cancel?.();
}
