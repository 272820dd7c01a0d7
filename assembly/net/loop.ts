/**
 * The loopback interface: what is sent by it waits in its send queue and is taken in again by `run`
 * at the next turn. Packets are not copied and, since they never leave this memory, their checksums
 * are not verified.
 */
import { Errno } from "../abi/errno";
import { EtherType, Iff, Medium } from "../abi/ifnet";
import { Mf } from "../abi/mbuf";
import * as clock from "../sys/clock";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as netif from "./if";
import * as ip4 from "../wire/ip4";
import * as if_list from "./if_list";
import * as if_output from "./if_output";
import * as if_queue from "./if_queue";
import * as if_tap from "./if_tap";
import { Ifnet } from "./ifnet_t";
import * as input_type from "./input_type";

/** MTU: what is larger would not be a packet. Packets are chains, and are never cut. */
export const MTU: u32 = ip4.MAXPACKET;

const NAME: u64 = 0x306f6c; // "lo0"
const ADDRESS: u32 = 0x7f000001; // 127.0.0.1
const MASK: u32 = 0xff000000;

/** Makes lo0 with 127.0.0.1/8; called once at boot, before other interfaces. Index or -ENOBUFS. */
export function attach(): i32 {
  const ifp = if_list.take();
  if (!ifp) return -Errno.ENOBUFS;
  ifp.name0 = NAME;
  ifp.medium = Medium.IP;
  ifp.mtu = MTU;
  ifp.flags = Iff.UP | Iff.RUNNING | Iff.LOOPBACK | Iff.MULTICAST;
  ifp.output = if_output.loopOutput.index;
  if_list.setLoopback(ifp);
  const error = netif.addAddr(ifp, ADDRESS, MASK, 0, 0);
  return error ? error : i32(ifp.index);
}

/** True while packets wait for run. */
export function pending(): bool {
  const lo = if_list.loopback();
  return lo ? if_queue.queued(lo) > 0 : false;
}

/**
 * Takes in at most `budget` of the packets that wait, then lets blocked senders go on. Packets that
 * are sent meanwhile wait for the next run, unless the budget reaches them. Answers how many.
 */
export function run(budget: u32): u32 {
  const lo = if_list.loopback();
  if (!lo) return 0;
  let n: u32 = 0;
  while (n < budget) {
    const m = if_queue.dequeue(lo);
    if (!m) break;
    lo.opackets += 1;
    lo.obytes += u64(m.pktlen);
    if_tap.see(lo, m, true);
    take(lo, m);
    n++;
  }
  if (n) if_queue.wake(lo);
  return n;
}

/** Takes one packet in. rcvif names another interface if the packet is the copy of a multicast. */
function take(lo: Ifnet, m: Mbuf): void {
  stat.clearFate();
  lo.ipackets += 1;
  lo.ibytes += u64(m.pktlen);
  if_tap.see(lo, m, false);
  let ifp = lo;
  if (m.rcvif) {
    const by = if_list.byIndex(m.rcvif);
    if (by) ifp = by;
  }
  m.rcvif = u16(ifp.index);
  m.tstamp = clock.now();
  m.flags = (m.flags & ~u16(Mf.CSUM_PARTIAL)) | u16(Mf.LOOP | Mf.CSUM_IP_OK | Mf.CSUM_L4_OK);
  input_type.dispatch(ifp, m, EtherType.IP);
  if (stat.endFrame() >= 64) lo.idrops += 1;
}
