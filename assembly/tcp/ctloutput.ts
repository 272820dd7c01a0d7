/** Options at level IPPROTO_TCP: pr_ctloutput. A value is an i32; TCP_INFO is a record. */
import { Errno } from "../abi/errno";
import { IpProto, Prco } from "../abi/proto";
import { So, Sol, TcpOpt } from "../abi/socket";
import { Cc, TcpState } from "../abi/tcp";
import * as ip_ctloutput from "../inet/ip_ctloutput";
import { Socket } from "../socket/socket_t";
import * as cc from "./cc";
import * as cork from "./cork";
import * as delack from "./delack";
import * as defer from "./defer";
import * as fastopen_opt from "./fastopen_opt";
import * as mtu_probe from "./mtu_probe";
import * as notsent from "./notsent";
import * as pacing from "./pacing";
import * as output from "./output";
import * as subr from "./subr";
import { T } from "./settings";
import * as tcb from "./tcb";
import * as tcp_info from "./tcp_info";
import { LINGER2_NONE, Tcb, Tf } from "./tcb_t";

/** Longest keepalive time, seconds: what fits in 32 bits of milliseconds. */
const KEEP_MAX_S: i32 = 32_767_000 / 1000;
/** Most SYNs that TCP_SYNCNT has sent again. */
const SYNCNT_MAX: i32 = 127;
/** Longest TCP_LINGER2. */
const LINGER2_MAX_S: i32 = 120;
/** The least window that TCP_WINDOW_CLAMP leaves: two segments of the default MSS. */
const CLAMP_MIN: i32 = 1072;
/** There is no such option; no value is this one. */
const NO_OPTION: i64 = i64.MIN_VALUE;

/** pr_ctloutput of protosw.ts. */
export function ctloutput(op: i32, sop: usize, level: i32, name: i32, ptr: usize, len: i32): i32 {
  const so = changetype<Socket>(sop);
  const tp = subr.ofSocket(so);
  if (!tp) return -Errno.EINVAL;
  if (level == IpProto.IP) {
    return ip_ctloutput.ctloutput(op, tp.inp, name, ptr, len);
  }
  if (level == Sol.SOCKET) {
    if (name == So.MAX_PACING_RATE) return maxPace(tp, op, ptr, len);
    if (name == So.KEEPALIVE) subr.keepalive(tp); // the flag is set; the timer follows it
    return 0;
  }
  if (level != IpProto.TCP) return -Errno.ENOPROTOOPT;
  if (fastopen_opt.has(name)) {
    const set = op == Prco.SETOPT;
    return set ? fastopen_opt.set(tp, name, ptr, len) : fastopen_opt.get(tp, name, ptr, len);
  }
  if (op == Prco.SETOPT) return len < 4 ? -Errno.EINVAL : set(tp, name, load<i32>(ptr));
  if (name == TcpOpt.INFO) return tcp_info.read(tp, ptr, len);
  return get(tp, name, ptr, len);
}

/** SO_MAX_PACING_RATE: bytes a second, as 32 or 64 bits. */
function maxPace(tp: Tcb, op: i32, ptr: usize, len: i32): i32 {
  if (len < 4) return -Errno.EINVAL;
  if (op == Prco.SETOPT) {
    pacing.setMax(tp, len < 8 ? u64(load<u32>(ptr)) : load<u64>(ptr));
    return 0;
  }
  store<u32>(ptr, pacing.getMax(tp));
  return 4;
}

function flag(tp: Tcb, bit: u32, on: i32): i32 {
  if (on) tp.flags |= bit;
  else tp.flags &= ~bit;
  return 0;
}

function set(tp: Tcb, name: i32, value: i32): i32 {
  switch (name) {
    case TcpOpt.NODELAY:
      flag(tp, Tf.NODELAY, value);
      if (value) cork.push(tp); // what is held back may go, but what TCP_CORK keeps from now on
      return 0;
    case TcpOpt.CORK:
      cork.setCork(tp, value != 0);
      return 0;
    case TcpOpt.NOTSENT_LOWAT:
      notsent.setLimit(tp, u32(value));
      return 0;
    case TcpOpt.RFC1323:
      if (tp.state != TcpState.CLOSED) return -Errno.EISCONN;
      flag(tp, Tf.REQ_SCALE, value && T.window_scale ? 1 : 0);
      return flag(tp, Tf.REQ_TS, value && T.timestamps ? 1 : 0);
    case TcpOpt.STDURG:
      return flag(tp, Tf.STDURG, value);
    case TcpOpt.NODELAYACK:
      return flag(tp, Tf.NODELAYACK, value);
    case TcpOpt.QUICKACK:
      if (delack.setQuick(tp, value != 0)) output.output(tp);
      return 0;
    case TcpOpt.CONGESTION:
      if (value < 0 || value >= Cc.COUNT) return -Errno.EINVAL;
      cc.select(tp, u8(value));
      return 0;
    case TcpOpt.MTU_PROBE:
      tp.mtu_search = value ? 1 : 0;
      if (tp.state >= TcpState.ESTABLISHED) mtu_probe.start(tp);
      return 0;
    case TcpOpt.MAXSEG:
      return setMaxSeg(tp, value);
    case TcpOpt.WINDOW_CLAMP:
      return setClamp(tp, value);
    default:
      return setLimit(tp, name, value);
  }
}

/** The options that say how long or how often. */
function setLimit(tp: Tcb, name: i32, value: i32): i32 {
  switch (name) {
    case TcpOpt.KEEPCNT:
      if (value < 1 || value > 127) return -Errno.EINVAL;
      tp.keep_cnt = u8(value);
      return 0;
    case TcpOpt.KEEPIDLE:
    case TcpOpt.KEEPINTVL:
      return setKeep(tp, name, value);
    case TcpOpt.KEEPINIT:
      if (value < 0 || value > KEEP_MAX_S) return -Errno.EINVAL;
      tp.keep_init_ms = u32(value) * 1000;
      subr.limitAttempt(tp);
      return 0;
    case TcpOpt.DEFER_ACCEPT:
      tp.defer = defer.ofSeconds(value);
      return 0;
    case TcpOpt.SYNCNT:
      if (value < 1 || value > SYNCNT_MAX) return -Errno.EINVAL;
      tp.syn_retries = u8(value);
      return 0;
    case TcpOpt.LINGER2:
      // below 0: no stay in FIN-WAIT-2 at all, as Linux has it
      tp.linger2_s = value < 0 ? LINGER2_NONE : u16(min<i32>(value, LINGER2_MAX_S));
      return 0;
    case TcpOpt.USER_TIMEOUT: // RFC 9293 MUST-21
      if (value < 0) return -Errno.EINVAL;
      tp.user_timeout_ms = u32(value);
      return 0;
    default:
      return -Errno.ENOPROTOOPT;
  }
}

/** Before the SYN: what we announce too (RFC 9293 3.7.1); afterwards segments only get smaller. */
function setMaxSeg(tp: Tcb, value: i32): i32 {
  if (value < 64 || value > 65_495) return -Errno.EINVAL;
  if (tp.state >= TcpState.SYN_SENT && u32(value) > u32(tp.snd_mss)) return -Errno.EINVAL;
  tp.user_mss = u16(value);
  if (tp.state >= TcpState.ESTABLISHED) tcb.setMss(tp);
  return 0;
}

/** The window we offer at most; an open connection is never without a limit again, as in Linux. */
function setClamp(tp: Tcb, value: i32): i32 {
  if (value < 0 || (value == 0 && tp.state != TcpState.CLOSED)) return -Errno.EINVAL;
  tp.window_clamp = value == 0 ? 0 : u32(max<i32>(value, CLAMP_MIN));
  return 0;
}

/** When keepalives begin and how often they come (RFC 9293 MUST-27). */
function setKeep(tp: Tcb, name: i32, value: i32): i32 {
  if (value < 1 || value > KEEP_MAX_S) return -Errno.EINVAL;
  if (name == TcpOpt.KEEPIDLE) tp.keep_idle_ms = u32(value) * 1000;
  else tp.keep_intvl_ms = u32(value) * 1000;
  subr.keepalive(tp);
  return 0;
}

function get(tp: Tcb, name: i32, ptr: usize, len: i32): i32 {
  if (len < 4) return -Errno.EINVAL;
  const value = read(tp, name);
  if (value == NO_OPTION) return -Errno.ENOPROTOOPT;
  store<i32>(ptr, i32(value));
  return 4;
}

function isOn(tp: Tcb, bits: u32): i64 {
  return tp.flags & bits ? 1 : 0;
}

function read(tp: Tcb, name: i32): i64 {
  switch (name) {
    case TcpOpt.NODELAY:
      return isOn(tp, Tf.NODELAY);
    case TcpOpt.CORK:
      return isOn(tp, Tf.CORK);
    case TcpOpt.RFC1323:
      return isOn(tp, Tf.REQ_SCALE | Tf.REQ_TS);
    case TcpOpt.STDURG:
      return isOn(tp, Tf.STDURG);
    case TcpOpt.NODELAYACK:
      return isOn(tp, Tf.NODELAYACK);
    case TcpOpt.QUICKACK:
      return delack.quick(tp) ? 1 : 0;
    case TcpOpt.CONGESTION:
      return tp.cc_algo;
    case TcpOpt.MAXSEG:
      return tp.state < TcpState.ESTABLISHED && tp.user_mss ? tp.user_mss : tp.snd_mss;
    case TcpOpt.WINDOW_CLAMP:
      return tp.window_clamp;
    case TcpOpt.MTU_PROBE:
      return tp.mtu_search;
    case TcpOpt.NOTSENT_LOWAT:
      return notsent.limit(tp);
    case TcpOpt.USER_TIMEOUT:
      return tp.user_timeout_ms;
    default:
      return readLimit(tp, name);
  }
}

function readLimit(tp: Tcb, name: i32): i64 {
  switch (name) {
    case TcpOpt.KEEPCNT:
      return tp.keep_cnt;
    case TcpOpt.KEEPIDLE:
      return tp.keep_idle_ms / 1000;
    case TcpOpt.KEEPINTVL:
      return tp.keep_intvl_ms / 1000;
    case TcpOpt.KEEPINIT:
      return tp.keep_init_ms / 1000;
    case TcpOpt.DEFER_ACCEPT:
      return defer.toSeconds(tp.defer);
    case TcpOpt.SYNCNT:
      return tp.syn_retries ? tp.syn_retries : T.syn_retries;
    case TcpOpt.LINGER2:
      if (tp.linger2_s == LINGER2_NONE) return -1;
      return tp.linger2_s ? tp.linger2_s : T.fin_wait_2_us / 1_000_000;
    default:
      return NO_OPTION;
  }
}
