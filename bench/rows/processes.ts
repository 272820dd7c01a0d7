/**
 * Two programs that share no thread: two Workers on one stack, through rings in shared memory, and
 * two processes with a stack each, joined by a socket file. Beside each, the same two programs with
 * the kernel's sockets.
 *
 * @module
 */

import { StreamDriver } from "../../drivers/stream.ts";
import { createStack } from "../../mod.ts";
import { serveSyscalls } from "../../runtime/process/server.ts";
import { seconds } from "../cpu_time.ts";
import { ask, type Awaited, wholeChunks, type Work } from "../exchange.ts";
import type { Task } from "../process_child.ts";
import { part, type Row, type Start, type Subject } from "../row.ts";

const CHILD = new URL("../process_child.ts", import.meta.url);
const CABLE_CHILD = new URL("../cable_child.ts", import.meta.url).pathname;
const ROUND_TRIPS = 10_000;
const BYTES = 128 * 1024 * 1024;

/** How much one run does, and its figure from the seconds that it took. */
function amounts(work: Work, share: number): { amount: number; figure: (s: number) => number } {
  if (work === "roundtrip") {
    const amount = part(ROUND_TRIPS, share);
    return { amount, figure: (s) => amount / s };
  }
  const amount = wholeChunks(part(BYTES, share));
  return { amount, figure: (s) => amount * 8 / s / 1e9 };
}

/** The next message of a Worker; fails if the Worker does. */
function heard<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
}

function begin(task: Task): [worker: Worker, said: Promise<number | "ready">] {
  const worker = new Worker(CHILD, { type: "module" });
  worker.postMessage(task);
  return [worker, heard(worker)];
}

/** Two programs in Workers: through a stack in this thread, or through the kernel. */
function workers(way: Task["way"], work: Work): Start {
  return async (share) => {
    const { amount, figure } = amounts(work, share);
    const stack = way === "kernel" ? undefined : await createStack();
    const server = stack && serveSyscalls(stack);
    const task: Task = { way, work, amount };
    const [answering, listens] = begin({ ...task, handle: await server?.open() });
    const port = await listens as number;
    const [asking, ready] = begin({ ...task, port, handle: await server?.open() });
    await ready;
    return {
      async measure() {
        asking.postMessage("");
        return figure(await heard<number>(asking));
      },
      async close() {
        for (const worker of [asking, answering]) worker.terminate();
        await server?.close();
        await stack?.close();
      },
    };
  };
}

/** This process asks another; `path` is a socket file, or undefined for the kernel's TCP. */
async function processes(work: Work, share: number, path: string | undefined): Promise<Subject> {
  const { amount, figure } = amounts(work, share);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", CABLE_CHILD, work, String(amount), ...path ? [path] : []],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const port = Number(new TextDecoder().decode(value));
  const { conn, close } = path === undefined ? await byKernel(port) : await byFile(path, port);
  return {
    measure: async () => figure(await seconds(() => ask(conn, work, amount))),
    async close() {
      child.kill();
      await Promise.all([child.status, close(), reader.cancel()]);
    },
  };
}

interface Joined {
  readonly conn: Awaited;
  close(): Promise<void> | void;
}

async function byKernel(port: number): Promise<Joined> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conn.setNoDelay(true);
  return { conn, close: () => conn.close() };
}

async function byFile(path: string, port: number): Promise<Joined> {
  const driver = new StreamDriver({ connect: { path } });
  const stack = await createStack({ interfaces: [{ driver, addresses: ["10.9.0.1/24"] }] });
  const conn = await stack.connect({ hostname: "10.9.0.2", port });
  conn.setNoDelay(true);
  return { conn, close: () => stack.close() };
}

function byFileIn(work: Work): Start {
  return async (share) => {
    const folder = await Deno.makeTempDir({ prefix: "godwit_" });
    const subject = await processes(work, share, `${folder}/cable`);
    const close = async () => {
      await subject.close();
      await Deno.remove(folder, { recursive: true });
    };
    return { ...subject, close };
  };
}

const WORKS = [
  { work: "roundtrip", name: "roundtrip-1b", unit: "1/s", what: "1 byte there and back" },
  { work: "bulk", name: "bulk", unit: "Gbit/s", what: "bulk TCP" },
] as const;

/** The rows. */
export const processRows: readonly Row[] = WORKS.flatMap(({ work, name, unit, what }): Row[] => [
  ...(["awaited", "blocking"] as const).map((way): Row => ({
    name: `workers-${name}-${way}`,
    unit,
    about: `${what}, two programs in Workers on one stack, calls ${way}`,
    ours: workers(way, work),
    reference: { name: "kernel TCP from two Workers", start: workers("kernel", work) },
  })),
  {
    name: `processes-${name}`,
    unit,
    about: `${what}, two processes with a stack each on a socket file`,
    ours: byFileIn(work),
    reference: {
      name: "kernel TCP between two processes",
      start: (share) => processes(work, share, undefined),
    },
  },
]);
