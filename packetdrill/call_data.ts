/**
 * The calls that move data.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { STAGING_BYTES } from "../runtime/engine.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import { MSG_NAMES } from "../runtime/wasm/names.gen.ts";
import type { Call, Expr, Field } from "./ast.ts";
import { localPort, nameArgument, placeName, remoteName } from "./call_socket.ts";
import { type Answer, answerOf, type Attempt, type Starter } from "./call_t.ts";
import { Mismatch, ScriptError, Unsupported } from "./errors.ts";
import type { SocketFd } from "./fd.ts";
import { patternBytes, patternFault } from "./pattern.ts";
import { MSG_SYMBOLS } from "./symbols.ts";
import { fieldOf, fieldsOf, flagNames, isSupplied, numberIn, toNumber } from "./values.ts";
import { PORT, type World } from "./world.ts";

/** Flags that mean something else to other kernels than to this stack. */
const FOREIGN = ["MSG_ERRQUEUE", "MSG_ZEROCOPY", "MSG_FASTOPEN"];

/** The engine's bits for the flags of a call. */
function engineFlags(expr: Expr | undefined): { bits: number; names: string[] } {
  const names = flagNames(expr, MSG_SYMBOLS);
  let bits = 0;
  for (const name of names) {
    const known = Object.entries(MSG_NAMES).find(([, entry]) => `MSG_${entry.name}` === name);
    if (!known || FOREIGN.includes(name)) throw new Unsupported(name);
    bits |= Number(known[0]);
  }
  return { bits, names };
}

/** Sends `length` bytes of the stream's pattern. */
function sending(
  world: World,
  fd: SocketFd,
  length: number,
  flags: Expr | undefined,
  address?: Expr,
): Attempt {
  const { bits, names } = engineFlags(flags);
  const wait = !fd.nonblock && !names.includes("MSG_DONTWAIT");
  if (fd.type === "dgram") return () => sendDatagram(world, fd, length, bits, address);
  const { engine, calls } = world.host;
  let done = 0;
  return () => {
    do {
      const piece = Math.min(length - done, STAGING_BYTES);
      engine.memory.set(patternBytes(fd.written, piece), engine.staging);
      const n = calls.so_send(fd.so, engine.staging, piece, bits, 0);
      if (n === -Errno.EAGAIN && wait) return undefined;
      if (n < 0) return done > 0 ? { value: done } : answerOf(n);
      done += n;
      fd.written += n;
      if (n < piece && !wait) return { value: done };
    } while (done < length);
    return { value: done };
  };
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
  const nam = fd.connection ? 0 : placeName(world, name);
  const n = calls.so_send(fd.so, engine.staging, length, bits, nam);
  if (n >= 0 && !world.connection) {
    world.sendingTo(fd, localPort(world, fd), name.port);
  }
  return answerOf(n);
}

/** Receives up to `length` bytes, and looks whether they are those that the remote sent. */
function receiving(
  world: World,
  fd: SocketFd,
  length: number,
  flags: Expr | undefined,
): Attempt {
  const { bits, names } = engineFlags(flags);
  const wait = !fd.nonblock && !names.includes("MSG_DONTWAIT");
  const all = wait && names.includes("MSG_WAITALL") && fd.type === "stream";
  const keeps = names.includes("MSG_PEEK") || names.includes("MSG_OOB");
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

const write: Starter = (world, call) => {
  const length = toNumber(call.args[2]);
  return sending(world, fdOf(world, call), length, undefined);
};

const send: Starter = (world, call) =>
  sending(world, fdOf(world, call), toNumber(call.args[2]), call.args[3], call.args[4]);

const read: Starter = (world, call) =>
  receiving(world, fdOf(world, call), toNumber(call.args[2]), undefined);

const recv: Starter = (world, call) =>
  receiving(world, fdOf(world, call), toNumber(call.args[2]), call.args[3]);

const writev: Starter = (world, call) =>
  sending(world, fdOf(world, call), vectorLength(call.args[1]), undefined);

const readv: Starter = (world, call) =>
  receiving(world, fdOf(world, call), vectorLength(call.args[1]), undefined);

function fdOf(world: World, call: Call): SocketFd {
  if (call.args.length < 2) throw new ScriptError(`${call.name} has too few arguments`);
  return world.socket(toNumber(call.args[0]));
}

/** Bytes of a list of `{ buffer, length }`. */
function vectorLength(expr: Expr | undefined): number {
  if (expr?.kind !== "list") throw new ScriptError("a list of buffers was expected");
  return expr.items.reduce((sum, item) => {
    const fields = fieldsOf(item);
    return sum + numberIn(fields, "iov_len", 1);
  }, 0);
}

/** The message header of sendmsg and recvmsg. */
function messageOf(call: Call): readonly Field[] {
  const fields = fieldsOf(call.args[1]);
  const control = fieldOf(fields, "msg_control");
  const empty = isSupplied(control) || (control?.kind === "list" && control.items.length === 0);
  if (!empty) throw new Unsupported("control messages");
  return fields;
}

const sendmsg: Starter = (world, call) => {
  const fields = messageOf(call);
  const length = vectorLength(fieldOf(fields, "msg_iov"));
  return sending(world, fdOf(world, call), length, call.args[2], fieldOf(fields, "msg_name"));
};

const recvmsg: Starter = (world, call) => {
  const fields = messageOf(call);
  const length = vectorLength(fieldOf(fields, "msg_iov"));
  const attempt = receiving(world, fdOf(world, call), length, call.args[2]);
  return () => {
    const answer = attempt();
    const expected = fieldOf(fields, "msg_flags");
    if (!answer || answer.value < 0 || isSupplied(expected)) return answer;
    const { engine } = world.host;
    const bits = world.host.u32(engine.recvInfo + layout.RecvInfo.flags);
    const wanted = engineFlags(expected).bits;
    if (bits === wanted) return answer;
    return { ...answer, fault: `msg_flags are 0x${bits.toString(16)} of the stack` };
  };
};

/** Calls of this file by name. */
export const DATA_CALLS: Readonly<Record<string, Starter>> = {
  write,
  send,
  sendto: send,
  sendmsg,
  writev,
  read,
  recv,
  recvfrom: recv,
  recvmsg,
  readv,
};
