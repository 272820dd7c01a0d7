/**
 * The calls that move data.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { Msg, Ss } from "../assembly/abi/socket.ts";
import { STAGING_BYTES } from "../runtime/engine.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import { MSG_NAMES } from "../runtime/wasm/names.gen.ts";
import type { Call, Expr } from "./ast.ts";
import { localPort, nameArgument, placeName, remoteName, underTest } from "./call_socket.ts";
import { type Answer, answerOf, type Attempt, errorAnswer, type Starter } from "./call_t.ts";
import { Mismatch, ScriptError, Unsupported } from "./errors.ts";
import { errorQueue } from "./error_queue.ts";
import type { SocketFd } from "./fd.ts";
import { fileTransfer } from "./file_io.ts";
import { patternBytes, patternFault } from "./pattern.ts";
import { MSG_SYMBOLS, STAMPING_SYMBOLS } from "./symbols.ts";
import { fieldsOf, flagNames, numberIn, toNumber } from "./values.ts";
import { PORT, type World } from "./world.ts";

/** Flags that the interpreter answers, beside the stack. */
const OWN_FLAGS = ["MSG_ERRQUEUE", "MSG_ZEROCOPY"];

/** The engine's bits for the flags of a call. */
export function engineFlags(expr: Expr | undefined): { bits: number; names: string[] } {
  const names = flagNames(expr, MSG_SYMBOLS);
  let bits = 0;
  for (const name of names) {
    if (OWN_FLAGS.includes(name)) continue;
    const known = Object.entries(MSG_NAMES).find(([, entry]) => `MSG_${entry.name}` === name);
    if (!known) throw new Unsupported(name);
    bits |= Number(known[0]);
  }
  return { bits, names };
}

/** Sends `length` bytes of the stream's pattern. */
export function sending(
  world: World,
  fd: SocketFd,
  length: number,
  flags: Expr | undefined,
  address?: Expr,
  stamps = fd.kept.get("SO_TIMESTAMPING") ?? 0,
): Attempt {
  const { bits, names } = engineFlags(flags);
  const wait = !fd.nonblock && !names.includes("MSG_DONTWAIT");
  if (length < 0) return () => errorAnswer("EINVAL");
  if (fd.type === "dgram") return () => sendDatagram(world, fd, length, bits, address);
  const { engine, calls } = world.host;
  const opening = names.includes("MSG_FASTOPEN");
  let [done, begun] = [0, false];
  const attempt = () => {
    do {
      const piece = Math.min(length - done, STAGING_BYTES);
      engine.memory.set(patternBytes(fd.written, piece), engine.staging);
      const nam = opening && !begun ? placePeer(world, fd, address) : 0;
      const flags = done + piece < length ? bits | Msg.MORE : bits; // the rest follows at once
      const n = sendResult(world, fd, calls.so_send(fd.so, engine.staging, piece, flags, nam));
      if (opening) underTest(world, fd);
      begun ||= n !== -Errno.EAGAIN;
      if ((n === -Errno.EAGAIN || n === -Errno.EINPROGRESS) && wait) return undefined;
      if (n < 0) return done > 0 ? { value: done } : answerOf(n);
      done += n;
      fd.written += n;
      if (n < piece && !wait) return { value: done };
    } while (done < length);
    return { value: done };
  };
  let taken: Answer | undefined;
  return () => {
    taken ??= attempt();
    const answer = taken && wait ? whenConnected(world, fd, taken) : taken;
    underTest(world, fd); // a connection that waits for its first data has begun by now
    if (answer && answer.value > 0) follow(fd, answer.value, names, stamps);
    return answer;
  };
}

/** A call that has begun a connection waits for it, also when all of its data has left already. */
function whenConnected(world: World, fd: SocketFd, answer: Answer): Answer | undefined {
  const { calls, staging } = world.host.engine;
  const state = world.host.u32(fd.so + layout.Socket.state);
  if (state & Ss.ISCONNECTING) return undefined;
  if (state & Ss.ISCONNECTED || answer.value <= 0) return answer;
  const error = calls.so_send(fd.so, staging, 0, 0, 0);
  return error < 0 ? answerOf(error) : answer;
}

/** The peer that a connection is opened to by sending. */
function placePeer(world: World, fd: SocketFd, address: Expr | undefined): number {
  const name = nameArgument(address, remoteName(world));
  fd.peerPort = name.port;
  return placeName(world, fd, name);
}

/** Linux: a connection that is being made is waited for, one that never was is a broken pipe. */
function sendResult(world: World, fd: SocketFd, n: number): number {
  if (n !== -Errno.ENOTCONN || world.config.dialect !== "linux") return n;
  const state = world.host.u32(fd.so + layout.Socket.state);
  return state & Ss.ISCONNECTING ? -Errno.EAGAIN : -Errno.EPIPE;
}

/** What was sent is followed if its sender is to be told of it. */
function follow(fd: SocketFd, length: number, names: readonly string[], stamps: number): void {
  if (names.includes("MSG_ZEROCOPY") && fd.kept.get("SO_ZEROCOPY")) {
    errorQueue(fd).copied(fd.written);
  }
  const { SOF_TIMESTAMPING_TX_SOFTWARE: soft, SOF_TIMESTAMPING_TX_SCHED: sched } = STAMPING_SYMBOLS;
  const wanted = stamps & (soft | sched | STAMPING_SYMBOLS.SOF_TIMESTAMPING_TX_ACK);
  if (wanted !== 0) errorQueue(fd).follow(fd.written, length, wanted);
}

function sendDatagram(
  world: World,
  fd: SocketFd,
  length: number,
  bits: number,
  address: Expr | undefined,
): Answer {
  const { engine, calls } = world.host;
  if (length > STAGING_BYTES) return answerOf(-Errno.EMSGSIZE);
  engine.memory.set(patternBytes(0, length), engine.staging);
  // an answer goes to where the last datagram came from
  const supplied = { ...remoteName(world), port: world.connection?.remotePort ?? PORT };
  const name = nameArgument(address, supplied);
  const nam = fd.connection ? 0 : placeName(world, fd, name);
  const n = calls.so_send(fd.so, engine.staging, length, bits, nam);
  if (n >= 0 && !world.connection) {
    world.sendingTo(fd, localPort(world, fd), name.port);
  }
  return answerOf(n);
}

/** Receives up to `length` bytes, and looks whether they are those that the remote sent. */
export function receiving(
  world: World,
  fd: SocketFd,
  length: number,
  flags: Expr | undefined,
): Attempt {
  const { bits, names } = engineFlags(flags);
  const wait = !fd.nonblock && !names.includes("MSG_DONTWAIT");
  const all = wait && names.includes("MSG_WAITALL") && fd.type === "stream";
  const keeps = names.includes("MSG_PEEK") || names.includes("MSG_OOB");
  if (length < 0) return () => errorAnswer("EINVAL");
  const { engine, calls } = world.host;
  let done = 0;
  return () => {
    for (;;) {
      const piece = Math.min(length - done, STAGING_BYTES);
      const n = calls.so_recv(fd.so, engine.staging, piece, bits, 0);
      if (n === -Errno.EAGAIN && done > 0 && !all) return { value: done };
      if (n === -Errno.EAGAIN && wait) return undefined;
      if (n <= 0) return done > 0 ? { value: done } : answerOf(n);
      if (!names.includes("MSG_OOB")) verify(fd, engine.memory.subarray(engine.staging), n);
      if (!keeps && fd.type === "stream") fd.read += n;
      done += n;
      if (done >= length || keeps || fd.type === "dgram") return { value: done };
      if (n < piece && !all) return { value: done };
    }
  };
}

function verify(fd: SocketFd, staged: Uint8Array, length: number): void {
  if (fd.connection?.urgent) return; // a byte taken out of line moves all behind it
  const at = patternFault(staged.subarray(0, length), fd.read);
  if (at >= 0) {
    const place = fd.read + at;
    throw new Mismatch(`byte ${place} of the stream is not what the remote sent`);
  }
}

/** `read` and `write`, on sockets or on anything else. */
function transfer(world: World, call: Call, length: number, writes: boolean): Attempt {
  const fd = world.fd(toNumber(call.args[0]));
  if (fd.kind !== "socket") return fileTransfer(world, fd, length, writes);
  return writes ? sending(world, fd, length, undefined) : receiving(world, fd, length, undefined);
}

/** A call whose buffer is `NULL` although there is something to copy. */
function lacksBuffer({ args }: Call): boolean {
  const none = (args[1]?.kind === "number" && args[1].value === 0) ||
    (args[1]?.kind === "word" && args[1].name === "NULL");
  if (!none || toNumber(args[2]) <= 0) return false;
  return !flagNames(args[3], MSG_SYMBOLS).includes("MSG_TRUNC");
}

/** Nothing can be copied from or to `NULL`; whatever else is wrong is told first. */
function withoutBuffer(world: World, fd: SocketFd): Attempt {
  return () => {
    const n = sendResult(world, fd, world.host.calls.so_send(fd.so, 0, 0, 0, 0));
    return n < 0 ? answerOf(n) : errorAnswer("EFAULT");
  };
}

const write: Starter = (world, call) => {
  const fd = world.fd(toNumber(enough(call).args[0]));
  if (fd.kind === "socket" && lacksBuffer(call)) return withoutBuffer(world, fd);
  return transfer(world, call, toNumber(call.args[2]), true);
};

const read: Starter = (world, call) => transfer(world, enough(call), toNumber(call.args[2]), false);

const writev: Starter = (world, call) =>
  transfer(world, enough(call), vectorLength(call.args[1]), true);

const readv: Starter = (world, call) =>
  transfer(world, enough(call), vectorLength(call.args[1]), false);

const send: Starter = (world, call) => {
  const fd = socketOf(world, call);
  if (lacksBuffer(call)) return withoutBuffer(world, fd);
  return sending(world, fd, toNumber(call.args[2]), call.args[3], call.args[4]);
};

const recv: Starter = (world, call) =>
  receiving(world, socketOf(world, call), toNumber(call.args[2]), call.args[3]);

/** The call itself, which must have a descriptor and something to move. */
function enough(call: Call): Call {
  if (call.args.length < 2) throw new ScriptError(`${call.name} has too few arguments`);
  return call;
}

/** The socket that a call is about. */
export function socketOf(world: World, call: Call): SocketFd {
  return world.socket(toNumber(enough(call).args[0]));
}

/** Bytes of a list of `{ buffer, length }`. */
export function vectorLength(expr: Expr | undefined): number {
  if (expr?.kind !== "list") throw new ScriptError("a list of buffers was expected");
  return expr.items.reduce((sum, item) => {
    const fields = fieldsOf(item);
    return sum + numberIn(fields, "iov_len", 1);
  }, 0);
}

/** Calls of this file by name. */
export const DATA_CALLS: Readonly<Record<string, Starter>> = {
  write,
  send,
  sendto: send,
  writev,
  read,
  recv,
  recvfrom: recv,
  readv,
};
