/**
 * One interface without link headers, 10.0.0.1/24, whose other end is the test: packets made and
 * read in plain TypeScript.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { Iff, Medium, Sioc } from "../../../assembly/abi/ifnet.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import * as layout from "../../../runtime/wasm/layout.gen.ts";
import { Kernel } from "../socket/kernel.ts";

/** Our end and the other. */
export const HERE = "10.0.0.1";
export const THERE = "10.0.0.2";

/** An address as a number in host order. */
export function ip(text: string): number {
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function bytes(text: string): number[] {
  return text.split(".").map(Number);
}

/** The Internet checksum of bytes (RFC 1071), 16 bits. */
export function checksum(data: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < data.length; i += 2) sum += (data[i] << 8) | (data[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An IPv4 packet. */
export interface Packet {
  src?: string;
  dst?: string;
  protocol?: number;
  ttl?: number;
  tos?: number;
  body: ArrayLike<number>;
}

/** Bytes of an IPv4 packet with a right header. */
export function packet(
  { src = THERE, dst = HERE, protocol = IpProto.UDP, ttl = 64, tos = 0, body }: Packet,
): Uint8Array {
  const total = 20 + body.length;
  const h = [0x45, tos, total >> 8, total & 255, 0, 7, 0, 0, ttl, protocol, 0, 0];
  h.push(...bytes(src), ...bytes(dst));
  const sum = checksum(h);
  h[10] = sum >> 8;
  h[11] = sum & 255;
  return Uint8Array.from([...h, ...Array.from(body)]);
}

/** Bytes of a UDP datagram; `length` and `sum` stand in for the right ones. */
export function datagram(
  { src = THERE, dst = HERE, sport, dport, data, length, sum }: {
    src?: string;
    dst?: string;
    sport: number;
    dport: number;
    data: string | Uint8Array;
    length?: number;
    sum?: number;
  },
): Uint8Array {
  const payload = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const len = length ?? payload.length + 8;
  const head = [sport >> 8, sport & 255, dport >> 8, dport & 255, len >> 8, len & 255, 0, 0];
  const pseudo = [...bytes(src), ...bytes(dst), 0, 17, len >> 8, len & 255];
  const right = checksum([...pseudo, ...head, ...payload]) || 0xffff;
  head[6] = (sum ?? right) >> 8;
  head[7] = (sum ?? right) & 255;
  return Uint8Array.from([...head, ...payload]);
}

/** A packet read. */
export interface Read {
  readonly src: string;
  readonly dst: string;
  readonly protocol: number;
  readonly ttl: number;
  readonly tos: number;
  readonly body: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Reads a packet and checks its header and, for UDP, its checksum. */
export function read(data: Uint8Array): Read {
  assertEquals(data[0], 0x45);
  assertEquals(checksum(data.slice(0, 20)), 0, "IP header checksum");
  assertEquals((data[2] << 8) | data[3], data.length, "total length");
  const body = data.slice(20);
  if (data[9] === IpProto.UDP) {
    const pseudo = [...data.slice(12, 20), 0, 17, body[4], body[5]];
    assertEquals(checksum([...pseudo, ...body]), 0, "UDP checksum");
    assert(body[6] | body[7], "a checksum was sent");
  }
  return {
    src: data.slice(12, 16).join("."),
    dst: data.slice(16, 20).join("."),
    protocol: data[9],
    ttl: data[8],
    tos: data[1],
    body,
    bytes: data,
  };
}

/** A kernel with the interface. */
export class Wire {
  private constructor(readonly k: Kernel, readonly ifindex: number) {}

  static async attach(): Promise<Wire> {
    const k = await Kernel.boot();
    const cfg = k.place();
    k.memory.fill(0, cfg, cfg + layout.IfConfig.size);
    k.memory.set(new TextEncoder().encode("t0"), cfg + layout.IfConfig.name0);
    k.view.setUint32(cfg + layout.IfConfig.medium, Medium.IP, true);
    k.view.setUint32(cfg + layout.IfConfig.mtu, 1500, true);
    k.view.setUint32(cfg + layout.IfConfig.flags, Iff.BROADCAST | Iff.MULTICAST, true);
    const ifindex = k.call("if_attach", cfg);
    assert(ifindex > 0, `if_attach: ${ifindex}`);
    const wire = new Wire(k, ifindex);
    wire.#address(HERE, "255.255.255.0");
    wire.sent();
    return wire;
  }

  #address(addr: string, mask: string): void {
    const req = this.k.engine.scratch + 3072;
    this.k.memory.fill(0, req, req + layout.IfReq.size);
    this.k.view.setUint32(req + layout.IfReq.ifindex, this.ifindex, true);
    this.k.view.setUint32(req + layout.IfReq.addr, ip(addr), true);
    this.k.view.setUint32(req + layout.IfReq.mask, ip(mask), true);
    assertEquals(this.k.call("if_ioctl", Sioc.AIFADDR, req, layout.IfReq.size), 0);
  }

  /** Hands a packet in and answers its fate. */
  input(data: Uint8Array): number {
    const k = this.k;
    assertEquals(k.call("if_rx_prepare", this.ifindex, 1), 1);
    const ring = k.view.getUint32(
      k.call("if_ptr", this.ifindex) + layout.Ifnet.rxdesc,
      true,
    );
    k.memory.set(data, k.view.getUint32(ring, true));
    k.view.setUint32(ring + 4, data.length, true);
    k.call("if_input", this.ifindex, 1, k.now);
    return k.call("last_fate");
  }

  /** Hands a UDP datagram in and answers its fate. */
  udp(d: Parameters<typeof datagram>[0]): number {
    return this.input(packet({ src: d.src, dst: d.dst, body: datagram(d) }));
  }

  /** Takes the packets that were sent since the last call. */
  sent(): Read[] {
    const k = this.k;
    k.settle();
    const n = k.call("if_tx_prepare", this.ifindex, 64);
    const ring = k.view.getUint32(
      k.call("if_ptr", this.ifindex) + layout.Ifnet.txdesc,
      true,
    );
    const frames = Array.from({ length: n }, (_, i) => {
      const at = k.view.getUint32(ring + i * 8, true);
      return k.memory.slice(at, at + k.view.getUint32(ring + i * 8 + 4, true));
    });
    k.call("if_txdone", this.ifindex, n);
    return frames.map((frame) => frame[0] === 0x45 ? read(frame) : read45(frame));
  }

  /** Closes sockets and checks that nothing is left, with the interface gone. */
  end(...sockets: number[]): void {
    for (const so of sockets) this.k.call("so_close", so);
    this.sent();
    assertEquals(this.k.call("if_detach", this.ifindex), 0);
    this.k.end();
  }
}

/** A packet with IP options (IGMP's router alert): taken as it is. */
function read45(data: Uint8Array): Read {
  const hlen = (data[0] & 15) * 4;
  assertEquals(checksum(data.slice(0, hlen)), 0, "IP header checksum");
  return {
    src: data.slice(12, 16).join("."),
    dst: data.slice(16, 20).join("."),
    protocol: data[9],
    ttl: data[8],
    tos: data[1],
    body: data.slice(hlen),
    bytes: data,
  };
}
