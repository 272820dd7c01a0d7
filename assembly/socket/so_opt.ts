/**
 * Socket options (BSD's sogetopt and sosetopt). Values are little-endian: an i32; for SO_LINGER two
 * (on or off, seconds); for the timeouts an f64 of microseconds. Options of other levels go to the
 * protocol's ctloutput.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { IpProto, Pr, Prco } from "../abi/proto";
import { Sb, So, Sol } from "../abi/socket";
import * as so_event from "./so_event";
import * as so_core from "./so";
import * as so_filter from "./so_filter";
import * as sockbuf from "./sockbuf";
import { Sockbuf, Socket } from "./socket_t";
import { OPT_TIMESTAMP } from "./so_data";

/** Options that are a bit of so.options and may be set. */
const FLAGS: u32 = So.DEBUG | So.REUSEADDR | So.KEEPALIVE | So.DONTROUTE | So.BROADCAST |
  So.USELOOPBACK | So.OOBINLINE | So.REUSEPORT;
/** The longest SO_LINGER, seconds. */
const LINGER_MAX: i32 = 32767;

/**
 * Asks the protocol; for a filter on a socket of the engine's own, who keeps those. ENOPROTOOPT if
 * it has no options, EINVAL for a length below 0.
 */
function ctloutput(so: Socket, op: i32, level: i32, name: i32, ptr: usize, len: i32): i32 {
  if (len < 0) return -Errno.EINVAL;
  if (level == Sol.SOCKET && isFilter(name) && !so.proto.slot) {
    return so_filter.option(so, op, name, ptr, len);
  }
  const fn = so.proto.ctloutput;
  if (!fn) return -Errno.ENOPROTOOPT;
  if (!so.pcb) return -Errno.EINVAL;
  return call_indirect<i32>(fn, op, changetype<usize>(so), level, name, ptr, len);
}

function isFilter(name: i32): bool {
  return name >= So.ATTACH_FILTER && name <= So.LOCK_FILTER;
}

/** Options of level SOL_SOCKET that are not kept here: filters, the pace of a TCP connection. */
function protocolsOwn(so: Socket, name: i32): bool {
  if (isFilter(name)) return true;
  return name == So.MAX_PACING_RATE && so.proto.protocol == IpProto.TCP;
}

/** Whether name is one of the flags in `FLAGS`. */
function isFlag(name: i32): bool {
  return name > 0 && name <= 0x8000 && popcnt<i32>(name) == 1 && (FLAGS & name) != 0;
}

/**
 * Reads an option into the len bytes at ptr; answers how many bytes it has. ENOPROTOOPT: no such
 * option; EINVAL: len is too short for it. Reading SO_ERROR clears the error.
 */
export function get(so: Socket, level: i32, name: i32, ptr: usize, len: i32): i32 {
  if (level != Sol.SOCKET || protocolsOwn(so, name)) {
    return ctloutput(so, Prco.GETOPT, level, name, ptr, len);
  }
  if (name == So.SNDTIMEO || name == So.RCVTIMEO) {
    if (len < 8) return -Errno.EINVAL;
    store<f64>(ptr, name == So.SNDTIMEO ? so.sndtimeo_us : so.rcvtimeo_us);
    return 8;
  }
  if (name == So.LINGER) {
    if (len < 8) return -Errno.EINVAL;
    store<i32>(ptr, so.linger_s >= 0 ? 1 : 0);
    store<i32>(ptr, max<i32>(so.linger_s, 0), 4);
    return 8;
  }
  if (!known(name)) return -Errno.ENOPROTOOPT;
  if (len < 4) return -Errno.EINVAL;
  store<i32>(ptr, value(so, name));
  return 4;
}

/** Whether name is an option with an i32 value that can be read. */
function known(name: i32): bool {
  if (isFlag(name) || name == So.ACCEPTCONN) return true;
  return name >= So.SNDBUF && name <= So.TYPE || name == So.TIMESTAMPNS;
}

/** The value of an option that `known` accepts. */
function value(so: Socket, name: i32): i32 {
  switch (name) {
    case So.SNDBUF:
      return so.snd.hiwat;
    case So.RCVBUF:
      return so.rcv.hiwat;
    case So.SNDLOWAT:
      return so.snd.lowat;
    case So.RCVLOWAT:
      return so.rcv.lowat;
    case So.ERROR:
      return -so_core.takeError(so);
    case So.TYPE:
      return so.type;
    case So.TIMESTAMPNS:
      return so.options & OPT_TIMESTAMP ? 1 : 0;
    default:
      return so.options & name ? 1 : 0;
  }
}

/**
 * Sets an option from the len bytes at ptr; 0 or -Errno. ENOPROTOOPT: no such option, or it can
 * only be read; EINVAL: wrong length or value; ENOBUFS: a buffer beyond Limits.SB_MAX. The protocol
 * is told of options set at the socket level too, since some concern it (SO_KEEPALIVE).
 */
export function set(so: Socket, level: i32, name: i32, ptr: usize, len: i32): i32 {
  if (level != Sol.SOCKET || protocolsOwn(so, name)) {
    return ctloutput(so, Prco.SETOPT, level, name, ptr, len);
  }
  const error = setSocket(so, name, ptr, len);
  if (error < 0) return error;
  if (so.proto.ctloutput && so.pcb) ctloutput(so, Prco.SETOPT, level, name, ptr, len);
  return 0;
}

/** Sets an option of level SOL_SOCKET. */
function setSocket(so: Socket, name: i32, ptr: usize, len: i32): i32 {
  if (name == So.LINGER) return setLinger(so, ptr, len);
  if (name == So.SNDTIMEO || name == So.RCVTIMEO) return setTimeout(so, name, ptr, len);
  const settable = isFlag(name) || name == So.TIMESTAMPNS ||
    name >= So.SNDBUF && name <= So.RCVLOWAT;
  if (!settable) return -Errno.ENOPROTOOPT;
  if (len != 4) return -Errno.EINVAL;
  const v = load<i32>(ptr);
  switch (name) {
    case So.SNDBUF:
      return setBuffer(so, so.snd, v);
    case So.RCVBUF:
      return setBuffer(so, so.rcv, v);
    case So.SNDLOWAT:
      return setLowat(so, so.snd, v);
    case So.RCVLOWAT:
      return setLowat(so, so.rcv, v);
    default: {
      const bit: u32 = name == So.TIMESTAMPNS ? OPT_TIMESTAMP : name;
      if (v) so.options |= bit;
      else so.options &= ~bit;
      return 0;
    }
  }
}

/** SO_LINGER: time for which close waits, or off; 0 seconds make close drop the connection. */
function setLinger(so: Socket, ptr: usize, len: i32): i32 {
  if (len != 8) return -Errno.EINVAL;
  const seconds = load<i32>(ptr, 4);
  if (load<i32>(ptr)) {
    if (seconds < 0 || seconds > LINGER_MAX) return -Errno.EINVAL;
    so.linger_s = seconds;
    so.options |= So.LINGER;
  } else {
    so.linger_s = -1;
    so.options &= ~<u32> So.LINGER;
  }
  return 0;
}

/** SO_SNDTIMEO and SO_RCVTIMEO: a finite number of microseconds, 0 for no limit. */
function setTimeout(so: Socket, name: i32, ptr: usize, len: i32): i32 {
  if (len != 8) return -Errno.EINVAL;
  const us = load<f64>(ptr);
  // Comparisons with a NaN are false, so it is refused too.
  if (!(us >= 0 && us < Infinity)) return -Errno.EINVAL;
  if (name == So.SNDTIMEO) so.sndtimeo_us = us;
  else so.rcvtimeo_us = us;
  return 0;
}

/** SO_SNDBUF and SO_RCVBUF: from now on the protocol leaves the size alone. */
function setBuffer(so: Socket, sb: Sockbuf, bytes: i32): i32 {
  const error = sockbuf.reserve(sb, bytes);
  if (error < 0) return error;
  sb.flags &= ~<u32> Sb.AUTOSIZE;
  woken(so, sb);
  return 0;
}

/** SO_SNDLOWAT and SO_RCVLOWAT: at least 1, at most the size of the buffer. */
function setLowat(so: Socket, sb: Sockbuf, bytes: i32): i32 {
  if (bytes < 1) return -Errno.EINVAL;
  sb.lowat = min<u32>(bytes, sb.hiwat);
  woken(so, sb);
  return 0;
}

/** A changed limit may be what somebody waits for. */
function woken(so: Socket, sb: Sockbuf): void {
  if (sb == so.rcv) so_event.rwakeup(so);
  else if (!(so.proto.flags & Pr.CONNREQUIRED) || so.snd.hiwat) so_event.wwakeup(so);
}
