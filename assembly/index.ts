/**
 * The boundary: every call that the world may make of the engine. Arguments and answers are
 * integers and f64; an i32 answer is a result >= 0 or a negated Errno.
 */
import { Errno } from "./abi/errno";
import { Sioc } from "./abi/ifnet";
import * as start from "./boot";
import * as ip_forward from "./inet/ip_forward";
import * as net_if from "./net/if";
import * as if_input_ from "./net/if_input";
import * as if_ioctl_ from "./net/if_ioctl";
import * as if_queue from "./net/if_queue";
import * as if_rx from "./net/if_rx";
import { IfReq, RtReq } from "./net/ifreq_t";
import * as loop from "./net/loop";
import * as so from "./socket/so";
import * as so_batch from "./socket/so_batch";
import * as so_ctl from "./socket/so_ctl";
import * as so_local from "./socket/so_local";
import * as so_data from "./socket/so_data";
import * as so_event from "./socket/so_event";
import * as so_inplace from "./socket/so_inplace";
import * as so_opt from "./socket/so_opt";
import * as so_pool from "./socket/so_pool";
import { SockAddr } from "./socket/sockaddr";
import { Socket } from "./socket/socket_t";
import { BootConfig } from "./sys/boot_t";
import * as clock from "./sys/clock";
import * as mbuf from "./sys/mbuf";
import { N } from "./sys/net_settings";
import * as panic from "./sys/panic";
import * as rand from "./sys/rand";
import * as timer from "./sys/timer";
import * as ahead from "./tcp/ahead";
import * as census from "./tcp/census";
import * as fastopen_key from "./tcp/fastopen_key";
import * as metrics from "./tcp/metrics";
import * as output from "./tcp/output";
import * as settings from "./tcp/settings";
import * as subr from "./tcp/subr";
import * as tcb from "./tcp/tcb";

export * from "./kernel/exports";
export * from "./kernel/loader";
export { counters, fates, lastFate as last_fate } from "./sys/stat";

/** Frames of loopback in one poll; what is left comes with the next. */
const LOOP_BUDGET: u32 = 256;

const SCRATCH: usize = memory.data(4096, 64);

function sock(p: usize): Socket {
  return changetype<Socket>(p);
}

function name(p: usize): SockAddr {
  return changetype<SockAddr>(p);
}

/** Seeds the random streams from 32 bytes at `ptr`: 16 for the public one, 16 for the secret. */
export function seed(ptr: usize): void {
  rand.seed(load<u64>(ptr), load<u64>(ptr, 8), load<u64>(ptr, 16), load<u64>(ptr, 24));
}

export function boot(cfg: usize): i32 {
  return start.boot(changetype<BootConfig>(cfg));
}

export function poll(nowUs: f64): i32 {
  clock.set(i64(nowUs));
  let work = timer.run(clock.now());
  output.flush();
  let n: u32 = 0;
  for (let left = LOOP_BUDGET; left > 0 && (n = loop.run(left)) > 0; left -= n) {
    output.flush();
    work += n;
  }
  tcb.parkIdle();
  return i32(work);
}

/** Sets the clock, before calls that may send. */
export function set_clock(nowUs: f64): void {
  clock.set(i64(nowUs));
}

export function nextDeadline(): f64 {
  if (loop.pending()) return f64(clock.now());
  const next = timer.announce();
  return next == i64.MAX_VALUE ? Infinity : f64(next);
}

export function if_attach(cfg: usize): i32 {
  return net_if.attach(cfg);
}

export function if_detach(i: u32): i32 {
  return net_if.detach(i);
}

export function if_rx_prepare(i: u32, most: u32): u32 {
  const ifp = net_if.byIndex(i);
  return ifp ? if_rx.prepare(ifp, most) : 0;
}

export function if_input(i: u32, n: u32, nowUs: f64): void {
  const ifp = net_if.byIndex(i);
  if (!ifp) return;
  clock.set(i64(nowUs));
  ahead.look(ifp, n);
  if_input_.input(ifp, n);
  output.flush();
  tcb.parkIdle();
}

export function if_tx_prepare(i: u32, most: u32): u32 {
  const ifp = net_if.byIndex(i);
  return ifp ? if_queue.txPrepare(ifp, most) : 0;
}

export function if_txdone(i: u32, n: u32): void {
  const ifp = net_if.byIndex(i);
  if (!ifp) return;
  if_queue.txDone(ifp, n);
  output.flush();
}

export function if_ioctl(cmd: i32, ptr: usize, len: i32): i32 {
  return if_ioctl_.ioctl(cmd, ptr, len);
}

export function if_ptr(i: u32): usize {
  return changetype<usize>(net_if.byIndex(i));
}

export function so_create(domain: i32, type: i32, protocol: i32): i32 {
  return so.create(domain, type, protocol);
}

export function so_bind(p: usize, nam: usize): i32 {
  return so.bind(sock(p), name(nam));
}

export function so_listen(p: usize, backlog: i32): i32 {
  return so.listen(sock(p), backlog);
}

export function so_accept(p: usize, nam: usize): i32 {
  return so.accept(sock(p), name(nam));
}

export function so_connect(p: usize, nam: usize): i32 {
  return so.connect(sock(p), name(nam));
}

export function so_connect2(p: usize, other: usize): i32 {
  return so.connect2(sock(p), sock(other));
}

export function so_send(p: usize, ptr: usize, len: u32, flags: u32, nam: usize): i32 {
  return so_data.send(sock(p), ptr, len, flags, name(nam));
}

export function so_recv(p: usize, ptr: usize, len: u32, flags: u32, nam: usize): i32 {
  return so_data.recv(sock(p), ptr, len, flags, name(nam));
}

export function so_peek(p: usize, flags: u32): i32 {
  return so_inplace.peek(sock(p), flags);
}

export function so_release(p: usize, n: u32): i32 {
  return so_inplace.release(sock(p), n);
}

export function so_reserve(p: usize, len: u32): i32 {
  return so_inplace.reserve(sock(p), len);
}

export function so_commit(p: usize, n: u32, flags: u32): i32 {
  return so_inplace.commit(sock(p), n, flags);
}

export function so_sendmmsg(p: usize, table: usize, n: u32, ptr: usize, flags: u32): i32 {
  return so_batch.send(sock(p), table, n, ptr, flags);
}

export function so_recvmmsg(
  p: usize,
  table: usize,
  most: u32,
  ptr: usize,
  room: u32,
  flags: u32,
): i32 {
  return so_batch.recv(sock(p), table, most, ptr, room, flags);
}

export function so_shutdown(p: usize, how: i32): i32 {
  return so.shutdown(sock(p), how);
}

export function so_close(p: usize): i32 {
  return so.close(sock(p));
}

export function so_disconnect(p: usize): i32 {
  return so.disconnect(sock(p));
}

export function so_abort(p: usize): i32 {
  return so.abort(sock(p));
}

export function so_getopt(p: usize, level: i32, option: i32, ptr: usize, len: i32): i32 {
  return so_opt.get(sock(p), level, option, ptr, len);
}

export function so_setopt(p: usize, level: i32, option: i32, ptr: usize, len: i32): i32 {
  return so_opt.set(sock(p), level, option, ptr, len);
}

export function so_sockname(p: usize, nam: usize): i32 {
  return so.sockname(sock(p), name(nam));
}

export function so_peername(p: usize, nam: usize): i32 {
  return so.peername(sock(p), name(nam));
}

export function so_ioctl(p: usize, cmd: i32, ptr: usize, len: i32): i32 {
  return so_ctl.ioctl(sock(p), cmd, ptr, len);
}

export function so_ready(p: usize): u32 {
  return so_event.ready(sock(p));
}

export function so_want(p: usize, mask: u32): void {
  so_event.want(sock(p), mask);
}

export function ev_drain(ptr: usize, most: u32): u32 {
  return so_event.drain(ptr, most);
}

/** Address of struct WheelState: `sooner` says that nextDeadline has a new answer. */
export function timer_state(): usize {
  return timer.state();
}

/** Address of struct EventList: its first word is 0 while there is nothing to drain. */
export function ev_list(): usize {
  return so_event.list();
}

export function staging(): usize {
  return start.staging();
}

export function scratch(): usize {
  return SCRATCH;
}

/** Address of struct LocalInfo. */
export function local_info(): usize {
  return changetype<usize>(so_local.L);
}

export function recv_info(): usize {
  return changetype<usize>(so_data.recvInfo());
}

/** Writes eight u32 to `ptr`: used, peak, limit, denied of the small and of the cluster mbufs. */
export function pool_stats(ptr: usize): void {
  const s = mbuf.small();
  const c = mbuf.cluster();
  store<u32>(ptr, s.used);
  store<u32>(ptr, s.peak, 4);
  store<u32>(ptr, s.limit, 8);
  store<u32>(ptr, s.denied, 12);
  store<u32>(ptr, c.used, 16);
  store<u32>(ptr, c.peak, 20);
  store<u32>(ptr, c.limit, 24);
  store<u32>(ptr, c.denied, 28);
}

export function so_at(i: u32): usize {
  return changetype<usize>(so_pool.at(i));
}

/** How many places of the socket table were ever used. */
export function so_limit(): u32 {
  return so_pool.all().high;
}

export function rt_walk(i: u32, ptr: usize): i32 {
  changetype<RtReq>(ptr).i = i;
  return if_ioctl_.ioctl(Sioc.GETRT, ptr, offsetof<RtReq>());
}

export function arp_walk(i: u32, ptr: usize): i32 {
  const r = changetype<IfReq>(ptr);
  r.ifindex = 0;
  r.i = i;
  return if_ioctl_.ioctl(Sioc.GARP, ptr, offsetof<IfReq>());
}

/** Address of the Tcb of a socket, 0 if it has none; to look at, until the next is asked for. */
export function tcb_of(p: usize): usize {
  return changetype<usize>(subr.peekOf(sock(p)));
}

/** Address of struct TcpSettings. */
export function tcp_settings(): usize {
  return changetype<usize>(settings.T);
}

/** Address of struct Metric of the `i`-th destination remembered; 0 when there are no more. */
export function tcp_metrics(i: u32): usize {
  return changetype<usize>(metrics.at(i));
}

/** Sets the stack's Fast Open keys, 16 or 32 bytes at `ptr`: 0 or -EINVAL. */
export function tcp_fastopen_key(ptr: usize, len: u32): i32 {
  return fastopen_key.setStack(ptr, len) ? 0 : -Errno.EINVAL;
}

/** Forgets what is remembered of destinations. */
export function tcp_metrics_flush(): void {
  metrics.flush();
}

/** Address of struct NetSettings. */
export function net_settings(): usize {
  return changetype<usize>(N);
}

/** Connections in TcpState `state`, half-open ones and those in TIME-WAIT included. */
export function tcp_count(state: i32): u32 {
  return census.inState(state);
}

export function panic_info(): usize {
  return panic.panicInfo();
}

export function ip_forwarding(on: i32): void {
  ip_forward.setEnabled(on != 0);
}
