/**
 * What happens to routes, interfaces and addresses, as a routing socket tells it.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { Af, Sock } from "../assembly/abi/socket.ts";
import { SocketError, type Stack } from "../mod.ts";
import { decodeMessage, type Message } from "../protocols/route/mod.ts";
import { receiveWithin, release } from "./waiting.ts";

/** Messages were lost, because they came faster than they were taken. */
export interface MonitorLoss {
  /** Tells the kinds apart. */
  readonly kind: "lost";
}

const MESSAGE_BYTES_MAX = 2048;

/** Yields what happens until the signal ends it; `ready` is called as soon as nothing is missed. */
export async function* monitor(
  stack: Stack,
  { signal, ready }: { readonly signal?: AbortSignal; readonly ready?: () => void } = {},
): AsyncGenerator<Message | MonitorLoss, void> {
  const fd = stack.sys.socket(Af.ROUTE, Sock.RAW);
  const buffer = new Uint8Array(MESSAGE_BYTES_MAX);
  ready?.();
  try {
    while (!signal?.aborted) {
      try {
        const got = await receiveWithin(stack, fd, buffer, Infinity, signal);
        if (got === "ended") return;
        if (typeof got === "number") yield decodeMessage(buffer.slice(0, got));
      } catch (error) {
        if (!(error instanceof SocketError) || error.errno !== Errno.ENOBUFS) throw error;
        yield { kind: "lost" };
      }
    }
  } finally {
    release(stack, fd);
  }
}
