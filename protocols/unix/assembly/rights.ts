/**
 * Descriptors under way (SCM_RIGHTS): which sockets messages hold, and how many times. A socket
 * with Ss.INFLIGHT is not closed with its last descriptor. What nobody takes is closed as if it had
 * been received and closed.
 */
import { Errno } from "../../../assembly/abi/errno";
import { Mt } from "../../../assembly/abi/mbuf";
import { LocalLimit, Ss } from "../../../assembly/abi/socket";
import * as so_core from "../../../assembly/socket/so";
import { L, LocalInfo } from "../../../assembly/socket/so_local";
import { Socket } from "../../../assembly/socket/socket_t";
import * as mbuf from "../../../assembly/sys/mbuf";
import * as pool from "../../../assembly/sys/pool";
import { Pool } from "../../../assembly/sys/pool";
import { limit, S } from "./pcb";
import { Flight, Rights, UnixPcb } from "./pcb_t";

const BUCKETS: u32 = 256;

/** What Socket.fd holds from when a socket is given until the runtime has its descriptor. */
const GIVEN: i32 = LocalLimit.GIVEN;

/** Sockets that nobody refers to any more. */
@unmanaged
@final
export class ClosingState {
  first: Flight;
  busy: bool;
}

const RIGHTS: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const POOL: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const TABLE: usize = memory.data(1024, 16);
const CLOSING: ClosingState = changetype<ClosingState>(
  memory.data(offsetof<ClosingState>(), 16),
);

/** Makes the pools; false without memory. */
export function init(): bool {
  return pool.init(RIGHTS, u32(offsetof<Rights>()), limit() / 2) &&
    pool.init(POOL, u32(offsetof<Flight>()), limit() / 2);
}

/** Where the addresses of the sockets stand that go along, or have come. */
function area(): usize {
  return changetype<usize>(L) + offsetof<LocalInfo>();
}

function bucket(so: usize): usize {
  return TABLE + ((so >>> 4) % BUCKETS) * 4;
}

/** Holds a socket once more; false if there are too many. */
function hold(so: usize): bool {
  const at = bucket(so);
  let flight = load<Flight>(at);
  while (flight && flight.so != so) flight = flight.next;
  if (!flight) {
    flight = changetype<Flight>(pool.get(POOL));
    if (!flight) return false;
    flight.so = so;
    flight.next = load<Flight>(at);
    store<usize>(at, changetype<usize>(flight));
    changetype<Socket>(so).state |= Ss.INFLIGHT;
    S.flights += 1;
  }
  flight.count += 1;
  return true;
}

/** Holds it once less. With `end` it is closed if nobody has it any more. */
function letGo(so: usize, end: bool): void {
  const at = bucket(so);
  let before = changetype<Flight>(0);
  let flight = load<Flight>(at);
  while (flight.so != so) {
    before = flight;
    flight = flight.next;
  }
  flight.count -= 1;
  if (flight.count) {
    if (end) S.look = true;
    return;
  }
  if (before) before.next = flight.next;
  else store<usize>(at, changetype<usize>(flight.next));
  S.flights -= 1;
  const socket = changetype<Socket>(so);
  socket.state &= ~u32(Ss.INFLIGHT);
  if (end && socket.fd < 0) {
    flight.next = CLOSING.first;
    CLOSING.first = flight;
  } else pool.put(POOL, changetype<usize>(flight));
}

/** Closes what is to be closed; that may let go of more, one after the other. */
export function settle(): void {
  if (CLOSING.busy) return;
  CLOSING.busy = true;
  while (CLOSING.first) {
    const flight = CLOSING.first;
    CLOSING.first = flight.next;
    const so = changetype<Socket>(flight.so);
    pool.put(POOL, changetype<usize>(flight));
    so_core.close(so);
  }
  CLOSING.busy = false;
}

/**
 * What goes along with the data that is put into the buffer of `to` next, sent by `from`; answers
 * how many sockets. ENOBUFS; nothing is held then.
 */
export function attach(to: UnixPcb, from: UnixPcb): i32 {
  const count = min<u32>(L.count, LocalLimit.RIGHTS);
  L.count = 0;
  // the sender may say whom it sends for; the runtime has asked whether it may
  const stated = L.creds != 0;
  if (count == 0 && !to.creds) return 0;
  const r = changetype<Rights>(pool.get(RIGHTS));
  if (!r) return -Errno.ENOBUFS;
  if (count) {
    const m = count <= 48 ? mbuf.get(Mt.RIGHTS) : mbuf.getcl(Mt.RIGHTS);
    if (!m) {
      pool.put(RIGHTS, changetype<usize>(r));
      return -Errno.ENOBUFS;
    }
    r.m = m;
    for (; r.count < count; r.count++) {
      const so = load<u32>(area() + 4 * r.count);
      if (!hold(so)) {
        drop(r);
        settle();
        return -Errno.ENOBUFS;
      }
      store<u32>(m.data + 4 * r.count, so);
      S.passed += 1;
    }
  }
  r.creds = to.creds;
  r.pid = stated ? L.pid : from.pid;
  r.uid = stated ? L.uid : from.uid;
  r.gid = stated ? L.gid : from.gid;
  r.at = to.came;
  if (to.rights) to.rights_last.next = r;
  else to.rights = r;
  to.rights_last = r;
  return i32(count);
}

/** Lets go of what came with a message, and closes what nobody else has; see settle. */
function drop(r: Rights): void {
  for (let i: u32 = 0; i < r.count; i++) letGo(load<u32>(r.m.data + 4 * i), true);
  S.dropped += r.count;
  mbuf.freem(r.m);
  pool.put(RIGHTS, changetype<usize>(r));
}

/** Drops all that a socket has and nobody has taken. */
export function flush(pcb: UnixPcb): void {
  while (pcb.rights) {
    const r = pcb.rights;
    pcb.rights = r.next;
    drop(r);
  }
}

/**
 * The user has taken what stands before `end` in the order of what came: gives him what came along,
 * or drops it if he did not ask.
 */
export function arrive(pcb: UnixPcb, end: u64): void {
  if (!pcb.rights || pcb.rights.at >= end) return;
  while (pcb.rights && pcb.rights.at < end) {
    const r = pcb.rights;
    pcb.rights = r.next;
    if (L.wanted) give(r);
    else drop(r);
  }
  settle();
}

/** Puts what came along where the runtime takes it at once; lets go of what it has no room for. */
function give(r: Rights): void {
  for (let i: u32 = 0; i < r.count; i++) {
    const so = load<u32>(r.m.data + 4 * i);
    if (L.count + 1 < L.wanted) {
      const socket = changetype<Socket>(so);
      if (socket.fd < 0) socket.fd = GIVEN; // not to be closed by what happens next
      store<u32>(area() + 4 * L.count, so);
      L.count += 1;
      letGo(so, false);
    } else {
      L.cut = 1;
      S.dropped += 1;
      letGo(so, true);
    }
  }
  if (r.creds) {
    L.creds = 1;
    L.pid = r.pid;
    L.uid = r.uid;
    L.gid = r.gid;
  }
  mbuf.freem(r.m);
  pool.put(RIGHTS, changetype<usize>(r));
}
