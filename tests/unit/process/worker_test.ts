/** Programs in Workers: calls that block, and how the end of a program or of a stack is seen. */

import { assertEquals, assertThrows } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { connectStack } from "../../../runtime/process/client.ts";
import { Link } from "../../../runtime/process/link.ts";
import { ProgramWorker } from "../../../runtime/process/program.ts";
import { Request } from "../../../runtime/process/request.ts";
import { Op, ringBytes, type RingHandle } from "../../../runtime/process/ring.ts";
import { code, until, type World, world } from "./kit.ts";

const CHILD = new URL("./program_child.ts", import.meta.url);
const STACK = new URL("./stack_child.ts", import.meta.url);

/** The next message of a Worker. */
function heard(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }) => resolve(data), { once: true });
    worker.addEventListener("error", ({ message }) => reject(new Error(message)), { once: true });
  });
}

/** A program in a Worker of its own, which has said that it is ready. */
async function start(here: World, role: string): Promise<ProgramWorker> {
  const worker = new ProgramWorker(CHILD, await here.server.open(), { data: role, name: role });
  assertEquals(await heard(worker), "ready");
  return worker;
}

/** That everything the programs had is gone. */
async function gone({ server, stack }: World): Promise<void> {
  await until(() => server.stats.clients === 0);
  assertEquals(stack.netstat().sockets, []);
}

Deno.test("two programs in Workers, on one stack, with calls that block", async () => {
  await using here = await world();
  const server = await start(here, "server");
  const client = new ProgramWorker(CHILD, await here.server.open(), { data: "client" });
  assertEquals(await heard(client), "done");
  await until(() => here.server.stats.closed === 1);
  client.terminate();
  server.terminate();
  await until(() => here.server.stats.clients === 0);
  assertEquals([here.server.stats.faults, here.server.stats.hostile], [0, 0]);
});

Deno.test("a program terminated in a call that blocks leaves no socket behind", async () => {
  await using here = await world();
  const worker = await start(here, "blocked");
  await until(() => here.server.clients[0].outstanding === 1);
  worker.terminate();
  await gone(here);
  assertEquals(here.server.stats.closed, 1);
});

Deno.test("a program that is dropped gets ENETDOWN, blocked or not", async () => {
  await using here = await world();
  for (const role of ["blocked", "waiting"]) {
    const worker = await start(here, role);
    const words = heard(worker);
    await until(() => here.server.clients[0].outstanding === 1);
    here.server.drop(here.server.clients[0].id);
    assertEquals(await words, "ENETDOWN");
    await gone(here);
    worker.terminate();
  }
});

Deno.test("a Worker that is terminated behind the server's back is seen to be dead", async () => {
  await using here = await world();
  const worker = await start(here, "waiting");
  // As somebody does it who knows nothing of rings.
  Worker.prototype.terminate.call(worker);
  await gone(here);
  assertEquals(here.server.stats.died, 1);
});

Deno.test("a program that fails, or ends itself, leaves no socket behind", async () => {
  await using here = await world();
  for (const role of ["failing", "ending"]) {
    const worker = new ProgramWorker(CHILD, await here.server.open(), { data: role });
    worker.addEventListener("error", (event) => event.preventDefault());
    await new Promise<void>((resolve) => worker.addEventListener("message", () => resolve()));
    await gone(here);
    worker.terminate();
  }
});

Deno.test("programs get ENETDOWN when the thread of their stack ends", async () => {
  const stack = new Worker(STACK, { type: "module" });
  assertEquals(await heard(stack), "ready");
  const ring = heard(stack);
  stack.postMessage("");
  const client = await connectStack(await ring as RingHandle);
  // Here the stack is in another thread: this one may block.
  const fd = client.blocking.socket(Af.INET, Sock.DGRAM);
  const waiting = code(client.sys.recv(fd, new Uint8Array(4)));
  await client.sys.gethostname();
  stack.terminate();
  assertEquals(await waiting, "ENETDOWN");
  const error = assertThrows(() => client.blocking.gethostname(), SocketError);
  assertEquals([error.code, error.syscall], ["ENETDOWN", "gethostname"]);
  client.close();
});

Deno.test("a call that blocks gives up on a stack that shows no sign of life", () => {
  const [calls, arenaBytes] = [2, 1 << 20];
  const buffer = new SharedArrayBuffer(ringBytes(calls, arenaBytes));
  const names = { clientLock: "nobody's", serverLock: "nobody's either" };
  const link = new Link({ id: 1, buffer, calls, arenaBytes, ...names }, {
    spin_us: 0,
    silence_ms: 20,
  });
  const request = () => new Request(Op.GETSOCKNAME, "getsockname", 3, () => 0);
  for (let i = 0; i < 2; i++) {
    const error = assertThrows(() => link.runBlocking(request()), SocketError, "no sign of life");
    assertEquals([error.code, error.syscall], ["ENETDOWN", "getsockname"]);
  }
});

Deno.test("a port can bring the ring", async () => {
  await using here = await world();
  const { port1, port2 } = new MessageChannel();
  const [client] = await Promise.all([connectStack(port2), here.server.serve(port1)]);
  assertEquals(await client.sys.gethostname(), "godwit");
  client.close();
  port1.close();
  port2.close();
});
