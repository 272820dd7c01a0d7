/**
 * Calls that wait, built on those that do not (`so.ts`): wait for the event, try again. They honour
 * the socket's timeouts and AbortSignals, and answer as the others do, a result or a negated error
 * number.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Ev } from "../../assembly/abi/event.ts";
import { Msg, Ss } from "../../assembly/abi/socket.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import type { So, SocketLayer } from "./so.ts";
import { CLOSED, INTERRUPTED, TIMED_OUT, Wait } from "./wait.ts";

/** How a call that may wait can be stopped. */
export interface WaitOptions {
  /** Ends the wait; the call fails with EINTR, whose cause is the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The error of a wait that ended without an event. */
export function waitErrno(result: number): number {
  if (result === INTERRUPTED) return Errno.EINTR;
  return result === CLOSED ? Errno.EBADF : Errno.EAGAIN;
}

/** Answers a result, and throws the error if it is one. */
export function check(result: number, syscall: string, signal?: AbortSignal): number {
  if (result >= 0) return result;
  if (result === -Errno.EINTR && signal?.aborted) {
    throw new SocketError(Errno.EINTR, syscall, undefined, { cause: signal.reason });
  }
  throw new SocketError(-result, syscall);
}

/** True if a call with these flags must not wait. */
export function mustNotWait(so: So, flags: number): boolean {
  return (flags & Msg.DONTWAIT) !== 0 || so.nonblocking;
}

/** A receive, or an accept, that waits. */
class ReceiveWait<T> extends Wait {
  constructor(
    so: So,
    readonly flags: number,
    readonly attempt: (flags: number) => number,
    readonly end: (got: number, signal: AbortSignal | undefined) => T,
  ) {
    super(so, Ev.READ);
  }

  override retry(result: number): number {
    if (result > 0) return this.attempt(this.flags);
    // When the time is over, less than SO_RCVLOWAT will do.
    if (result === TIMED_OUT) return this.attempt(this.flags | Msg.DONTWAIT);
    return -waitErrno(result);
  }

  override finish(got: number): T {
    return this.end(got, this.signal);
  }
}

/**
 * Goes on with a receive whose first try answered `first`: repeats `attempt` whenever there is data
 * until it does not answer EAGAIN, and answers what `end` makes of the result.
 */
export function receiveThen<T>(
  so: So,
  first: number,
  flags: number,
  signal: AbortSignal | undefined,
  attempt: (flags: number) => number,
  end: (got: number, signal: AbortSignal | undefined) => T,
): Promise<T> {
  const deferred = first === -Errno.EAGAIN && (so.state & Ss.DEFERRED) !== 0;
  if (deferred) beginDeferred(so);
  // Urgent data is not waited for: a program that wants that polls.
  if (first !== -Errno.EAGAIN || (flags & Msg.OOB) !== 0 || mustNotWait(so, flags)) {
    return new Promise((resolve) => resolve(end(first, signal)));
  }
  const wait = new ReceiveWait(so, flags, attempt, end);
  return so.layer.waits.work(wait, !deferred, so.rcvtimeo_us, signal);
}

/** The promise that `begin` answers; what `begin` throws rejects it. */
export function begun<T>(begin: () => Promise<T>): Promise<T> {
  try {
    return begin();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** The same as {@link receiveThen}; answers the result itself. */
export function receive(
  so: So,
  first: number,
  flags: number,
  signal: AbortSignal | undefined,
  attempt: (flags: number) => number,
): Promise<number> {
  return receiveThen(so, first, flags, signal, attempt, asItIs);
}

function asItIs(got: number): number {
  return got;
}

/** Who waits for an answer before there is anything to send connects without data. */
function beginDeferred(so: So): void {
  so.trySend(new Uint8Array(0), 0, 0, 0, 0);
}

/** True if a receive with these flags goes on until its room is filled (MSG_WAITALL). */
export function wantsAll(so: So, flags: number): boolean {
  return so.stream && (flags & (Msg.WAITALL | Msg.PEEK | Msg.OOB)) === Msg.WAITALL;
}

/**
 * Goes on with a receive with MSG_WAITALL whose first try answered `first`, as {@link receive}
 * does, until `length` bytes are there, the stream ends or something else stops it. `attempt` is
 * told how many bytes it has received before; `enough` ends it too.
 */
export async function receiveWhole(
  so: So,
  first: number,
  length: number,
  flags: number,
  signal: AbortSignal | undefined,
  attempt: (flags: number, done: number) => number,
  enough = () => false,
): Promise<number> {
  let done = 0;
  let got = await receive(so, first, flags, signal, (now) => attempt(now, 0));
  while (got > 0) {
    done += got;
    // A short read stops at the urgent mark, so that the program can see it.
    if (done >= length || enough() || so.fd < 0 || (so.state & Ss.RCVATMARK) !== 0) return done;
    const at = done;
    const attemptAt = (now: number) => attempt(now, at);
    got = await receive(so, attemptAt(flags), flags, signal, attemptAt);
  }
  if (done === 0) return got;
  if (got < 0 && got !== -Errno.EINTR) so.defer(got);
  return done;
}

/** Goes on with a recv of `buffer` whose first try answered `first`, as its flags say. */
export function recvRest(
  so: So,
  first: number,
  buffer: Uint8Array,
  flags: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const attempt = (now: number, done = 0) => so.tryRecv(buffer, done, buffer.length - done, now, 0);
  if (!wantsAll(so, flags)) return receiveThen(so, first, flags, signal, attempt, received);
  return receiveWhole(so, first, buffer.length, flags, signal, attempt)
    .then((got) => received(got, signal));
}

function received(got: number, signal: AbortSignal | undefined): number {
  return check(got, "recv", signal);
}

/** How often a stream without mbufs looks whether there are some again. */
const MBUFS_US = 5000;

/**
 * Goes on with a send whose first try answered `first`: repeats `attempt`, which is told how many
 * bytes are sent already, until `length` bytes are. If something ends that early, the bytes sent so
 * far are the result. A stream waits for mbufs, too (BSD's M_WAIT): those of data on its way come
 * back.
 */
export async function sendAll(
  so: So,
  first: number,
  length: number,
  flags: number,
  signal: AbortSignal | undefined,
  attempt: (done: number) => number,
): Promise<number> {
  let done = 0;
  let short_us = 0;
  const sender = {};
  try {
    for (let sent = first;; sent = asSender(so, sender, () => attempt(done))) {
      if (sent >= 0) {
        done += sent;
        if (done >= length || !so.stream) return done;
      }
      const short = sent === -Errno.ENOBUFS && so.stream;
      const begun = sent === -Errno.EINPROGRESS && so.stream;
      if (sent < 0 && sent !== -Errno.EAGAIN && !short && !begun) {
        if (done === 0) return sent;
        so.defer(sent);
        return done;
      }
      const limit_us = so.sndtimeo_us;
      const late = short && limit_us > 0 && short_us >= limit_us;
      if (late || mustNotWait(so, flags)) {
        return done > 0 ? done : begun ? sent : Math.min(sent, -Errno.EAGAIN);
      }
      so.addSender(sender);
      const { waits } = so.layer;
      const result = short
        ? await waits.wait(so, Ev.STATE, MBUFS_US, signal)
        : await waits.wait(so, Ev.WRITE, limit_us, signal);
      if (short && waitErrno(result) === Errno.EAGAIN) short_us += MBUFS_US;
      else if (result <= 0) return done > 0 ? done : -waitErrno(result);
    }
  } finally {
    so.removeSender(sender);
  }
}

/**
 * The tries that follow the `first` one of a send that may open the connection: they name the peer
 * only while it was put off, and then they are ordinary ones. `attempt` is told the flags, and
 * whether to name it.
 */
export function opening(
  flags: number,
  first: number,
  attempt: (done: number, flags: number, named: boolean) => number,
): (done: number) => number {
  const opener = (flags & Msg.FASTOPEN) !== 0;
  let opens = opener && isPutOff(first);
  return (done) => {
    if (!opens) return attempt(done, flags & ~Msg.FASTOPEN, !opener);
    const sent = attempt(done, flags, true);
    opens = isPutOff(sent);
    return sent;
  };
}

function isPutOff(sent: number): boolean {
  return sent === -Errno.EAGAIN || sent === -Errno.ENOBUFS;
}

function asSender(so: So, sender: object, attempt: () => number): number {
  so.sender = sender;
  try {
    return attempt();
  } finally {
    so.sender = undefined;
  }
}

/**
 * Writes all of `data` to a stream; answers its length, or less if the descriptor must not wait.
 * Throws what ended the connection before all was written.
 */
export async function writeAll(so: So, data: Uint8Array): Promise<number> {
  const { length } = data;
  let sent = so.trySend(data, 0, length, 0, 0);
  if (sent === length) return sent;
  for (let done = 0;;) {
    const attempt = (at: number) => (more: number) =>
      so.trySend(data, at + more, length - at - more, 0, 0);
    const rest = sendAll(so, sent, length - done, 0, undefined, attempt(done));
    done += check(await rest, "write");
    if (done >= length || (so.fd >= 0 && so.nonblocking)) return done;
    sent = attempt(done)(0);
  }
}

/** What calls answer that had nothing to wait for. */
export const DONE: Promise<void> = Promise.resolve();

/** Closes, waiting as SO_LINGER says until the peer has everything. */
export function closeLingering(so: So): Promise<void> {
  const { engine } = so.layer;
  const linger_s = field.getU32(engine, so.ptr, layout.Socket.linger_s) | 0;
  const lingers = linger_s > 0 && so.stream && !so.nonblocking &&
    (so.state & (Ss.ISCONNECTED | Ss.INFLIGHT)) === Ss.ISCONNECTED;
  release(so, lingers);
  return lingers ? linger(so, linger_s) : DONE;
}

async function linger(so: So, linger_s: number): Promise<void> {
  const { engine, waits, table } = so.layer;
  waits.scheduler.enter();
  engine.calls.so_disconnect(so.ptr);
  waits.scheduler.told();
  const until_us = waits.scheduler.now_us() + linger_s * 1e6;
  while ((so.state & Ss.ISCONNECTED) !== 0) {
    const left_us = until_us - waits.scheduler.now_us();
    if (left_us <= 0) break;
    if (await waits.wait(so, Ev.STATE, left_us) <= 0) break;
  }
  table.lingered(so);
  waits.scheduler.enter();
  engine.calls.so_close(so.ptr);
  waits.scheduler.told();
}

/** Gives up the descriptor; those who wait on it get EBADF. Without `lingers` also the socket. */
export function release(so: So, lingers = false): void {
  const { engine, waits, table } = so.layer;
  if (so.fd < 0 || table.drop(so.fd)) return;
  table.remove(so, lingers);
  so.fd = -1;
  waits.close(so);
  if (lingers) return;
  waits.scheduler.enter();
  engine.calls.so_close(so.ptr);
  waits.scheduler.told();
}

/** Closes a descriptor, and with the last one its socket. Throws `SocketError` EBADF, ENOTSOCK. */
export function releaseFd({ table }: SocketLayer, fd: number, syscall: string): void {
  const so = table.get(fd, syscall);
  if (!table.drop(fd)) release(so);
}

/** True while the connection that was begun neither stands nor has failed. */
export function isPending(so: So): boolean {
  return so.fd >= 0 && (so.state & Ss.ISCONNECTING) !== 0 && pendingError(so) === 0;
}

/** The error that waits to be asked for, or 0. */
export function pendingError(so: So): number {
  return field.getU32(so.layer.engine, so.ptr, layout.Socket.error);
}
