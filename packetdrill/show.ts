/**
 * Packets in script notation.
 *
 * @module
 */

import type { IpInfo, Packet, TcpBody, TcpOption } from "./ast.ts";
import { ACK, showFlags } from "./flags.ts";
import { showIcmp } from "./parse_icmp.ts";
import type { LivePacket, Segment } from "./wire.ts";

const ECN_NAMES = ["noecn", "ect1", "ect0", "ce"] as const;

/** A time in seconds. */
export function showTime(us: number): string {
  return (us / 1e6).toFixed(6);
}

function showOption(o: TcpOption): string {
  switch (o.kind) {
    case "mss":
    case "wscale":
      return `${o.kind} ${o.value}`;
    case "TS":
      return `TS val ${o.open ? "..." : o.val} ecr ${o.ecr}${o.wire ? "!" : ""}`;
    case "sack":
      return `sack ${o.blocks.map(([left, right]) => `${left}:${right}`).join(" ")}`;
    case "FO":
    case "FOEXP":
      return `${o.kind} ${o.cookie}`.trim();
    case "raw":
      return o.code === 19 ? `md5 ${o.bytes}` : `kind_${o.code} ${o.bytes}`.trim();
    default:
      return o.kind;
  }
}

/** A list of options, brackets and all; empty if there are none. */
export function showOptions(options: readonly TcpOption[] | "any"): string {
  if (options === "any") return " <...>";
  return options.length === 0 ? "" : ` <${options.map(showOption).join(",")}>`;
}

function showIpInfo(info: IpInfo): string {
  const parts: string[] = [];
  if (info.ecn) parts.push(info.ecn);
  if (info.dscp !== undefined) parts.push(`dscp 0x${info.dscp.toString(16)}`);
  if (info.tos !== undefined) parts.push(`tos 0x${info.tos.toString(16).padStart(2, "0")}`);
  if (info.ttl !== undefined) parts.push(`ttl ${info.ttl}`);
  return parts.length === 0 ? "" : ` [${parts.join(",")}]`;
}

/** A packet line as the parser understood it. */
export function showPacket(p: Packet): string {
  const { body } = p;
  const ports = p.ports ? ` ${p.ports[0]} > ${p.ports[1]}` : "";
  const head = (p.outbound ? ">" : "<") + showIpInfo(p.ip) + ports;
  if (body.kind === "udp") return `${head} udp (${body.length})`;
  if (body.kind === "icmp") {
    const mtu = body.mtu === undefined ? "" : ` mtu ${body.mtu}`;
    const { echoed: e } = body;
    const range = e ? ` [${e.seq}:${(e.seq + e.length) >>> 0}(${e.length})]` : "";
    return `${head} icmp ${showIcmp(body.type, body.code)}${mtu}${range}`;
  }
  return `${head} ${showSegment(body, body.length)}${showOptions(body.options)}`;
}

function showSegment(
  s: Omit<Segment, "options" | "data" | "win" | "ack"> & {
    readonly ack?: number;
    readonly win?: number;
    readonly numbering?: TcpBody["numbering"];
  },
  length: number,
): string {
  const ack = s.ack === undefined ? "" : ` ack ${s.ack}`;
  const win = s.win === undefined ? "" : ` win ${s.win}`;
  const urg = s.urg ? ` urg ${s.urg}` : "";
  const end = (s.seq + length) >>> 0;
  const range = s.numbering === "any" ? `...(${length})` : `${s.seq}:${end}(${length})`;
  const wire = s.numbering === "wire" ? "!" : "";
  return `${showFlags(s.flags)} ${range}${wire}${ack}${win}${urg}`;
}

/** A packet that the stack sent, its numbers moved into script space; with its ECN bits. */
export function showLive(p: LivePacket, tcp: Segment | undefined = p.tcp, ip: IpInfo = {}): string {
  const info = showIpInfo({
    ...(ip.ecn ? { ecn: ECN_NAMES[p.tos & 3] } : {}),
    ...(ip.tos === undefined ? {} : { tos: p.tos }),
    ...(ip.dscp === undefined ? {} : { dscp: p.tos >> 2 }),
    ...(ip.ttl === undefined ? {} : { ttl: p.ttl }),
  });
  if (tcp) {
    const shown = { ...tcp, ack: tcp.flags & ACK || tcp.ack ? tcp.ack : undefined };
    return `>${info} ${showSegment(shown, tcp.data.length)}${showOptions(tcp.options)}`;
  }
  if (p.udp) return `>${info} udp (${p.udp.data.length})`;
  if (p.icmp) return `>${info} icmp ${showIcmp(p.icmp.type, p.icmp.code)}`;
  return `>${info} protocol ${p.protocol}`;
}
