/** A stack with two uplinks, and what its routing sockets say. */
import { assertEquals } from "@std/assert";
import { Errno } from "../../assembly/abi/errno.ts";
import { Af, Sock } from "../../assembly/abi/socket.ts";
import { NullDriver } from "../../drivers/null.ts";
import { createStack, SocketError, type Stack } from "../../mod.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  type RouteMessage,
  type RouteRequestMessage,
  Rtf,
} from "../../protocols/route/mod.ts";
import checkedEngine from "../engine_checked_module.js";

/** A stack with two interfaces, eth0 on 192.0.2.0/24 and eth1 on 198.51.100.0/24. */
export async function twoUplinks(): Promise<Stack> {
  return await createStack({
    engine: checkedEngine,
    memory: { bytes: 32 * 2 ** 20, routes: 64 },
    interfaces: [
      { driver: new NullDriver(), name: "eth0", addresses: ["192.0.2.2/24"] },
      { driver: new NullDriver(), name: "eth1", addresses: ["198.51.100.2/24"] },
    ],
  });
}

/** A routing socket. */
export function socket({ sys }: Stack, protocol = 0): number {
  return sys.socket(Af.ROUTE, Sock.RAW, protocol);
}

/** What a call answers, or its negated error number. */
export function result(call: () => number): number {
  try {
    return call();
  } catch (error) {
    if (error instanceof SocketError) return -error.errno;
    throw error;
  }
}

/** All messages that wait at a socket. */
export function heard({ sys }: Stack, fd: number): Message[] {
  const messages: Message[] = [];
  const buffer = new Uint8Array(2048);
  for (;;) {
    const length = result(() => sys.nb.recv(fd, buffer));
    if (length < 0) {
      assertEquals(length, -Errno.EAGAIN);
      return messages;
    }
    messages.push(decodeMessage(buffer.slice(0, length)));
  }
}

/** The messages about routes among them. */
export function heardRoutes(stack: Stack, fd: number): RouteMessage[] {
  return heard(stack, fd).filter((message) => message.kind === "route");
}

/** Sends a request; its error, 0 if there is none. */
export function ask({ sys }: Stack, fd: number, request: RouteRequestMessage | Uint8Array): number {
  const bytes = request instanceof Uint8Array ? request : encodeMessage(request);
  const sent = result(() => sys.nb.send(fd, bytes));
  assertEquals(sent < 0 || sent === bytes.length, true);
  return Math.min(0, sent);
}

/** Asks, and answers with the one message that comes back. */
export function answer(stack: Stack, fd: number, request: RouteRequestMessage): RouteMessage {
  const error = ask(stack, fd, request);
  const messages = heardRoutes(stack, fd);
  assertEquals(messages.length, 1);
  assertEquals(messages[0].errno, -error);
  assertEquals((messages[0].flags & Rtf.DONE) !== 0, error === 0);
  return messages[0];
}
