/**
 * Packets that come in.
 *
 * @module
 */

import { Limits } from "../assembly/abi/limits.ts";
import type { IcmpBody, Packet } from "./ast.ts";
import type { Connection, MapOptions } from "./connection.ts";
import { ScriptError, Unsupported } from "./errors.ts";
import { FIN, PSH, SYN } from "./flags.ts";
import { patternBytes } from "./pattern.ts";
import {
  encodeIcmp,
  encodeTcp,
  encodeUdp,
  type Flow,
  fragments,
  IP_HEADER,
  PROTOCOL,
  quote,
  type Segment,
  TCP_HEADER,
} from "./wire.ts";
import { encodeOptions } from "./wire_options.ts";

/** Longest packet that IPv4 has. */
const PACKET_BYTES = 65_535;

/** How packets are built. */
export interface InjectOptions extends MapOptions {
  readonly localIp: string;
  readonly remoteIp: string;
  readonly mtu: number;
  /** Size of the segments that large packets are made of; 0 if it does not matter. */
  readonly mss: number;
}

/** The frames of a line. */
export function buildPackets(
  packet: Packet,
  connection: Connection,
  options: InjectOptions,
): Uint8Array[] {
  const { body, ip } = packet;
  const flow: Flow = {
    src: options.remoteIp,
    dst: options.localIp,
    sport: connection.remotePort,
    dport: connection.localPort,
  };
  if (body.kind === "udp") {
    return frames(encodeUdp(flow, patternBytes(0, body.length), ip), options);
  }
  if (body.kind === "icmp") return [buildIcmp(body, flow, connection, packet)];
  const segment = connection.toWire(body, options);
  const length = IP_HEADER + TCP_HEADER + encodeOptions(segment.options).length + body.length;
  if (length > PACKET_BYTES) throw new ScriptError(`a packet of ${length} bytes is too large`);
  return cut(segment, options).flatMap((piece) => frames(encodeTcp(flow, piece, ip), options));
}

/**
 * A packet larger than the MTU stands for one that a device has put together from segments. The
 * stack's devices do not, so it comes as IP fragments, all at once: TCP sees it whole.
 */
function frames(packet: Uint8Array, { mtu }: InjectOptions): Uint8Array[] {
  if (packet.length <= mtu) return [packet];
  const pieces = fragments(packet, mtu);
  if (pieces.length <= Limits.FRAG_PER_DATAGRAM) return pieces;
  throw new Unsupported(`packets of ${pieces.length} times the MTU`);
}

/** With `--mss` a script says which segments a large packet is made of: they come all at once. */
function cut(segment: Segment, { mss }: InjectOptions): Segment[] {
  if (mss === 0 || segment.data.length <= mss) return [segment];
  const size = mss;
  const pieces: Segment[] = [];
  for (let at = 0; at < segment.data.length; at += size) {
    const last = at + size >= segment.data.length;
    const first = at === 0;
    const flags = segment.flags & ~(last ? 0 : FIN | PSH) & ~(first ? 0 : SYN);
    const skipped = first || !(segment.flags & SYN) ? 0 : 1;
    pieces.push({
      ...segment,
      flags,
      seq: (segment.seq + at + skipped) >>> 0,
      data: segment.data.subarray(at, at + size),
    });
  }
  return pieces;
}

/** A message about a packet of ours: it quotes the header and eight bytes. */
function buildIcmp(
  body: IcmpBody,
  flow: Flow,
  connection: Connection,
  packet: Packet,
): Uint8Array {
  const ours: Flow = { src: flow.dst, dst: flow.src, sport: flow.dport, dport: flow.sport };
  const { echoed } = body;
  const udp = echoed ? echoed.protocol === "udp" : connection.protocol === "udp";
  const seq = ((echoed?.seq ?? 0) + connection.localIsn) >>> 0;
  const header = udp ? 8 : TCP_HEADER;
  const length = header + (echoed?.length ?? 0);
  const quoted = quote(ours, udp ? PROTOCOL.udp : PROTOCOL.tcp, seq, length);
  const echo = body.type === 8 || body.type === 0;
  const rest = (body.id ?? 0) * 0x10000 + (body.mtu ?? 0);
  return encodeIcmp(
    flow,
    { type: body.type, code: body.code, rest },
    echo ? new Uint8Array(0) : quoted,
    packet.ip,
  );
}
