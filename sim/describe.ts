/**
 * Frames in words, for those who read what happened in a world.
 *
 * @module
 */

import type { Medium } from "../runtime/device/driver.ts";
import { ETHERNET_BYTES, ipv4At } from "./frame.ts";

const FLAGS = "FSRPAUEC";
const PROTOCOLS: Readonly<Record<number, string>> = { 1: "ICMP", 2: "IGMP", 17: "UDP" };
const ECN = ["", " ECT1", " ECT0", " CE"];

function address(frame: Uint8Array, at: number): string {
  return frame.subarray(at, at + 4).join(".");
}

/** One line that tells what a frame is. */
export function describeFrame(frame: Uint8Array, medium: Medium): string {
  const at = ipv4At(frame, medium);
  if (at < 0) return describeOther(frame, medium);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const total = view.getUint16(at + 2);
  const fragment = view.getUint16(at + 6);
  const head = (frame[at] & 15) * 4;
  const [from, to] = [address(frame, at + 12), address(frame, at + 16)];
  const ecn = ECN[frame[at + 1] & 3];
  const tail = `${ecn}${fragment & 0x4000 ? "" : " no-DF"} ttl ${frame[at + 8]}`;
  const protocol = frame[at + 9];
  const rest = at + head;
  if (fragment & 0x3fff) {
    const offset = (fragment & 0x1fff) * 8;
    return `${from} > ${to} fragment ${offset}+${total - head} of ${protocol}${tail}`;
  }
  if (protocol !== 6 || frame.length < rest + 20) {
    const type = protocol === 1 ? ` type ${frame[rest]} code ${frame[rest + 1]}` : "";
    const name = PROTOCOLS[protocol] ?? `protocol ${protocol}`;
    return `${from} > ${to} ${name}${type} (${total - head})${tail}`;
  }
  const flags = [...FLAGS].filter((_, bit) => frame[rest + 13] & 1 << bit).join("");
  const length = total - head - (frame[rest + 12] >> 4) * 4;
  const [sport, dport] = [view.getUint16(rest), view.getUint16(rest + 2)];
  const sequence = view.getUint32(rest + 4);
  const ack = view.getUint32(rest + 8);
  return `${from}:${sport} > ${to}:${dport} ${flags} ${sequence}:${sequence + length}` +
    `(${length}) ack ${ack} win ${view.getUint16(rest + 14)}${tail}`;
}

function describeOther(frame: Uint8Array, medium: Medium): string {
  if (medium === "ethernet" && frame[12] === 8 && frame[13] === 6) {
    const asks = frame[ETHERNET_BYTES + 7] === 1;
    const [from, to] = [address(frame, ETHERNET_BYTES + 14), address(frame, ETHERNET_BYTES + 24)];
    return `ARP ${from} ${asks ? "asks for" : "answers"} ${to}`;
  }
  return `${frame.length} bytes of something`;
}
