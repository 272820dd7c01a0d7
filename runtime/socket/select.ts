/**
 * Waiting for several descriptors at once: poll and select.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Ev } from "../../assembly/abi/event.ts";
import { SocketError } from "../errors.ts";
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI } from "./constants.ts";
import type { So, SocketLayer } from "./so.ts";
import { waitErrno, type WaitOptions } from "./so_wait.ts";
import { CLOSED, INTERRUPTED, type WaitTarget } from "./wait.ts";

export { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI } from "./constants.ts";

/** One descriptor of a poll (struct pollfd). */
export interface PollFd {
  /** The descriptor; a negative one is passed over. */
  readonly fd: number;
  /** What to wait for: POLLIN, POLLOUT, POLLPRI. */
  readonly events: number;
  /** Out: what holds. */
  revents?: number;
}

/** Descriptors by what is asked of them. */
export interface SelectSets {
  /** Can be read, or a connection can be accepted. */
  readonly read?: readonly number[];
  /** Can be written. */
  readonly write?: readonly number[];
  /** Have urgent data. */
  readonly except?: readonly number[];
}

/** What select found. */
export interface SelectResult {
  /** Those of the set that can be read. */
  readonly read: number[];
  /** Those of the set that can be written. */
  readonly write: number[];
  /** Those of the set that have urgent data. */
  readonly except: number[];
  /** How many all together. */
  readonly count: number;
}

/** The socket behind a descriptor, if there is one. */
function lookup(layer: SocketLayer, fd: number): So | undefined {
  try {
    return layer.table.get(fd, "poll");
  } catch (error) {
    if (error instanceof SocketError) return undefined;
    throw error;
  }
}

/** What poll reports unasked; select reports nothing unasked. */
const UNASKED = POLLERR | POLLHUP | POLLNVAL;

/** What holds of a descriptor, as POLL bits. */
function pollOne(layer: SocketLayer, fd: number, events: number): number {
  const so = lookup(layer, fd);
  if (so === undefined) return POLLNVAL;
  const ready = layer.engine.calls.so_ready(so.ptr);
  let revents = 0;
  if (ready & Ev.READ) revents |= POLLIN & events;
  if (ready & Ev.WRITE) revents |= POLLOUT & events;
  if (ready & Ev.OOB) revents |= POLLPRI & events;
  if (ready & Ev.HUP) revents |= POLLHUP;
  if (ready & Ev.ERROR) revents |= POLLERR;
  return revents;
}

/** Fills in `revents`, those of `unasked` too; answers how many descriptors have any. */
export function pollNow(
  layer: SocketLayer,
  fds: readonly PollFd[],
  unasked: number = UNASKED,
): number {
  let count = 0;
  for (const entry of fds) {
    const reported = entry.events | unasked;
    entry.revents = entry.fd < 0 ? 0 : pollOne(layer, entry.fd, entry.events) & reported;
    if (entry.revents !== 0) count++;
  }
  return count;
}

function targets(layer: SocketLayer, fds: readonly PollFd[], unasked: number): WaitTarget[] {
  const list: WaitTarget[] = [];
  const always = unasked === 0 ? 0 : Ev.HUP | Ev.ERROR;
  for (const { fd, events } of fds) {
    const so = fd < 0 ? undefined : lookup(layer, fd);
    if (so === undefined) continue;
    const mask = always | (events & POLLIN ? Ev.READ : 0) |
      (events & POLLOUT ? Ev.WRITE : 0) | (events & POLLPRI ? Ev.OOB : 0);
    list.push({ so, mask });
  }
  return list;
}

/** Waits until {@link pollNow} finds something, at most `timeout_us` microseconds. */
export async function pollWait(
  layer: SocketLayer,
  fds: readonly PollFd[],
  timeout_us: number,
  options: WaitOptions,
  syscall: "poll" | "select",
): Promise<number> {
  const { waits } = layer;
  if (!(timeout_us >= 0)) throw new SocketError(Errno.EINVAL, syscall, "an impossible time");
  const unasked = syscall === "poll" ? UNASKED : 0;
  const until_us = timeout_us === Infinity ? Infinity : waits.scheduler.now_us() + timeout_us;
  for (;;) {
    const count = pollNow(layer, fds, unasked);
    if (count > 0) return count;
    const left_us = until_us === Infinity ? Infinity : until_us - waits.scheduler.now_us();
    if (left_us <= 0) return 0;
    const result = await waits.waitAny(targets(layer, fds, unasked), left_us, options.signal);
    if (result === INTERRUPTED) {
      const { signal } = options;
      throw new SocketError(waitErrno(result), syscall, undefined, { cause: signal?.reason });
    }
    // A descriptor that was closed meanwhile shows as POLLNVAL; a stack that was, as an error.
    if (result === CLOSED && pollNow(layer, fds, unasked) === 0) {
      throw new SocketError(waitErrno(result), syscall);
    }
  }
}

/** The sets as poll entries, one for each descriptor of each set; throws `SocketError` EBADF. */
export function selectEntries(layer: SocketLayer, sets: SelectSets): PollFd[] {
  const entry = (events: number) => (fd: number): PollFd => {
    layer.table.get(fd, "select");
    return { fd, events };
  };
  return [
    ...(sets.read ?? []).map(entry(POLLIN)),
    ...(sets.write ?? []).map(entry(POLLOUT)),
    ...(sets.except ?? []).map(entry(POLLPRI)),
  ];
}

/** What a poll of {@link selectEntries} found, set by set. */
export function selectResult(entries: readonly PollFd[]): SelectResult {
  const found = (events: number) =>
    entries.filter((entry) => entry.events === events && (entry.revents ?? 0) !== 0)
      .map(({ fd }) => fd);
  const [read, write, except] = [found(POLLIN), found(POLLOUT), found(POLLPRI)];
  return { read, write, except, count: read.length + write.length + except.length };
}
