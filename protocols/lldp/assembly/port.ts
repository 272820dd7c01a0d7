/** The Ethernet interfaces, and when each announces itself next (IEEE 802.1AB-2016 9.2.9). */
import { RecordKind } from "../../../assembly/abi/untrusted";
import * as record from "../../../assembly/untrusted/record";
import { Record } from "../../../assembly/untrusted/record";
import * as config from "./config";
import * as pdu from "./pdu";
import { at, find, NAME_BYTES, Port, PORTS } from "./port_t";
import { STATS } from "./stats";

const US_PER_S: f64 = 1e6;
/** msgFastTx: time between announcements while somebody is new; and least time between any two. */
const FAST_US: f64 = 1e6;
/** txFastInit: how many are sent so when somebody new is heard. */
const FAST_COUNT: u32 = 4;
/** Nearest bridge group address, 01-80-C2-00-00-0E (table 7-1), as it lies in memory. */
const GROUP_HI: u32 = 0x00c28001;
const GROUP_LO: u32 = 0x0e00;
const ETHERTYPE: u32 = 0x88cc; // 7.4

/** An interface is up, or has changed: that is said at once. */
export function set(r: Record): void {
  let port = find(r.index);
  if (!port) port = find(0);
  if (!port) return;
  port.index = r.index;
  port.hwaddr_hi = r.hwaddr_hi;
  port.hwaddr_lo = r.hwaddr_lo;
  port.address = r.source;
  port.name_length = min(r.length, NAME_BYTES);
  memory.copy(port.name, r.data, port.name_length);
  port.next_us = 0;
}

/** An interface is gone. */
export function clear(index: u32): void {
  const port = find(index);
  if (port) memory.fill(changetype<usize>(port), 0, offsetof<Port>());
}

/** Somebody new was heard there, who wants to hear of us soon too. */
export function hurry(port: Port): void {
  if (port.fast == 0) port.fast = FAST_COUNT;
  port.next_us = 0;
}

/** Announces what is due. */
export function transmit(now_us: f64): void {
  for (let i: u32 = 0; i < PORTS; i++) {
    const port = at(i);
    if (port.index == 0 || now_us < port.next_us) continue;
    // whoever pretends to be somebody new again and again makes us send no faster
    if (port.last_us > 0 && now_us < port.last_us + FAST_US) continue;
    send(port, false);
    port.last_us = now_us;
    if (port.fast > 0) port.fast -= 1;
    port.next_us = now_us + (port.fast > 0 ? FAST_US : f64(config.interval_s()) * US_PER_S);
  }
}

/** Says good-bye on all ports. */
export function shutdown(): void {
  for (let i: u32 = 0; i < PORTS; i++) if (at(i).index != 0) send(at(i), true);
}

function send(port: Port, over: bool): void {
  const out = record.add(RecordKind.SEND_FRAME, pdu.BYTES_MAX);
  if (!out) return;
  out.index = port.index;
  out.key = u16(ETHERTYPE);
  out.hwaddr_hi = GROUP_HI;
  out.hwaddr_lo = u16(GROUP_LO);
  const end = over
    ? pdu.writeShutdown(out.data, port, first())
    : pdu.write(out.data, port, first());
  record.shorten(out, u32(end - out.data));
  STATS.frames_out += 1;
}

/** The port with the lowest index: the chassis has its hardware address. */
function first(): Port {
  let found = at(0);
  for (let i: u32 = 1; i < PORTS; i++) {
    const port = at(i);
    if (port.index != 0 && (found.index == 0 || port.index < found.index)) found = port;
  }
  return found;
}
