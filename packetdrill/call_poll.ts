/**
 * The calls that wait for events: `poll` and `epoll`.
 *
 * @module
 */

import { Ev } from "../assembly/abi/event.ts";
import { So, Sol, Ss } from "../assembly/abi/socket.ts";
import { TcpState } from "../assembly/abi/tcp.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import type { Expr } from "./ast.ts";
import { bindFd } from "./call_socket.ts";
import type { Answer, Attempt, Starter } from "./call_t.ts";
import { errorAnswer } from "./call_t.ts";
import { ScriptError, Unsupported } from "./errors.ts";
import type { PipeFd, SocketFd, Watch } from "./fd.ts";
import { PIPE_BYTES } from "./file_io.ts";
import { POLL_SYMBOLS } from "./symbols.ts";
import { fieldOf, fieldsOf, numberOr, toNumber } from "./values.ts";
import type { World } from "./world.ts";

const S = POLL_SYMBOLS;
/** Told whether asked for or not. */
const ALWAYS = S.POLLERR | S.POLLHUP;

const IN = S.POLLIN | S.POLLRDNORM;
const OUT = S.POLLOUT | S.POLLWRNORM;

/** What is true of a descriptor, as bits of poll. */
function readiness(world: World, number: number): number {
  const fd = world.fds.get(number);
  if (!fd) return S.POLLNVAL;
  if (fd.kind === "file") return IN | OUT;
  if (fd.kind === "pipe") return pipeReadiness(fd);
  if (fd.kind === "epoll") throw new Unsupported("epoll descriptors in poll");
  fd.errors?.sample(world, fd);
  const linux = fd.type === "stream" && world.config.dialect === "linux";
  const queued = fd.errors && fd.errors.notices.length > 0 ? S.POLLERR : 0;
  return (linux ? linuxReadiness(world, fd) : plainReadiness(world, fd)) | queued;
}

function pipeReadiness({ pipe, writes }: PipeFd): number {
  if (writes) return pipe.readers === 0 ? S.POLLERR : pipe.bytes < PIPE_BYTES ? OUT : 0;
  return (pipe.bytes > 0 ? IN : 0) | (pipe.writers === 0 ? S.POLLHUP : 0);
}

/** Linux: an end of stream can be read, one that cannot be written on is "writable". */
function linuxReadiness(world: World, fd: SocketFd): number {
  const { host } = world;
  const { Socket, Tcb } = layout;
  const ready = host.calls.so_ready(fd.so);
  if (host.u32(fd.so + Socket.options) & So.ACCEPTCONN) return ready & Ev.READ ? IN : 0;
  const state = host.u32(fd.so + Socket.state);
  const tcb = host.calls.tcb_of(fd.so) >>> 0;
  const tcpState: number = tcb ? host.u32(tcb + Tcb.state) : TcpState.CLOSED;
  const [noMoreIn, noMoreOut] = [Ss.CANTRCVMORE, Ss.CANTSENDMORE].map((bit) => state & bit);
  let bits = ready & Ev.ERROR ? S.POLLERR : 0;
  if ((noMoreIn && noMoreOut) || tcpState === TcpState.CLOSED) bits |= S.POLLHUP;
  if (noMoreIn) bits |= IN | S.POLLRDHUP;
  if (tcpState === TcpState.SYN_SENT || tcpState === TcpState.SYN_RECEIVED) return bits;
  const readable = host.u32(fd.so + Socket.rcv_cc) > 0 && ready & Ev.READ;
  if (readable) bits |= IN;
  const writable = ready & Ev.WRITE && hasRoom(world, fd);
  if (noMoreOut || writable || tcpState === TcpState.CLOSED) bits |= OUT;
  if (ready & Ev.OOB) bits |= S.POLLPRI;
  return bits;
}

/** Linux wakes writers only when a third of the send buffer is free. */
function hasRoom(world: World, fd: SocketFd): boolean {
  const { host } = world;
  const at = host.place(0, 4);
  host.calls.so_getopt(fd.so, Sol.SOCKET, So.SNDBUF, at, 4);
  return host.u32(fd.so + layout.Socket.snd_cc) * 3 <= host.u32(at) * 2;
}

function plainReadiness(world: World, fd: SocketFd): number {
  const ready = world.host.calls.so_ready(fd.so);
  const state = world.host.u32(fd.so + layout.Socket.state);
  let bits = 0;
  if (ready & Ev.READ) bits |= IN;
  if (ready & Ev.WRITE) bits |= OUT;
  if (ready & Ev.OOB) bits |= S.POLLPRI;
  if (ready & Ev.HUP) bits |= S.POLLHUP;
  if (ready & Ev.ERROR) bits |= S.POLLERR;
  if (state & Ss.CANTRCVMORE) bits |= S.POLLRDHUP;
  return bits;
}

function showBits(bits: number): string {
  const names = ["POLLIN", "POLLPRI", "POLLOUT", "POLLERR", "POLLHUP", "POLLNVAL", "POLLRDHUP"];
  return names.filter((name) => bits & S[name]).join("|") || "0";
}

/** Repeats `look` until it answers more than 0, or the time is over. */
function waiting(world: World, timeout_ms: number, look: () => Answer): Attempt {
  let until = -1;
  return () => {
    const { host } = world;
    const answer = look();
    if (answer.value !== 0 || timeout_ms === 0) return answer;
    if (until < 0) until = timeout_ms < 0 ? Infinity : host.now_us + timeout_ms * 1000;
    if (host.now_us >= until) {
      host.alarm_us = Infinity;
      return answer;
    }
    host.alarm_us = until;
    return undefined;
  };
}

const poll: Starter = (world, call) => {
  const [list, many, timeout] = call.args;
  if (list?.kind !== "list") throw new ScriptError("poll takes a list of records");
  if (toNumber(many) !== list.items.length) {
    throw new ScriptError(`the list of poll has ${list.items.length} records`);
  }
  const look = (): Answer => {
    let [count, fault]: [number, string | undefined] = [0, undefined];
    for (const item of list.items) {
      const fields = fieldsOf(item);
      const number = numberOr(fieldOf(fields, "fd"), -1);
      const events = numberOr(fieldOf(fields, "events"), 0);
      const got = number < 0 ? 0 : readiness(world, number) & (events | ALWAYS | S.POLLNVAL);
      if (got !== 0) count++;
      const wanted = numberOr(fieldOf(fields, "revents"), got);
      if (got !== wanted) fault ??= `revents of ${number} are ${showBits(got)}`;
    }
    return { value: count, fault };
  };
  return waiting(world, toNumber(timeout), look);
};

const epollCreate: Starter = (world, call) => () =>
  bindFd(world, call, { kind: "epoll", watches: [] });

const epollCtl: Starter = (world, call) => () => {
  const { watches } = world.epoll(toNumber(call.args[0]));
  const operation = toNumber(call.args[1]);
  const number = toNumber(call.args[2]);
  const at = watches.findIndex(({ fd }) => fd === number);
  if (!world.fds.has(number)) return errorAnswer("EBADF");
  if (operation === S.EPOLL_CTL_ADD) {
    if (at >= 0) return errorAnswer("EEXIST");
    watches.push(watchOf(world, number, call.args[3]));
  } else if (at < 0) return errorAnswer("ENOENT");
  else if (operation === S.EPOLL_CTL_DEL) watches.splice(at, 1);
  else watches[at] = watchOf(world, number, call.args[3]);
  return { value: 0 };
};

function watchOf(world: World, fd: number, expr: Expr | undefined): Watch {
  const fields = fieldsOf(expr);
  const data = fields.find(({ name }) => ["fd", "ptr", "u32", "u64"].includes(name));
  const was = readiness(world, fd);
  return {
    fd,
    events: numberOr(fieldOf(fields, "events"), 0),
    data: numberOr(data?.value, 0),
    dataName: data?.name ?? "fd",
    was,
    edges: was,
    readable: readable(world, fd),
    errors: errorCount(world, fd),
  };
}

function readable(world: World, number: number): number {
  const fd = world.fds.get(number);
  return fd?.kind === "socket" ? world.host.u32(fd.so + layout.Socket.rcv_cc) : 0;
}

/** Entries that there ever were in the error queue of a socket. */
function errorCount(world: World, number: number): number {
  const fd = world.fds.get(number);
  return fd?.kind === "socket" ? fd.errors?.total ?? 0 : 0;
}

/** What `TCP_INQ` tells: bytes that wait to be read, or 1 for the end of the stream. */
export function readAhead(world: World, fd: SocketFd): number {
  const bytes = world.host.u32(fd.so + layout.Socket.rcv_cc);
  const ended = world.host.u32(fd.so + layout.Socket.state) & Ss.CANTRCVMORE;
  return bytes === 0 && ended ? 1 : bytes;
}

/** Looks at error queues and at what is watched; called whenever the stack may have changed. */
export function sampleWatches(world: World): void {
  for (const fd of world.fds.values()) {
    if (fd.kind === "socket") fd.errors?.sample(world, fd);
  }
  for (const fd of world.fds.values()) {
    if (fd.kind !== "epoll") continue;
    for (const watch of fd.watches) {
      const now = readiness(world, watch.fd);
      watch.edges = (watch.edges & now) | (now & ~watch.was);
      const bytes = readable(world, watch.fd);
      if (bytes > watch.readable) watch.edges |= now & IN;
      const errors = errorCount(world, watch.fd);
      if (errors > watch.errors) watch.edges |= now & S.POLLERR;
      watch.errors = errors;
      watch.was = now;
      watch.readable = bytes;
    }
  }
}

const epollWait: Starter = (world, call) => {
  const epoll = world.epoll(toNumber(call.args[0]));
  const most = toNumber(call.args[2]);
  if (most <= 0) return () => errorAnswer("EINVAL");
  const look = (): Answer => {
    sampleWatches(world);
    const told: Watch[] = [];
    const bits: number[] = [];
    for (const watch of epoll.watches) {
      const edge = (watch.events & S.EPOLLET) !== 0;
      const source = edge ? watch.edges : watch.was;
      const got = source & (watch.events | ALWAYS);
      if (got === 0 || told.length >= most) continue;
      told.push(watch);
      bits.push(watch.was & (watch.events | ALWAYS));
      watch.edges = 0;
      if (watch.events & S.EPOLLONESHOT) watch.events = 0;
    }
    return { value: told.length, fault: epollFault(call.args[1], told, bits) };
  };
  return waiting(world, toNumber(call.args[3]), look);
};

/** Compares what is told with the records of the call. */
function epollFault(expr: Expr | undefined, told: readonly Watch[], bits: readonly number[]) {
  const records = expr?.kind === "list" ? expr.items : [expr];
  for (let i = 0; i < told.length; i++) {
    const record = records[i];
    if (record === undefined || record.kind === "ellipsis") continue;
    const fields = fieldsOf(record);
    const wanted = numberOr(fieldOf(fields, "events"), bits[i]);
    const data = numberOr(fieldOf(fields, told[i].dataName), told[i].data);
    if (wanted !== bits[i]) return `events of ${told[i].fd} are ${showBits(bits[i])}`;
    if (data !== told[i].data) return `${told[i].dataName} is ${told[i].data}`;
  }
  return undefined;
}

/** Calls of this file by name. */
export const POLL_CALLS: Readonly<Record<string, Starter>> = {
  poll,
  epoll_create: epollCreate,
  epoll_create1: epollCreate,
  epoll_ctl: epollCtl,
  epoll_wait: epollWait,
};
