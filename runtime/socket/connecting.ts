/**
 * Waiting until a connection that was begun stands or has failed.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Ev } from "../../assembly/abi/event.ts";
import type { So } from "./so.ts";
import { isPending, waitErrno } from "./so_wait.ts";
import { TIMED_OUT, Wait } from "./wait.ts";

/** A connect that waits; each change of the socket's state is looked at. */
class ConnectWait<T> extends Wait {
  declare readonly so: So;

  constructor(so: So, readonly end: (result: number, signal: AbortSignal | undefined) => T) {
    super(so, Ev.STATE);
  }

  override retry(result: number): number {
    if (result > 0) return isPending(this.so) ? -Errno.EAGAIN : connectResult(this.so);
    return result === TIMED_OUT ? -Errno.EINPROGRESS : -waitErrno(result);
  }

  override finish(got: number): T {
    return this.end(got, this.signal);
  }
}

function connectResult(so: So): number {
  return so.fd < 0 ? -Errno.EBADF : -so.takeError();
}

/**
 * Waits until a connection that was begun stands or has failed; answers what `end` makes of 0 or a
 * negated error number. When the time of SO_SNDTIMEO or the signal ends the wait, the attempt goes
 * on.
 */
export function connectThen<T>(
  so: So,
  signal: AbortSignal | undefined,
  end: (result: number, signal: AbortSignal | undefined) => T,
): Promise<T> {
  if (!isPending(so)) return new Promise((resolve) => resolve(end(connectResult(so), signal)));
  return so.layer.waits.work(new ConnectWait(so, end), false, so.sndtimeo_us, signal);
}

/** The same; answers the result itself. */
export function awaitConnected(so: So, signal: AbortSignal | undefined): Promise<number> {
  return connectThen(so, signal, itself);
}

function itself(result: number): number {
  return result;
}
