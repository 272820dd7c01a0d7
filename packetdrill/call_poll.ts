/**
 * The calls that wait for events: `poll` and `epoll`.
 *
 * @module
 */

import { Ev } from "../assembly/abi/event.ts";
import { Ss } from "../assembly/abi/socket.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import type { Expr } from "./ast.ts";
import { bindFd } from "./call_socket.ts";
import type { Answer, Attempt, Starter } from "./call_t.ts";
import { errorAnswer } from "./call_t.ts";
import { ScriptError } from "./errors.ts";
import type { Watch } from "./fd.ts";
import { POLL_SYMBOLS } from "./symbols.ts";
import { fieldOf, fieldsOf, numberOr, toNumber } from "./values.ts";
import type { World } from "./world.ts";

const S = POLL_SYMBOLS;
/** Told whether asked for or not. */
const ALWAYS = S.POLLERR | S.POLLHUP;

/** What is true of a socket, as bits of poll. */
function readiness(world: World, number: number): number {
  const fd = world.fds.get(number);
  if (!fd || fd.kind !== "socket") return S.POLLNVAL;
  const ready = world.host.calls.so_ready(fd.so);
  const state = world.host.u32(fd.so + layout.Socket.state);
  let bits = 0;
  if (ready & Ev.READ) bits |= S.POLLIN | S.POLLRDNORM;
  if (ready & Ev.WRITE) bits |= S.POLLOUT | S.POLLWRNORM;
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
  const [list, , timeout] = call.args;
  if (list?.kind !== "list") throw new ScriptError("poll takes a list of records");
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
  };
}

function readable(world: World, number: number): number {
  const fd = world.fds.get(number);
  return fd?.kind === "socket" ? world.host.u32(fd.so + layout.Socket.rcv_cc) : 0;
}

/** Looks at what epoll descriptors watch; called whenever the stack may have changed. */
export function sampleWatches(world: World): void {
  for (const fd of world.fds.values()) {
    if (fd.kind !== "epoll") continue;
    for (const watch of fd.watches) {
      const now = readiness(world, watch.fd);
      watch.edges = (watch.edges & now) | (now & ~watch.was);
      const bytes = readable(world, watch.fd);
      if (bytes > watch.readable) watch.edges |= now & (S.POLLIN | S.POLLRDNORM);
      watch.was = now;
      watch.readable = bytes;
    }
  }
}

const epollWait: Starter = (world, call) => {
  const epoll = world.epoll(toNumber(call.args[0]));
  const most = toNumber(call.args[2]);
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
