/**
 * Link headers, and which protocol comes after them.
 *
 * @module
 */

import { Linktype } from "../../drivers/capture_types.ts";
import { printArp } from "./arp.ts";
import { type Dissection, hex } from "./dissection.ts";
import { printRows } from "./dump.ts";
import { printIp4 } from "./ip4.ts";
import { printIp6 } from "./ip6.ts";
import { printLldp } from "./lldp.ts";
import { ETHERTYPES } from "./names.ts";

const ETHERNET_BYTES = 14;
const TAG_BYTES = 4;
/** Up to here the field holds a length (IEEE 802.3). */
const LENGTH_MAX = 1500;
/** Links within links, and tags in a row, that are told. */
const DEPTH_MAX = 16;
/** Address families of the BSD loopback header. */
const FAMILIES: Readonly<Record<number, string>> = {
  2: "IPv4",
  10: "IPv6",
  24: "IPv6",
  28: "IPv6",
  30: "IPv6",
};

/** Tells a frame of a link type; returns the length of the link header. */
export function printFrame(d: Dissection, linktype: number, length: number): number {
  switch (linktype) {
    case Linktype.ETHERNET:
      return printEthernet(d, 0, length);
    case Linktype.RAW:
    case Linktype.IPV4:
    case Linktype.IPV6:
      return printRaw(d, length);
    case Linktype.NULL:
    case Linktype.LOOP:
      return printLoopback(d, linktype, length);
    case Linktype.LINUX_SLL:
      return printCooked(d, length);
    case Linktype.LINUX_SLL2:
      return printCooked2(d, length);
  }
  d.print(`link type ${linktype}, length ${length}`);
  printRows(d, 0);
  return 0;
}

/** Tells an Ethernet frame at `at`; returns the length of its header, tags included. */
export function printEthernet(d: Dissection, at: number, length: number): number {
  d.protocol = "ether";
  if (length < ETHERNET_BYTES || !d.has(at, ETHERNET_BYTES)) {
    d.cut();
    return d.limit;
  }
  const told = d.options.link === true;
  if (told) printAddresses(d, at, length, d.u16(at + 12));
  let type = d.u16(at + 12);
  let next = at + ETHERNET_BYTES;
  for (let tags = 0; isTag(type) && tags < DEPTH_MAX; tags++) {
    d.protocol = "vlan";
    if (!d.has(next, TAG_BYTES)) {
      d.cut();
      return next - at;
    }
    const tag = d.u16(next);
    type = d.u16(next + 2);
    if (told) {
      d.print(tagText(tag) + ", ");
      if (type > LENGTH_MAX) d.print(shownType(d, type) + ", ");
    }
    next += TAG_BYTES;
  }
  if (type <= LENGTH_MAX) printLlc(d, { at, next, length, type });
  else if (!printType(d, type, next, length - (next - at))) {
    if (!told) printAddresses(d, at, length, type);
    printRows(d, next);
  }
  return next - at;
}

/** What an ethertype says comes next; false if it is not known. */
export function printType(d: Dissection, type: number, at: number, length: number): boolean {
  if (d.depth >= DEPTH_MAX) return false;
  d.depth++;
  switch (type) {
    case 0x0800:
      printIp4(d, at, length);
      return true;
    case 0x86dd:
      printIp6(d, at, length);
      return true;
    case 0x0806:
    case 0x8035:
      printArp(d, at, length);
      return true;
    case 0x88cc:
      printLldp(d, at, length);
      return true;
    case 0x9000:
      printConfigurationTest(d, at, length);
      return true;
  }
  d.depth--;
  return false;
}

function isTag(type: number): boolean {
  return type === 0x8100 || type === 0x88a8 || type === 0x9100 || type === 0x9200;
}

function typeText(type: number): string {
  return `ethertype ${ETHERTYPES[type] ?? "Unknown"} (${hex(type, 4)})`;
}

/** Identifier and priority of a tag (IEEE 802.1Q). */
function tagText(tag: number): string {
  return `vlan ${tag & 0xfff}, p ${tag >> 13}${(tag & 0x1000) !== 0 ? ", DEI" : ""}`;
}

function shownType(d: Dissection, type: number): string {
  if (!d.options.quiet) return typeText(type);
  return ETHERTYPES[type] ?? `Unknown Ethertype (${hex(type, 4)})`;
}

function printAddresses(d: Dissection, at: number, length: number, type: number): void {
  d.print(`${d.mac(at + 6)} > ${d.mac(at)}`);
  d.print(type <= LENGTH_MAX ? ", 802.3" : `, ${shownType(d, type)}`);
  d.print(`, length ${length}: `);
}

/** An IEEE 802.2 header: the service access points and the control field. */
function printLlc(
  d: Dissection,
  { at, next, length, type }: { at: number; next: number; length: number; type: number },
): void {
  if (!d.options.link) printAddresses(d, at, length, type);
  d.protocol = "llc";
  const [dsap, ssap, control] = [d.u8(next), d.u8(next + 1), d.u8(next + 2)];
  d.print(`LLC, dsap ${hex(dsap, 2)}, ssap ${hex(ssap, 2)}, ctrl ${hex(control, 2)}`);
  d.print(`, length ${type}`);
}

/** Packets of IP without a link header, told apart by their version. */
function printRaw(d: Dissection, length: number): number {
  d.protocol = "raw";
  if (d.options.link) d.print("ip: ");
  printVersion(d, 0, length);
  return 0;
}

/** A packet of IP of the version that its first four bits say. */
export function printVersion(d: Dissection, at: number, length: number): void {
  const version = d.u8(at) >> 4;
  if (version === 4) printIp4(d, at, length);
  else if (version === 6) printIp6(d, at, length);
  else d.print(`unknown ip ${version}`);
}

function printLoopback(d: Dissection, linktype: number, length: number): number {
  d.protocol = "null";
  if (length < 4 || !d.has(0, 4)) {
    d.cut();
    return d.limit;
  }
  let family = d.u32(0);
  // The byte order is that of the machine that captured; families are small numbers.
  if (linktype === Linktype.NULL && (family & 0xffff0000) !== 0) {
    family = (family >>> 24) | (family >>> 8 & 0xff00);
  }
  const name = FAMILIES[family];
  const header = () => d.print(`AF ${name ?? "Unknown"} (${family}), length ${length}: `);
  if (d.options.link) header();
  if (name === "IPv4") printIp4(d, 4, length - 4);
  else if (name === "IPv6") printIp6(d, 4, length - 4);
  else {
    if (!d.options.link) header();
    printRows(d, 4);
  }
  return 4;
}

const COOKED_TYPES = ["In", "B", "M", "P", "Out"] as const;
const COOKED_BYTES = 16;
const COOKED2_BYTES = 20;

/** The header of Linux that stands for any link's. */
function printCooked(d: Dissection, length: number): number {
  d.protocol = "sll";
  if (!d.has(0, COOKED_BYTES)) {
    d.cut();
    return d.limit;
  }
  const type = d.u16(14);
  const header = () => {
    d.print(`${(COOKED_TYPES[d.u16(0)] ?? "?").padStart(3)} `);
    if (d.u16(4) === 6) d.print(`${d.mac(6)} `);
    d.print(`${typeText(type)}, length ${length}: `);
  };
  if (d.options.link) header();
  if (!printType(d, type, COOKED_BYTES, length - COOKED_BYTES)) {
    if (!d.options.link) header();
    printRows(d, COOKED_BYTES);
  }
  return COOKED_BYTES;
}

/** The second version, with the interface's index. */
function printCooked2(d: Dissection, length: number): number {
  d.protocol = "sll2";
  if (!d.has(0, COOKED2_BYTES)) {
    d.cut();
    return d.limit;
  }
  const type = d.u16(0);
  const way = COOKED_TYPES[d.u8(10)] ?? "?";
  d.print(`ifindex ${d.u32(4)} ${way.padEnd(3)} `);
  const header = () => {
    if (d.u8(11) === 6) d.print(`${d.mac(12)} `);
    d.print(`${typeText(type)}, length ${length}: `);
  };
  if (d.options.link) header();
  if (!printType(d, type, COOKED2_BYTES, length - COOKED2_BYTES)) {
    if (!d.options.link) header();
    printRows(d, COOKED2_BYTES);
  }
  return COOKED2_BYTES;
}

const CONFIGURATION_TEST: Readonly<Record<number, string>> = { 1: "Reply", 2: "Forward Data" };

/** The Configuration Testing Protocol of Ethernet V2.0, section 8: numbers least byte first. */
function printConfigurationTest(d: Dissection, at: number, length: number): void {
  d.protocol = "loopback";
  const little = (from: number) => d.u8(from) | d.u8(from + 1) << 8;
  d.print("Loopback");
  if (length < 4) {
    d.print(` (packet length ${length} < 4)`);
    d.invalid();
    return;
  }
  const skip = little(at);
  d.print(`, skipCount ${skip}`);
  if (skip % 8 !== 0) d.print(" (bogus)");
  if (skip > length - 4) {
    d.invalid();
    return;
  }
  const message = little(at + 2 + skip);
  const name = CONFIGURATION_TEST[message];
  d.print(`, ${name ?? ` invalid (${message})`}`);
  if (name === undefined) return;
  let next = 4 + skip;
  if (length < next + (message === 1 ? 2 : 6)) {
    d.invalid();
    return;
  }
  if (message === 1) {
    d.print(`, receipt number ${little(at + next)}`);
    next += 2;
  } else if (message === 2) {
    d.print(`, forwarding address ${d.mac(at + next)}`);
    next += 6;
  }
  d.print(`, data (${Math.max(0, length - next)} octets)`);
}
