/**
 * One stack on a clock that only moves when told: for tests of calls over loopback.
 *
 * @module
 */

import { assertEquals, assertThrows } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { ManualClock } from "../../../runtime/clock.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { createStack, type Stack } from "../../../runtime/stack.ts";
import engine from "../../engine_checked_module.js";

/** Enough for a few sockets. */
export const memory = { bytes: 8 * 2 ** 20 };

/** A stack with the checked engine. */
export function manual(descriptors?: number): Promise<Stack> {
  return createStack({ clock: new ManualClock(1_000_000), seed: 1, engine, memory, descriptors });
}

/** Takes turns until nothing happens any more. */
export function settle(stack: Stack): void {
  for (let i = 0; i < 1000 && (stack.turn() > 0 || stack.wanted); i++);
}

/** Name of the error that a call must throw. */
export function code(call: () => unknown): string {
  return assertThrows(call, SocketError).code;
}

/** Descriptors of a client, its connection at the server, and the listener, all of one stack. */
export function pair(stack: Stack, port = 80): [number, number, number] {
  const { sys } = stack;
  const listener = sys.socket(Af.INET, Sock.STREAM);
  sys.bind(listener, { port });
  sys.listen(listener);
  const client = sys.socket(Af.INET, Sock.STREAM);
  assertEquals(code(() => sys.nb.connect(client, { address: "127.0.0.1", port })), "EINPROGRESS");
  settle(stack);
  return [client, sys.nb.accept(listener).fd, listener];
}
