/**
 * Address resolution (RFC 826, RFC 903).
 *
 * @module
 */

import type { Dissection } from "./dissection.ts";
import { hex } from "./dissection.ts";
import { dumpRows } from "./dump.ts";

const HARDWARE: Readonly<Record<number, string>> = {
  1: "Ethernet",
  6: "TokenRing",
  7: "ArcNet",
  15: "FrameRelay",
  17: "Strip",
  24: "IEEE 1394",
};
const PROTOCOLS: Readonly<Record<number, string>> = { 0x0800: "IPv4", 0x86dd: "IPv6" };
const OPERATIONS: Readonly<Record<number, string>> = {
  1: "Request",
  2: "Reply",
  3: "Reverse Request",
  4: "Reverse Reply",
  8: "Inverse Request",
  9: "Inverse Reply",
  10: "NACK Reply",
};

/** Where the addresses of a message are. */
interface Addresses {
  readonly senderHardware: string;
  readonly senderIp: string;
  readonly targetHardware: string;
  readonly targetIp: string;
  readonly targetIsZero: boolean;
}

/** Tells a message; `length` is that of the frame behind its header. */
export function printArp(d: Dissection, at: number, length: number): void {
  d.protocol = "arp";
  const [hardware, protocol, operation] = [d.u16(at), d.u16(at + 2), d.u16(at + 6)];
  const [hardwareBytes, protocolBytes] = [d.u8(at + 4), d.u8(at + 5)];
  // both pairs of addresses
  if (!d.has(at, 8 + 2 * (hardwareBytes + protocolBytes))) {
    d.cut();
    return;
  }
  const link = d.options.link === true;
  if (!link) d.print("ARP, ");
  const plain = protocol === 0x0800 && protocolBytes === 4 && hardwareBytes > 0;
  if (!plain || d.verbose > 0) {
    d.print(`${HARDWARE[hardware] ?? `Unknown Hardware (${hardware})`} (len ${hardwareBytes}), `);
    d.print(`${PROTOCOLS[protocol] ?? `Unknown Protocol (${hex(protocol, 4)})`} `);
    d.print(`(len ${protocolBytes})`);
    d.print(", ");
  }
  const name = OPERATIONS[operation];
  if (name === undefined) {
    d.print(`Unknown (${operation}) `);
    d.print(dumpRows(d.data.subarray(at, d.limit), true));
    return;
  }
  d.print(name);
  if (protocol === 0x0800 && protocolBytes === 4 && hardwareBytes > 0 && hardwareBytes <= 20) {
    const a = addresses(d, at, hardwareBytes);
    d.print(operationText(operation, a));
  }
  d.print(`, length ${length}`);
}

function addresses(d: Dissection, at: number, hardwareBytes: number): Addresses {
  const target = at + 8 + hardwareBytes + 4;
  return {
    senderHardware: d.mac(at + 8, hardwareBytes),
    senderIp: d.ip4(at + 8 + hardwareBytes),
    targetHardware: d.mac(target, hardwareBytes),
    targetIp: d.ip4(target + hardwareBytes),
    targetIsZero: d.data.subarray(target, target + hardwareBytes).every((byte) => byte === 0),
  };
}

function operationText(operation: number, a: Addresses): string {
  switch (operation) {
    case 1: {
      const asked = a.targetIsZero ? "" : ` (${a.targetHardware})`;
      return ` who-has ${a.targetIp}${asked} tell ${a.senderIp}`;
    }
    case 2:
      return ` ${a.senderIp} is-at ${a.senderHardware}`;
    case 3:
      return ` who-is ${a.targetHardware} tell ${a.senderHardware}`;
    case 4:
      return ` ${a.targetHardware} at ${a.targetIp}`;
    case 8:
      return ` who-is ${a.targetHardware} tell ${a.senderHardware}`;
    case 9:
      return ` ${a.senderHardware} at ${a.senderIp}`;
  }
  return "";
}
