/**
 * What a sender spends its time with, for TCP_INFO: how long it had data to send, and how much of
 * that it stood still because of the peer's window or because its own buffer was too small.
 */
import { TcpState } from "../abi/tcp";
import * as sockbuf from "../socket/sockbuf";
import * as clock from "../sys/clock";
import { Tcb } from "./tcb_t";

/** What a connection is doing. */
export const enum Chrono {
  IDLE = 0, // nothing to send, everything is acknowledged
  BUSY = 1,
  RWND = 2, // stopped by the peer's window
  SNDBUF = 3, // all is sent, and the user waits for room
}

/** From now on the connection does `kind`. */
export function set(tp: Tcb, kind: i32): void {
  if (tp.chrono == kind) return;
  read(tp);
  tp.chrono = u8(kind);
}

/** Brings the three sums up to now. */
export function read(tp: Tcb): void {
  const now = clock.now();
  const spent = now - tp.busy_at;
  tp.busy_at = now;
  if (tp.chrono == Chrono.IDLE) return;
  tp.busy_us += spent;
  if (tp.chrono == Chrono.RWND) tp.rwnd_limited_us += spent;
  else if (tp.chrono == Chrono.SNDBUF) tp.sndbuf_limited_us += spent;
}

/** All was sent that may be sent now; `limited`: cwnd has kept something back, or is full. */
export function judge(tp: Tcb, limited: bool): void {
  if (tp.state < TcpState.ESTABLISHED) return;
  set(tp, kindOf(tp, limited));
}

function kindOf(tp: Tcb, limited: bool): i32 {
  const so = tp.inp.so;
  const flight = tp.snd_nxt - tp.snd_una;
  const have = so.snd.cc;
  if (have == 0) return Chrono.IDLE;
  if (limited) return Chrono.BUSY;
  if (have > flight) {
    const next = min<u32>(have - flight, tp.snd_mss);
    return flight + next > tp.snd_wnd ? Chrono.RWND : Chrono.BUSY;
  }
  return sockbuf.space(so.snd) < i32(so.snd.lowat) ? Chrono.SNDBUF : Chrono.BUSY;
}
