/**
 * The rest of system calls whose first try has not done all. Most calls are done with that; what
 * only those need that wait or try again is made here.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Ev } from "../../assembly/abi/event.ts";
import * as calls from "./calls.ts";
import type { Accepted, Received } from "./nonblocking.ts";
import { connectThen } from "./connecting.ts";
import type { So } from "./so.ts";
import * as wait from "./so_wait.ts";
import { check } from "./so_wait.ts";
import { readSockAddr, type SockAddrInit } from "./sockaddr.ts";
import { TIMED_OUT, Wait } from "./wait.ts";

/** Goes on with a send whose first try answered `first`. */
export async function sendRest(
  so: So,
  first: number,
  data: Uint8Array,
  flags: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { length } = data;
  const attempt = (done: number) => so.trySend(data, done, length - done, flags, 0);
  return check(await wait.sendAll(so, first, length, flags, signal, attempt), "send", signal);
}

/** Sends from `done` on, to an address if there is one. */
export function trySendTo(
  so: So,
  data: Uint8Array,
  done: number,
  flags: number,
  to: SockAddrInit | undefined,
): number {
  return so.trySend(data, done, data.length - done, flags, calls.putName(so, to, "sendto"));
}

/** Goes on with a sendto whose first try answered `first`. */
export async function sendtoRest(
  so: So,
  first: number,
  data: Uint8Array,
  flags: number,
  to: SockAddrInit | undefined,
  signal: AbortSignal | undefined,
): Promise<number> {
  const attempt = wait.opening(
    flags,
    first,
    (done, now, named) => trySendTo(so, data, done, now, named ? to : undefined),
  );
  const { length } = data;
  return check(await wait.sendAll(so, first, length, flags, signal, attempt), "sendto", signal);
}

/** Goes on with a recvfrom whose first try answered `first`. */
export function recvfromRest(
  so: So,
  first: number,
  buffer: Uint8Array,
  flags: number,
  signal: AbortSignal | undefined,
): Promise<Received> {
  let from = first >= 0 ? calls.takeName(so) : undefined;
  const attempt = (now: number, done = 0) => {
    const got = so.tryRecv(buffer, done, buffer.length - done, now, calls.nameRoom(so));
    if (got >= 0) from = calls.takeName(so);
    return got;
  };
  const end = (got: number, signal: AbortSignal | undefined) => ({
    length: check(got, "recvfrom", signal),
    from,
  });
  if (!wait.wantsAll(so, flags)) return wait.receiveThen(so, first, flags, signal, attempt, end);
  return wait.receiveWhole(so, first, buffer.length, flags, signal, attempt)
    .then((got) => end(got, signal));
}

/** An accept that waits; one object, as programs that serve wait for each connection. */
class AcceptWait extends Wait {
  declare readonly so: So;

  constructor(so: So) {
    super(so, Ev.READ);
  }

  override retry(result: number): number {
    if (result > 0 || result === TIMED_OUT) return calls.acceptNamed(this.so);
    return -wait.waitErrno(result);
  }

  override finish(got: number): Accepted {
    return accepted(this.so, got, this.signal);
  }
}

/** Accepts as soon as there is a connection. */
export function acceptThen(so: So, signal: AbortSignal | undefined): Promise<Accepted> {
  const first = calls.acceptNamed(so);
  if (first !== -Errno.EAGAIN || so.nonblocking) {
    return Promise.resolve(accepted(so, first, signal));
  }
  return so.layer.waits.work(new AcceptWait(so), true, so.rcvtimeo_us, signal);
}

/** What accept answers, from the peer's name that the engine has just written. */
function accepted(so: So, got: number, signal: AbortSignal | undefined): Accepted {
  const fd = check(got, "accept", signal);
  const { engine } = so.layer;
  return { fd, address: readSockAddr(engine, engine.scratch) };
}

/**
 * Goes on with a connect whose first try answered `first`: waits until the connection stands or has
 * failed. When the time of SO_SNDTIMEO or the signal ends the wait, the attempt goes on.
 */
export function connected(
  so: So,
  first: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (first === -Errno.EINPROGRESS && !so.nonblocking) {
    if (so.fd < 0 || wait.isPending(so) || wait.pendingError(so) !== 0) {
      return connectThen(so, signal, connectEnd);
    }
  } else check(first, "connect", signal);
  return wait.DONE;
}

function connectEnd(result: number, signal: AbortSignal | undefined): void {
  check(result, "connect", signal);
}
