/**
 * One line about a frame, for people: who to whom, and what. Any bytes will do; what cannot be read
 * is said to be short.
 *
 * @module
 */

const ETHERNET_BYTES = 14;
const IPV4 = 0x0800;
const ARP = 0x0806;
const IPV6 = 0x86dd;
const ICMP_NAMES: Readonly<Record<number, string>> = {
  0: "echo reply",
  3: "unreachable",
  4: "source quench",
  5: "redirect",
  8: "echo request",
  11: "time exceeded",
  12: "parameter problem",
};
const IGMP_NAMES: Readonly<Record<number, string>> = {
  0x11: "query",
  0x12: "report v1",
  0x16: "report",
  0x17: "leave",
  0x22: "report v3",
};
const TCP_FLAGS = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];

/** What a frame of `medium` is about, such as `TCP 10.0.0.1:80 > 10.0.0.2:4000 [SYN]`. */
export function summarize(frame: Uint8Array, medium: "ethernet" | "ip"): string {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (medium === "ip") return ip(view, 0);
  if (frame.length < ETHERNET_BYTES) return "too short for Ethernet";
  const type = view.getUint16(12);
  if (type === ARP) return arp(view, ETHERNET_BYTES);
  if (type === IPV4 || type === IPV6) return ip(view, ETHERNET_BYTES);
  const kind = type < 1536 ? `802.3 frame of ${type} bytes` : `ethertype 0x${hex(type, 4)}`;
  return `${kind} ${mac(view, 6)} > ${mac(view, 0)}`;
}

function arp(view: DataView, at: number): string {
  if (view.byteLength < at + 28) return "ARP, short";
  const sender = quad(view, at + 14);
  const target = quad(view, at + 24);
  switch (view.getUint16(at + 6)) {
    case 1:
      return sender === target ? `ARP announce ${sender}` : `ARP who has ${target}? tell ${sender}`;
    case 2:
      return `ARP ${sender} is at ${mac(view, at + 8)}`;
  }
  return `ARP operation ${view.getUint16(at + 6)}`;
}

function ip(view: DataView, at: number): string {
  if (view.byteLength < at + 1) return "IP, short";
  const version = view.getUint8(at) >> 4;
  if (version === 6) return ip6(view, at);
  if (version !== 4) return `IP version ${version}`;
  if (view.byteLength < at + 20) return "IPv4, short";
  const header = (view.getUint8(at) & 15) * 4;
  const source = quad(view, at + 12);
  const target = quad(view, at + 16);
  const fragment = view.getUint16(at + 6);
  const offset = (fragment & 0x1fff) * 8;
  const protocol = view.getUint8(at + 9);
  if (offset > 0 || fragment & 0x2000) {
    const last = fragment & 0x2000 ? "" : ", the last";
    return `IPv4 ${source} > ${target} protocol ${protocol}, fragment at ${offset}${last}`;
  }
  // The total length leaves out the padding of short frames.
  const end = Math.min(view.byteLength, at + view.getUint16(at + 2));
  return transport(view, at + header, end, protocol, source, target);
}

function ip6(view: DataView, at: number): string {
  if (view.byteLength < at + 40) return "IPv6, short";
  return `IPv6 ${half(view, at + 8)} > ${half(view, at + 24)} next header ${view.getUint8(at + 6)}`;
}

function transport(
  view: DataView,
  at: number,
  end: number,
  protocol: number,
  source: string,
  target: string,
): string {
  const left = end - at;
  const pair = `${source} > ${target}`;
  switch (protocol) {
    case 1: {
      if (left < 8) return `ICMP ${pair}, short`;
      const type = view.getUint8(at);
      const name = ICMP_NAMES[type] ?? `type ${type}`;
      const code = type === 3 || type === 11 || type === 5 ? ` code ${view.getUint8(at + 1)}` : "";
      return `ICMP ${pair} ${name}${code}, ${left - 8} bytes`;
    }
    case 2: {
      if (left < 8) return `IGMP ${pair}, short`;
      return `IGMP ${pair} ${IGMP_NAMES[view.getUint8(at)] ?? "other"} ${quad(view, at + 4)}`;
    }
    case 6:
      return left < 20 ? `TCP ${pair}, short` : tcp(view, at, left, source, target);
    case 17: {
      if (left < 8) return `UDP ${pair}, short`;
      return `UDP ${ports(view, at, source, target)}, ${left - 8} bytes`;
    }
  }
  return `IPv4 ${pair} protocol ${protocol}, ${Math.max(0, left)} bytes`;
}

function tcp(view: DataView, at: number, left: number, source: string, target: string): string {
  const bits = view.getUint8(at + 13);
  const flags = TCP_FLAGS.filter((_, bit) => bits >> bit & 1).join(" ");
  const data = left - (view.getUint8(at + 12) >> 4) * 4;
  const ack = bits & 16 ? ` ack ${view.getUint32(at + 8)}` : "";
  const size = data > 0 ? `, ${data} bytes` : "";
  return `TCP ${ports(view, at, source, target)} [${flags}] seq ${
    view.getUint32(at + 4)
  }${ack}${size}`;
}

function ports(view: DataView, at: number, source: string, target: string): string {
  return `${source}:${view.getUint16(at)} > ${target}:${view.getUint16(at + 2)}`;
}

function quad(view: DataView, at: number): string {
  return [0, 1, 2, 3].map((i) => view.getUint8(at + i)).join(".");
}

function half(view: DataView, at: number): string {
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((i) => view.getUint16(at + i).toString(16));
  return groups.join(":").replace(/(^|:)0(:0)+(:|$)/, "::");
}

function mac(view: DataView, at: number): string {
  return [0, 1, 2, 3, 4, 5].map((i) => hex(view.getUint8(at + i), 2)).join(":");
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
