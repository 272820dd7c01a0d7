/** Stacks with programs, for tests: in one thread, or in Workers. */

import { assertEquals, assertRejects } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { connectStack, type StackClient } from "../../../runtime/process/client.ts";
import { endRing, type RingHandle } from "../../../runtime/process/ring.ts";
import { serveSyscalls, type SyscallServer } from "../../../runtime/process/server.ts";
import type { ServeOptions } from "../../../runtime/process/server.ts";
import { createStack, type Stack } from "../../../runtime/stack.ts";
import engine from "../../engine_checked_module.js";

/** Enough for a few sockets. */
const memory = { bytes: 16 * 2 ** 20 };

/** A stack that serves programs. */
export interface World extends AsyncDisposable {
  readonly stack: Stack;
  readonly server: SyscallServer;
  /** Connects one more program, in this thread. */
  program(): Promise<StackClient>;
  /** A ring whose program is not one of ours; it is ended with the world. */
  ring(): Promise<RingHandle>;
}

/** A stack with the checked engine that serves programs. */
export async function world(options: ServeOptions = {}): Promise<World> {
  const stack = await createStack({ seed: 1, engine, memory });
  const server = serveSyscalls(stack, options);
  const programs: StackClient[] = [];
  const rings: RingHandle[] = [];
  return {
    stack,
    server,
    async program() {
      const client = await connectStack(await server.open());
      programs.push(client);
      return client;
    },
    async ring() {
      const handle = await server.open();
      rings.push(handle);
      return handle;
    },
    async [Symbol.asyncDispose]() {
      for (const client of programs) await client.close();
      for (const handle of rings) endRing(handle);
      await server.close();
      await stack.close();
    },
  };
}

/** Name of the error that a promise must be rejected with. */
export async function code(promise: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => promise, SocketError)).code;
}

/** Waits until something holds, by rounds of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 100_000 && !holds(); i++) await new Promise((done) => setTimeout(done, 1));
  if (!holds()) throw new Error("what was waited for never came");
}

/** That a program which was there all the time still gets what it asks for. */
export async function works({ sys }: StackClient): Promise<void> {
  const fd = await sys.socket(Af.INET, Sock.DGRAM);
  await sys.bind(fd, { address: "127.0.0.1", port: 77 });
  await sys.sendto(fd, Uint8Array.of(1, 2, 3), 0, { address: "127.0.0.1", port: 77 });
  assertEquals(await sys.recv(fd, new Uint8Array(9)), 3);
  await sys.close(fd);
}
