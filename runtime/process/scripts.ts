/**
 * The system calls of a program that is not in the stack's thread, as requests to the stack. Those
 * that move data are in `transfers.ts`.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import type { Accepted } from "../socket/nonblocking.ts";
import { POLLIN, POLLOUT, POLLPRI } from "../socket/constants.ts";
import type { PollFd, SelectResult, SelectSets } from "../socket/select.ts";
import type { SockAddr, SockAddrInit } from "../socket/sockaddr.ts";
import { Arg, ENTRY_BYTES, type Name } from "./arguments.ts";
import { CodecError, decode, encode, type Value } from "./codec.ts";
import { type Reply, Request, type Script } from "./request.ts";
import { AREA_BYTES, Op } from "./ring.ts";

/** Room for a value that is not known to be longer; and what goes before its bytes. */
const VALUE_BYTES = 4096;
const TAG_BYTES = 16;
const NO_FD = 0;

const result = (reply: Reply): number => reply.result;
const nothing = (): void => {};
/** A value; records are ordinary objects to programs. */
const value = ({ area }: Reply): Value => {
  const decoded = decode(area);
  const plain = typeof decoded !== "object" || Array.isArray(decoded) ||
    decoded instanceof Uint8Array;
  return plain ? decoded : { ...decoded as Record<string, Value> };
};
const address = (reply: Reply): SockAddr => reply.name()!;

/** A call that is one request. */
function* once<T>(request: Request<T>): Script<T> {
  return (yield request) as T;
}

/** Puts a value into the arena; EINVAL for what is none. */
export function put(given: Value, syscall: string): (area: Uint8Array) => void {
  return (area) => {
    try {
      encode(given, area);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      throw new SocketError(Errno.EINVAL, syscall, error.message);
    }
  };
}

/** Asks whether the stack is there. */
export function hello(): Script<void> {
  return once(new Request(Op.HELLO, "connect", NO_FD, nothing));
}

export function socket(domain: number, type: number, protocol: number): Script<number> {
  const request = new Request(Op.SOCKET, "socket", NO_FD, result);
  return once(request.with(Arg.FAMILY, domain).with(Arg.OTHER, type).with(Arg.MORE, protocol));
}

export function socketpair(
  domain: number,
  type: number,
  protocol: number,
): Script<[number, number]> {
  const take = (reply: Reply) => value(reply) as unknown as [number, number];
  const request = new Request(Op.SOCKETPAIR, "socketpair", NO_FD, take);
  request.with(Arg.FAMILY, domain).with(Arg.OTHER, type).with(Arg.MORE, protocol);
  return once(request.data(VALUE_BYTES));
}

export function dup(fd: number): Script<number> {
  return once(new Request(Op.DUP, "dup", fd, result));
}

export function unlink(path: string): Script<void> {
  return once(new Request(Op.UNLINK, "unlink", NO_FD, nothing).named({ path }));
}

export function bind(fd: number, name: SockAddrInit): Script<void> {
  return once(new Request(Op.BIND, "bind", fd, nothing).named(name));
}

export function listen(fd: number, backlog: number): Script<void> {
  return once(new Request(Op.LISTEN, "listen", fd, nothing).with(Arg.OTHER, backlog));
}

export function accept(fd: number): Script<Accepted> {
  const take = (reply: Reply) => ({ fd: reply.result, address: reply.name()! });
  return once(new Request(Op.ACCEPT, "accept", fd, take));
}

export function connect(fd: number, name: SockAddrInit): Script<void> {
  return once(new Request(Op.CONNECT, "connect", fd, nothing).named(name));
}

export function shutdown(fd: number, how: number): Script<void> {
  return once(new Request(Op.SHUTDOWN, "shutdown", fd, nothing).with(Arg.OTHER, how));
}

export function close(fd: number): Script<void> {
  return once(new Request(Op.CLOSE, "close", fd, nothing));
}

export function getsockname(fd: number): Script<SockAddr> {
  return once(new Request(Op.GETSOCKNAME, "getsockname", fd, address));
}

export function getpeername(fd: number): Script<SockAddr> {
  return once(new Request(Op.GETPEERNAME, "getpeername", fd, address));
}

export function getsockopt(fd: number, level: number, name: number): Script<Value> {
  const request = new Request(Op.GETSOCKOPT, "getsockopt", fd, value);
  return once(request.with(Arg.OTHER, level).with(Arg.MORE, name).data(VALUE_BYTES));
}

export function getsockoptBytes(
  fd: number,
  level: number,
  name: number,
  room: number,
): Script<Uint8Array<ArrayBuffer>> {
  const take = (reply: Reply) => value(reply) as Uint8Array<ArrayBuffer>;
  const request = new Request(Op.GETSOCKOPT_BYTES, "getsockopt", fd, take);
  request.with(Arg.OTHER, level).with(Arg.MORE, name).with(Arg.FLAGS, room);
  return once(request.data(roomFor(room)));
}

/** Room for a value with so many bytes; as much as there is if it is too long, or no number. */
function roomFor(bytes: number): number {
  return bytes > VALUE_BYTES - TAG_BYTES ? Math.min(bytes + TAG_BYTES, AREA_BYTES) : VALUE_BYTES;
}

export function setsockopt(fd: number, level: number, name: number, given: Value): Script<void> {
  const request = new Request(Op.SETSOCKOPT, "setsockopt", fd, nothing);
  request.with(Arg.OTHER, level).with(Arg.MORE, name);
  const bytes = given instanceof Uint8Array ? roomFor(given.length) : VALUE_BYTES;
  return once(request.data(bytes, put(given, "setsockopt")));
}

export function ioctl(fd: number, cmd: number, argument: Value): Script<Value> {
  const request = new Request(Op.IOCTL, "ioctl", fd, value).with(Arg.OTHER, cmd);
  return once(request.data(VALUE_BYTES, put(argument, "ioctl")));
}

export function fcntl(fd: number, cmd: number, flags: number): Script<number> {
  const request = new Request(Op.FCNTL, "fcntl", fd, result);
  return once(request.with(Arg.OTHER, cmd).with(Arg.FLAGS, flags));
}

/** Names of the host: its own, that of its domain, and its number. */
export function* names(): Script<[string, string, number]> {
  const request = new Request(Op.GETNAMES, "gethostname", NO_FD, value).data(VALUE_BYTES);
  return (yield request) as [string, string, number];
}

export function setName(which: Name, given: Value): Script<void> {
  const syscall = ["sethostname", "setdomainname", "sethostid"][which];
  const request = new Request(Op.SETNAME, syscall, NO_FD, nothing).with(Arg.OTHER, which);
  return once(request.data(VALUE_BYTES, put(given, syscall)));
}

/** Puts entries into the arena. */
function entries(list: readonly PollFd[], syscall: string): (area: Uint8Array) => void {
  if (list.length * ENTRY_BYTES > AREA_BYTES) throw new SocketError(Errno.EINVAL, syscall);
  return (area) => {
    const view = new DataView(area.buffer, area.byteOffset, area.length);
    list.forEach(({ fd, events }, i) => {
      // What is no descriptor finds no socket.
      view.setInt32(i * ENTRY_BYTES, Number.isInteger(fd) ? fd : 0x7fffffff, true);
      view.setInt32(i * ENTRY_BYTES + 4, events, true);
    });
  };
}

function revents(area: Uint8Array, i: number): number {
  return new DataView(area.buffer, area.byteOffset, area.length)
    .getInt32(i * ENTRY_BYTES + 8, true);
}

export function* poll(fds: readonly PollFd[], timeout_ms: number): Script<number> {
  const take = ({ result, area }: Reply): number => {
    fds.forEach((entry, i) => entry.revents = revents(area, i));
    return result;
  };
  const request = new Request(Op.POLL, "poll", NO_FD, take).with(Arg.OTHER, timeout_ms);
  request.with(Arg.MORE, fds.length);
  return yield* once(request.data(fds.length * ENTRY_BYTES, entries(fds, "poll")));
}

export function* select(sets: SelectSets, timeout_us: number): Script<SelectResult> {
  const entry = (events: number) => (fd: number): PollFd => ({ fd, events });
  const asked = [
    ...(sets.read ?? []).map(entry(POLLIN)),
    ...(sets.write ?? []).map(entry(POLLOUT)),
    ...(sets.except ?? []).map(entry(POLLPRI)),
  ];
  const take = ({ area }: Reply): SelectResult => {
    const found = (events: number) =>
      asked.filter((it, i) => it.events === events && revents(area, i) !== 0).map(({ fd }) => fd);
    const [read, write, except] = [found(POLLIN), found(POLLOUT), found(POLLPRI)];
    return { read, write, except, count: read.length + write.length + except.length };
  };
  const request = new Request(Op.SELECT, "select", NO_FD, take).with(Arg.OTHER, timeout_us);
  request.with(Arg.MORE, asked.length);
  return yield* once(request.data(asked.length * ENTRY_BYTES, entries(asked, "select")));
}

/** Entries that one poll can have. */
export const POLL_MAX: number = Math.floor(AREA_BYTES / ENTRY_BYTES);
