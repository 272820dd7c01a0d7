/**
 * ICMP (RFC 792, RFC 1191, RFC 1812).
 *
 * @module
 */

import { type Dissection, sumWanted } from "./dissection.ts";
import { printIp4 } from "./ip4.ts";
import type { IpPacket } from "./payload.ts";

const ECHO_REPLY = 0, UNREACHABLE = 3, QUENCH = 4, REDIRECT = 5, ECHO = 8, ADVERTISEMENT = 9;
const SOLICITATION = 10, TIME_EXCEEDED = 11, PROBLEM = 12, TIMESTAMP = 13, TIMESTAMP_REPLY = 14;
const MASK = 17, MASK_REPLY = 18;
const NAMES: Readonly<Record<number, string>> = {
  [ECHO_REPLY]: "echo reply",
  [UNREACHABLE]: "unreachable",
  [QUENCH]: "source quench",
  [REDIRECT]: "redirect",
  [ECHO]: "echo request",
  [ADVERTISEMENT]: "router advertisement",
  [SOLICITATION]: "router solicitation",
  [TIME_EXCEEDED]: "time exceeded",
  [PROBLEM]: "parameter problem",
  [TIMESTAMP]: "time stamp request",
  [TIMESTAMP_REPLY]: "time stamp reply",
  15: "information request",
  16: "information reply",
  [MASK]: "address mask request",
  [MASK_REPLY]: "address mask reply",
};
/** Reasons for which a host cannot be reached (RFC 792, RFC 1122, RFC 1812). */
const UNREACHABLE_CODES: Readonly<Record<number, string>> = {
  5: "DST unreachable - source route failed",
  6: "net DST unreachable - unknown",
  7: "host DST unreachable - unknown",
  8: "DST unreachable - source host isolated",
  9: "net DST unreachable - admin prohibited",
  10: "host DST unreachable - admin prohibited",
  11: "net DST unreachable - tos prohibited",
  12: "host DST unreachable - tos prohibited",
  13: "host DST unreachable - admin prohibited filter",
  14: "host DST unreachable - host precedence violation",
  15: "host DST unreachable - precedence cutoff",
};
const REDIRECTS = [" DST to net", " DST to host", "-tos DST to net", "-tos DST to host"] as const;
/** Messages that carry the beginning of the packet that they are about. */
const ERRORS = [UNREACHABLE, QUENCH, REDIRECT, TIME_EXCEEDED, PROBLEM];
const HEADER_BYTES = 8;

/** Tells a message of `length` bytes. */
export function printIcmp(d: Dissection, packet: IpPacket, at: number, length: number): void {
  d.protocol = "icmp";
  const [type, code] = [d.u8(at), d.u8(at + 1)];
  d.need(at, 4);
  const text = messageText(d, type, code, at);
  d.print(`ICMP ${text}, length ${length}`);
  if (d.verbose > 0 && !packet.fragment && d.has(at, length)) {
    const sum = d.sum(at, length);
    const there = d.u16(at + 2);
    if (sum !== 0) {
      d.print(
        ` (wrong icmp cksum ${there.toString(16)} (->${sumWanted(there, sum).toString(16)})!)`,
      );
    }
  }
  if (d.verbose > 0 && ERRORS.includes(type)) {
    d.print("\n\t");
    const outer = d.limit;
    printIp4(d, at + HEADER_BYTES, d.u16(at + HEADER_BYTES + 2));
    d.limit = outer;
  }
}

function messageText(d: Dissection, type: number, code: number, at: number): string {
  switch (type) {
    case ECHO:
    case ECHO_REPLY:
      return `${NAMES[type]}, id ${d.u16(at + 4)}, seq ${d.u16(at + 6)}`;
    case UNREACHABLE:
      return unreachableText(d, code, at);
    case REDIRECT: {
      const what = (REDIRECTS[code] ?? `-#${code} DST to`).replace(
        "DST",
        d.ip4(at + HEADER_BYTES + 16),
      );
      return `redirect${what} ${d.ip4(at + 4)}`;
    }
    case TIME_EXCEEDED:
      d.need(at, HEADER_BYTES + 20);
      return ["time exceeded in-transit", "ip reassembly time exceeded"][code] ??
        `time exceeded-#${code}`;
    case PROBLEM:
      if (code !== 0) return `parameter problem - code ${code}`;
      return `parameter problem - octet ${d.u8(at + 4)}`;
    case ADVERTISEMENT:
      return advertisementText(d, at);
    case MASK_REPLY:
      return `address mask is 0x${d.u32(at + 8).toString(16).padStart(8, "0")}`;
    case TIMESTAMP:
      return `time stamp query id ${d.u16(at + 4)} seq ${d.u16(at + 6)}`;
    case TIMESTAMP_REPLY:
      return `time stamp reply id ${d.u16(at + 4)} seq ${d.u16(at + 6)}: ` +
        `org ${day(d.u32(at + 8))}, recv ${day(d.u32(at + 12))}, xmit ${day(d.u32(at + 16))}`;
  }
  return NAMES[type] ?? `type-#${type}`;
}

/** What could not be reached is in the packet that comes back. */
function unreachableText(d: Dissection, code: number, at: number): string {
  const inner = at + HEADER_BYTES;
  const dst = () => d.ip4(inner + 16);
  switch (code) {
    case 0:
      return `net ${dst()} unreachable`;
    case 1:
      return `host ${dst()} unreachable`;
    case 2:
      return `${dst()} protocol ${d.u8(inner + 9)} unreachable`;
    case 3: {
      const protocol = d.u8(inner + 9);
      const port = d.u16(inner + (d.u8(inner) & 15) * 4 + 2);
      if (protocol === 6) return `${dst()} tcp port ${port} unreachable`;
      if (protocol === 17) return `${dst()} udp port ${port} unreachable`;
      return `${dst()} protocol ${protocol} port ${port} unreachable`;
    }
    case 4: {
      // RFC 1191, section 4
      const mtu = d.u16(at + 6);
      return `${dst()} unreachable - need to frag${mtu !== 0 ? ` (mtu ${mtu})` : ""}`;
    }
  }
  const name = UNREACHABLE_CODES[code];
  if (name === undefined) return `${dst()} unreachable - #${code}`;
  return name.replace("DST", dst());
}

/** RFC 1256. */
function advertisementText(d: Dissection, at: number): string {
  const [count, words, lifetime_s] = [d.u8(at + 4), d.u8(at + 5), d.u16(at + 6)];
  const life = lifetime_s < 60
    ? `${lifetime_s}`
    : lifetime_s < 3600
    ? `${Math.floor(lifetime_s / 60)}:${two(lifetime_s % 60)}`
    : `${Math.floor(lifetime_s / 3600)}:${two(Math.floor(lifetime_s / 60) % 60)}:${
      two(lifetime_s % 60)
    }`;
  let text = `router advertisement lifetime ${life} ${count}:`;
  if (words !== 2) return `${text} [size ${words}]`;
  for (let i = 0; i < count; i++) {
    const entry = at + HEADER_BYTES + 8 * i;
    text += ` {${d.ip4(entry)} ${d.u32(entry + 4)}}`;
  }
  return text;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** Milliseconds since midnight. */
function day(time_ms: number): string {
  const seconds = Math.floor(time_ms / 1000);
  const clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map((v) => two(Math.floor(v)));
  return `${clock.join(":")}.${String(time_ms % 1000).padStart(3, "0")}`;
}
