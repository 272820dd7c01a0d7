/**
 * Packets that come in.
 *
 * @module
 */

import type { IcmpBody, Packet, TcpBody } from "./ast.ts";
import type { Connection, MapOptions } from "./connection.ts";
import { FIN, PSH, SYN } from "./flags.ts";
import { patternBytes } from "./pattern.ts";
import {
  encodeIcmp,
  encodeTcp,
  encodeUdp,
  type Flow,
  IP_HEADER,
  PROTOCOL,
  quote,
  type Segment,
  TCP_HEADER,
} from "./wire.ts";
import { encodeOptions } from "./wire_options.ts";
import { ScriptError } from "./errors.ts";

/** How packets are built. */
export interface InjectOptions extends MapOptions {
  readonly localIp: string;
  readonly remoteIp: string;
  readonly mtu: number;
  /** Segment size of packets larger than the MTU, 0 for what fits. */
  readonly mss: number;
}

/** The packets of a line: one, unless it is larger than the MTU. */
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
  if (body.kind === "udp") return [encodeUdp(flow, patternBytes(0, body.length), ip)];
  if (body.kind === "icmp") return [buildIcmp(body, flow, connection, packet)];
  const segment = buildSegment(body, connection, options);
  return cut(segment, options).map((piece) => encodeTcp(flow, piece, ip));
}

function buildSegment(body: TcpBody, connection: Connection, options: InjectOptions): Segment {
  const segment = connection.toWire(body, options);
  const bytes = encodeOptions(segment.options);
  if (bytes.length % 4 !== 0 || bytes.length > 40) {
    throw new ScriptError(`${bytes.length} bytes of options: they must fill words, at most ten`);
  }
  return segment;
}

/**
 * A device that coalesces would hand in one large packet; this stack's devices do not, so it comes
 * as the segments it was made of, all at once.
 */
function cut(segment: Segment, { mtu, mss }: InjectOptions): Segment[] {
  const room = mtu - IP_HEADER - TCP_HEADER - encodeOptions(segment.options).length;
  if (segment.data.length <= room) return [segment];
  const size = Math.max(1, Math.min(mss || room, room));
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
