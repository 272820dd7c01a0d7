/**
 * A program in a Worker that is measured: one end of a connection, through a ring or through the
 * kernel's sockets. Says its port when it listens, `ready` when it is connected, and after each
 * message how many seconds its work took.
 */

import {
  Af,
  connectStack,
  Errno,
  IpProto,
  type RingHandle,
  Sock,
  SocketError,
  type StackClient,
  TcpOpt,
} from "../runtime/process/client.ts";
import { seconds } from "./cpu_time.ts";
import { ask, askBlocking, type Awaited, serve, serveBlocking, type Work } from "./exchange.ts";
import { listenKernel } from "./kernel.ts";

/** What a program is to do. */
export interface Task {
  /** How it reaches the other. */
  readonly way: "awaited" | "blocking" | "kernel";
  readonly work: Work;
  /** Round trips or bytes of one run. */
  readonly amount: number;
  /** Where the other end listens; undefined for the end that does. */
  readonly port?: number;
  /** The stack; undefined for the kernel. */
  readonly handle?: RingHandle;
}

const self = globalThis as unknown as Worker;
const address = "127.0.0.1";
const PORT = 7;

function heard<T>(): Promise<T> {
  return new Promise((resolve) => self.onmessage = ({ data }) => resolve(data));
}

/** Works whenever it is told to. */
async function work(run: () => Promise<void> | void): Promise<never> {
  self.postMessage("ready");
  for (;;) {
    await heard();
    self.postMessage(await seconds(run));
  }
}

async function kernel({ work: kind, amount, port }: Task): Promise<void> {
  if (port === undefined) {
    const { listener, port } = listenKernel();
    self.postMessage(port);
    const conn = await listener.accept();
    conn.setNoDelay(true);
    return await serve(conn, kind, amount);
  }
  const conn = await Deno.connect({ hostname: address, port });
  conn.setNoDelay(true);
  await work(() => ask(conn, kind, amount));
}

async function awaited({ sys }: StackClient, { work: kind, amount, port }: Task): Promise<void> {
  const fd = await sys.socket(Af.INET, Sock.STREAM);
  await sys.setsockopt(fd, IpProto.TCP, TcpOpt.NODELAY, 1);
  const over = (fd: number): Awaited => ({
    read: (into) => sys.recv(fd, into),
    write: (bytes) => sys.send(fd, bytes),
  });
  if (port === undefined) {
    await sys.bind(fd, { port: PORT });
    await sys.listen(fd);
    self.postMessage(PORT);
    const accepted = await sys.accept(fd);
    await sys.setsockopt(accepted.fd, IpProto.TCP, TcpOpt.NODELAY, 1);
    return await serve(over(accepted.fd), kind, amount);
  }
  await sys.connect(fd, { address, port });
  await work(() => ask(over(fd), kind, amount));
}

async function blocking(
  { blocking: sys }: StackClient,
  { work: kind, amount, port }: Task,
): Promise<void> {
  const fd = sys.socket(Af.INET, Sock.STREAM);
  sys.setsockopt(fd, IpProto.TCP, TcpOpt.NODELAY, 1);
  const over = (fd: number) => ({
    read: (into: Uint8Array) => sys.recv(fd, into),
    write: (bytes: Uint8Array) => sys.send(fd, bytes),
  });
  if (port === undefined) {
    sys.bind(fd, { port: PORT });
    sys.listen(fd);
    self.postMessage(PORT);
    const accepted = sys.accept(fd);
    sys.setsockopt(accepted.fd, IpProto.TCP, TcpOpt.NODELAY, 1);
    return serveBlocking(over(accepted.fd), kind, amount);
  }
  sys.connect(fd, { address, port });
  await work(() => askBlocking(over(fd), kind, amount));
}

const task = await heard<Task>();
if (task.handle === undefined) await kernel(task);
else {
  const stack = await connectStack(task.handle);
  try {
    await (task.way === "blocking" ? blocking(stack, task) : awaited(stack, task));
  } catch (error) {
    // That is how it ends.
    if (!(error instanceof SocketError && error.errno === Errno.ENETDOWN)) throw error;
  }
}
