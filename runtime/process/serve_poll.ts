/**
 * poll and select on the stack's side: entries lie in the arena, and their descriptors are the
 * program's.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import { POLLIN, POLLOUT, POLLPRI } from "../socket/constants.ts";
import type { PollFd, SelectResult } from "../socket/select.ts";
import { Arg, ENTRY_BYTES } from "./arguments.ts";
import type { ServedCall } from "./served_call.ts";

/** A number that no descriptor of the stack has: what is not the program's is POLLNVAL. */
const NOBODYS = 0x7fffffff;

interface Entry {
  /** The program's descriptor. */
  readonly fd: number;
  readonly events: number;
}

function viewOf({ area }: ServedCall): DataView {
  return new DataView(area.buffer, area.byteOffset, area.byteLength);
}

/** The entries, copied out of the arena. */
function entriesOf(call: ServedCall, syscall: string): Entry[] {
  const count = call.numbers[Arg.MORE];
  if (!(Number.isInteger(count) && count >= 0 && count * ENTRY_BYTES <= call.area.length)) {
    throw new SocketError(Errno.EFAULT, syscall);
  }
  const view = viewOf(call);
  const entries: Entry[] = [];
  for (let at = 0; at < count * ENTRY_BYTES; at += ENTRY_BYTES) {
    entries.push({ fd: view.getInt32(at, true), events: view.getInt32(at + 4, true) });
  }
  return entries;
}

/** Puts what was found behind the entries. */
function answer(call: ServedCall, found: (entry: Entry, i: number) => number, entries: Entry[]) {
  const view = viewOf(call);
  entries.forEach((entry, i) => view.setInt32(i * ENTRY_BYTES + 8, found(entry, i), true));
}

/**
 * Waits, and begins anew for the rest of the time whenever the program has closed a descriptor: its
 * number in the stack may then be another program's.
 */
async function again<T>(
  call: ServedCall,
  timeout: number,
  units_ms: number,
  wait: (left: number) => Promise<T>,
): Promise<T> {
  const { rechecks } = call.owner;
  const until_ms = performance.now() + timeout * units_ms;
  rechecks.add(call);
  try {
    for (let left = timeout;;) {
      try {
        return await wait(left);
      } catch (error) {
        const interrupted = error instanceof SocketError && error.errno === Errno.EINTR;
        if (!interrupted || call.owner.dropped || !call.takeRecheck()) throw error;
      }
      if (timeout >= 0) left = Math.max(0, (until_ms - performance.now()) / units_ms);
    }
  } finally {
    rechecks.delete(call);
  }
}

/** poll. */
export async function servePoll(call: ServedCall): Promise<number> {
  const { owner: { sys, fds }, numbers } = call;
  const entries = entriesOf(call, "poll");
  let polled: PollFd[] = [];
  const count = await again(call, numbers[Arg.OTHER], 1, (left_ms) => {
    polled = entries.map(({ fd, events }): PollFd => ({
      fd: fd < 0 ? fd : fds.find(fd) ?? NOBODYS,
      events,
    }));
    return sys.poll(polled, left_ms, call.options);
  });
  answer(call, (_, i) => polled[i].revents ?? 0, entries);
  return count;
}

/** select. */
export async function serveSelect(call: ServedCall): Promise<number> {
  const { owner: { sys, fds }, numbers } = call;
  const entries = entriesOf(call, "select");
  const of = (wanted: number) =>
    entries.filter(({ events }) => events === wanted).map(({ fd }) => fds.get(fd, "select"));
  const result = await again(call, numbers[Arg.OTHER], 0.001, (left_us) => {
    const sets = { read: of(POLLIN), write: of(POLLOUT), except: of(POLLPRI) };
    return sys.select(sets, left_us, call.options);
  });
  const has = ({ fd, events }: Entry) => {
    const inner = fds.find(fd);
    return inner !== undefined && listOf(result, events).includes(inner) ? events : 0;
  };
  answer(call, has, entries);
  return result.count;
}

function listOf(result: SelectResult, events: number): number[] {
  if (events === POLLIN) return result.read;
  return events === POLLOUT ? result.write : result.except;
}
