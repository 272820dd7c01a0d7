/**
 * Address conflict detection (RFC 5227). A new address is probed and then announced, but unlike in
 * section 2.1 it may be used at once: a stack that starts does not stand still for seven seconds.
 * A conflict is counted and the address defended, at most once in DEFEND_INTERVAL (2.4 (c): the
 * address is the user's choice and is kept).
 *
 * ```
 *   step   0      1      2       3          4
 *   sends  probe  probe  probe   announce   announce
 *   after  0      1-2 s  1-2 s   2 s        2 s
 * ```
 */
import { Iff, Medium } from "../abi/ifnet";
import { Stat } from "../abi/stat";
import * as clock from "../sys/clock";
import * as rand from "../sys/rand";
import * as stat from "../sys/stat";
import * as timer from "../sys/timer";
import * as ether from "../wire/ether";
import * as send from "./arp_send";
import { Ifaddr, IfaFlag, Ifnet } from "./ifnet_t";

const SECOND_US: i64 = 1_000_000;
const PROBES: u32 = 3; // PROBE_NUM
const STEPS: u32 = 5; // and ANNOUNCE_NUM announcements
const ANNOUNCE_WAIT_US: i64 = 2 * SECOND_US;
const DEFEND_INTERVAL_US: i64 = 10 * SECOND_US;

function speaksArp(ifp: Ifnet): bool {
  return ifp.medium == Medium.ETHERNET && !(ifp.flags & Iff.NOARP) && (ifp.flags & Iff.UP) != 0;
}

/** Begins to probe and announce an address. */
export function announce(ifa: Ifaddr): void {
  announceFrom(ifa, 0);
}

function announceFrom(ifa: Ifaddr, first: u32): void {
  timer.cancel(ifa.timer);
  timer.setup(ifa.timer, step.index, changetype<usize>(ifa));
  ifa.step = first;
  ifa.flags &= ~IfaFlag.DUPLICATE;
  if (speaksArp(ifa.ifp)) step(changetype<usize>(ifa));
}

/**
 * The interface is on another wire, or has another hardware address: announces the address at once,
 * for connections go on. It was probed when it came; a conflict is found all the same (2.4).
 */
export function moved(ifa: Ifaddr): void {
  announceFrom(ifa, PROBES);
}

/** The address goes away, or its interface down. */
export function stop(ifa: Ifaddr): void {
  timer.cancel(ifa.timer);
}

function step(arg: usize): void {
  const ifa = changetype<Ifaddr>(arg);
  if (!speaksArp(ifa.ifp)) return;
  claim(ifa, ifa.step < PROBES ? 0 : ifa.addr);
  ifa.step += 1;
  if (ifa.step == STEPS) return;
  const wait = ifa.step < PROBES ? SECOND_US + i64(rand.below(1_000_000)) : ANNOUNCE_WAIT_US;
  timer.arm(ifa.timer, clock.now() + wait);
}

/** Asks the link for our own address: with sender 0 a probe, else an announcement. */
function claim(ifa: Ifaddr, sender: u32): void {
  send.request(ifa.ifp, sender, ifa.addr, ether.BROADCAST_HI, ether.BROADCAST_LO);
}

/** Another station sent an ARP packet with our address as its own (2.4). */
export function conflict(ifa: Ifaddr): void {
  count(ifa);
  if (ifa.step < PROBES) return duplicate(ifa);
  const now = clock.now();
  if (ifa.conflict_at != 0 && now - ifa.conflict_at < DEFEND_INTERVAL_US) return;
  ifa.conflict_at = now;
  claim(ifa, ifa.addr);
}

/** Another station probes for our address. While we probe as well, neither may have it (2.1.1). */
export function probed(ifa: Ifaddr): void {
  if (ifa.step >= PROBES || !timer.pending(ifa.timer)) return;
  count(ifa);
  duplicate(ifa);
}

function count(ifa: Ifaddr): void {
  ifa.conflicts += 1;
  stat.inc(Stat.ARP_CONFLICTS);
}

/** The address was taken before we came: no more probes, and no announcements. */
function duplicate(ifa: Ifaddr): void {
  ifa.flags |= IfaFlag.DUPLICATE;
  timer.cancel(ifa.timer);
}
