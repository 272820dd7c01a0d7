/**
 * The calls for files and pipes, as far as scripts use them beside sockets. What goes into a socket
 * is written to it as always.
 *
 * @module
 */

import type { Call, Expr } from "./ast.ts";
import { receiving, sending } from "./call_data.ts";
import { bindFd } from "./call_socket.ts";
import { type Answer, type Attempt, errorAnswer, type Starter } from "./call_t.ts";
import { ScriptError } from "./errors.ts";
import type { Fd, Pipe, PipeFd } from "./fd.ts";
import { fileTransfer, left, PIPE_BYTES } from "./file_io.ts";
import { FILE_SYMBOLS } from "./symbols.ts";
import { isSupplied, toNumber } from "./values.ts";
import type { World } from "./world.ts";

const open: Starter = (world, call) => () => {
  const name = call.args[0];
  if (name?.kind !== "string") throw new ScriptError("open takes a name");
  const flags = isSupplied(call.args[1]) ? 0 : toNumber(call.args[1]);
  if (flags & FILE_SYMBOLS.O_TRUNC) world.files.delete(name.value);
  if (!world.files.has(name.value)) {
    if (!(flags & FILE_SYMBOLS.O_CREAT)) return errorAnswer("ENOENT");
    world.files.set(name.value, 0);
  }
  return bindFd(world, call, { kind: "file", name: name.value, offset: 0 });
};

const pipe: Starter = (world, call) => () => {
  const list = call.args[0];
  if (list?.kind !== "list" || list.items.length !== 2) throw new ScriptError("pipe takes [a, b]");
  const shared: Pipe = { bytes: 0, readers: 1, writers: 1 };
  const [reader, writer] = list.items.map(toNumber);
  if (world.fds.has(reader) || world.fds.has(writer) || reader === writer) {
    throw new ScriptError(`there are descriptors ${reader}, ${writer} already`);
  }
  world.fds.set(reader, { kind: "pipe", pipe: shared, writes: false });
  world.fds.set(writer, { kind: "pipe", pipe: shared, writes: true });
  return { value: 0 };
};

/** `sendfile(out, in, [offset], count)`; in the FreeBSD dialect `(in, out, offset, count, …)`. */
const sendfile: Starter = (world, call) => {
  const bsd = call.args.length > 4;
  const [target, source] = bsd ? [call.args[1], call.args[0]] : call.args;
  const socket = world.socket(toNumber(target));
  const file = world.fd(toNumber(source));
  if (file.kind !== "file") return () => errorAnswer("EINVAL");
  const offset = offsetOf(call.args[2]);
  const n = Math.min(toNumber(call.args[3]), left(world, file, offset ?? file.offset));
  if (n <= 0) return () => ({ value: 0 });
  const attempt = sending(world, socket, n, undefined);
  return () => {
    const answer = attempt();
    if (answer && answer.value > 0 && offset === undefined) file.offset += answer.value;
    return answer && bsd && answer.value >= 0 ? { value: 0 } : answer;
  };
};

/** A place in a file: `[n]`, a number, or none. */
function offsetOf(expr: Expr | undefined): number | undefined {
  return isSupplied(expr) || (expr?.kind === "number" && expr.value === 0)
    ? undefined
    : toNumber(expr);
}

/** Moves bytes between a pipe and something else. */
const splice: Starter = (world, call) => {
  const [from, to] = [call.args[0], call.args[2]].map((arg) => world.fd(toNumber(arg)));
  const length = toNumber(call.args[4]);
  if (from.kind === "pipe" && to.kind !== "pipe") return fromPipe(world, call, from, to, length);
  if (to.kind === "pipe" && from.kind !== "pipe") return toPipe(world, call, from, to, length);
  return () => errorAnswer("EINVAL");
};

function fromPipe(world: World, call: Call, from: PipeFd, to: Fd, length: number): Attempt {
  let attempt: Attempt | undefined;
  return () => {
    const n = Math.min(length, from.pipe.bytes);
    if (!attempt && n === 0) return emptyPipe(call, from);
    attempt ??= to.kind === "socket"
      ? sending(world, to, n, undefined)
      : fileTransfer(world, to, n, true);
    const answer = attempt();
    if (answer && answer.value > 0) from.pipe.bytes -= answer.value;
    return answer;
  };
}

function emptyPipe(call: Call, { pipe }: PipeFd): Answer | undefined {
  if (pipe.writers === 0) return { value: 0 };
  const nonblock = toNumber(call.args[5]) & FILE_SYMBOLS.SPLICE_F_NONBLOCK;
  return nonblock ? errorAnswer("EAGAIN") : undefined;
}

function toPipe(world: World, call: Call, from: Fd, to: PipeFd, length: number): Attempt {
  const nonblock = (toNumber(call.args[5]) & FILE_SYMBOLS.SPLICE_F_NONBLOCK) !== 0;
  return () => {
    const room = Math.min(length, PIPE_BYTES - to.pipe.bytes);
    if (room === 0) return nonblock ? errorAnswer("EAGAIN") : undefined;
    const attempt = from.kind === "socket"
      ? receiving(world, from, room, undefined)
      : fileTransfer(world, from, room, false);
    const answer = attempt();
    if (!answer) return nonblock ? errorAnswer("EAGAIN") : undefined;
    if (answer.value > 0) to.pipe.bytes += answer.value;
    return answer;
  };
}

/** Calls of this file by name. */
export const FILE_CALLS: Readonly<Record<string, Starter>> = { open, pipe, sendfile, splice };
