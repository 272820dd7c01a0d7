/** The table of interfaces. An index stays free until the next attach takes the lowest one. */
import { Limits } from "../abi/limits";
import * as arena from "../sys/arena";
import { Ifaddr, Ifnet } from "./ifnet_t";

/** State of the module. */
@unmanaged
@final
export class ListState {
  high: u32; // highest index ever used
  base: usize; // the interfaces, Limits.INTERFACES of them
  lo: Ifnet; // the loopback interface, nil before it is attached
  attachments: u32; // interfaces ever attached
}

const S: ListState = changetype<ListState>(memory.data(offsetof<ListState>(), 16));

/** Bytes of one interface: its record, and behind it the rings of its queues. */
const RECORD: usize = (offsetof<Ifnet>() + 63) & ~63;
const RINGS: usize = Limits.IF_SNDQ * 4 + Limits.RING * 20;

/** Reserves the memory of all interfaces; it is touched when they are attached. False without. */
export function init(): bool {
  S.base = arena.alloc((RECORD + RINGS) * Limits.INTERFACES, 64);
  return S.base != 0;
}

function slot(i: u32): Ifnet {
  return changetype<Ifnet>(S.base + (RECORD + RINGS) * usize(i - 1));
}

/** The interface with an index, nil if there is none. */
export function byIndex(i: u32): Ifnet {
  if (i == 0 || i > S.high) return changetype<Ifnet>(0);
  const ifp = slot(i);
  return ifp.attached ? ifp : changetype<Ifnet>(0);
}

/** The interface with the lowest index, nil if there is none. */
export function first(): Ifnet {
  return from(1);
}

/** The interface with the next higher index, nil if that was the last. */
export function next(ifp: Ifnet): Ifnet {
  return from(ifp.index + 1);
}

function from(i: u32): Ifnet {
  for (; i <= S.high; i++) {
    const ifp = slot(i);
    if (ifp.attached) return ifp;
  }
  return changetype<Ifnet>(0);
}

/** The loopback interface, nil before it is attached. */
export function loopback(): Ifnet {
  return S.lo;
}

/** Says which interface is the loopback interface. */
export function setLoopback(ifp: Ifnet): void {
  S.lo = ifp;
}

/**
 * Attaches the free interface with the lowest index; nil if there is none. All is zero but for its
 * index, its rings and the number of the attachment.
 */
export function take(): Ifnet {
  for (let i: u32 = 1; i <= u32(Limits.INTERFACES); i++) {
    const ifp = slot(i);
    if (ifp.attached) continue;
    reset(ifp, i);
    S.attachments += 1;
    ifp.attached = S.attachments;
    S.high = max(S.high, i);
    return ifp;
  }
  return changetype<Ifnet>(0);
}

function reset(ifp: Ifnet, index: u32): void {
  memory.fill(changetype<usize>(ifp), 0, offsetof<Ifnet>());
  ifp.index = index;
  ifp.sndq = changetype<usize>(ifp) + RECORD;
  ifp.txdesc = ifp.sndq + Limits.IF_SNDQ * 4;
  ifp.rxdesc = ifp.txdesc + Limits.RING * 8;
  ifp.rxmbuf = ifp.rxdesc + Limits.RING * 8;
}

/** The address record that has `addr` as its own address, nil if none has. Not for every packet. */
export function ifaByAddr(addr: u32): Ifaddr {
  for (let ifp = first(); ifp; ifp = next(ifp)) {
    const ifa = ofInterface(ifp, addr);
    if (ifa) return ifa;
  }
  return changetype<Ifaddr>(0);
}

/** The address record of one interface with that address, or nil. */
export function ofInterface(ifp: Ifnet, addr: u32): Ifaddr {
  let ifa = ifp.addrs;
  while (ifa && ifa.addr != addr) ifa = ifa.next;
  return ifa;
}

/** The address whose subnet or peer `dst` is, the longest prefix first; nil if there is none. */
export function ifaByDst(dst: u32): Ifaddr {
  let best = changetype<Ifaddr>(0);
  for (let ifp = first(); ifp; ifp = next(ifp)) {
    for (let ifa = ifp.addrs; ifa; ifa = ifa.next) {
      if (ifa.dst && ifa.dst == dst) return ifa;
      if ((dst & ifa.mask) != (ifa.addr & ifa.mask)) continue;
      if (!best || ifa.mask > best.mask) best = ifa;
    }
  }
  return best;
}

/** The address that packets by `ifp` to `nexthop` get: one of its subnet, or the first. */
export function sourceFor(ifp: Ifnet, nexthop: u32): Ifaddr {
  for (let ifa = ifp.addrs; ifa; ifa = ifa.next) {
    if (ifa.dst == nexthop || (nexthop & ifa.mask) == (ifa.addr & ifa.mask)) return ifa;
  }
  return ifp.addrs;
}
