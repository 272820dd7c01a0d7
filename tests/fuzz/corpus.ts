/**
 * Valid frames of every kind that a host may get, most of them about what the target has open right
 * now: its live connections with their present sequence numbers, its ports and groups.
 *
 * @module
 */

import { IpProto } from "../../assembly/abi/proto.ts";
import { Th } from "../../assembly/abi/tcp.ts";
import * as packets from "./packets.ts";
import type { Bytes } from "./packets.ts";
import type { Random } from "./random.ts";
import {
  GROUP,
  PEERS,
  PORT_FULL,
  PORT_GROUP,
  PORT_TCP,
  PORT_UDP,
  PROTOCOL_RAW,
  type Station,
  TARGET,
  type Target,
} from "./target.ts";

const BROADCAST_MAC = Uint8Array.of(255, 255, 255, 255, 255, 255);
const NOBODY: Station = { mac: new Uint8Array(6), ip: 0 };
const ALL_HOSTS = 0xe0000001;
/** How many messages of late are kept. */
const RECENT = 200;

/** Options of IPv4: end, no operation, router alert, record route, timestamp, source routes. */
const IP_OPTIONS: readonly Uint8Array[] = [
  Uint8Array.of(0),
  Uint8Array.of(1, 1, 1, 1),
  Uint8Array.of(148, 4, 0, 0),
  Uint8Array.of(7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0),
  Uint8Array.of(68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  Uint8Array.of(131, 7, 4, 10, 0, 0, 1),
  Uint8Array.of(137, 7, 8, 10, 0, 0, 1),
  new Uint8Array(40).fill(1),
];

/** Makes frames for one target. */
export class Corpus {
  readonly #target: Target;
  readonly #random: Random;
  /** Messages of late. */
  readonly #recent: Bytes[][] = [];

  constructor(target: Target) {
    this.#target = target;
    this.#random = target.random;
  }

  /** One message: a frame, or several if it comes in fragments. */
  next(): Bytes[] {
    const random = this.#random;
    // What was right a moment ago comes again: its connection may be closing, or gone.
    if (random.oneIn(20) && this.#recent.length > 0) return random.pick(this.#recent);
    const message = this.#new();
    this.#recent[this.#recent.length < RECENT ? this.#recent.length : random.below(RECENT)] =
      message;
    return message;
  }

  #new(): Bytes[] {
    const random = this.#random;
    const choice = random.below(100);
    if (choice < 58) return [this.#tcpLive()];
    if (choice < 66) return [this.#tcpStray()];
    if (choice < 71) return [this.#arp()];
    if (choice < 79) return [this.#icmpError()];
    if (choice < 84) return [this.#icmpOther()];
    if (choice < 88) return [this.#igmp()];
    if (choice < 95) return [this.#udp()];
    if (choice < 98) return [this.#other()];
    return this.#fragments();
  }

  /** Very many frames of one kind, from echo requests to segments far ahead. */
  flood(count: number): Bytes[] {
    const random = this.#random;
    const [peer] = PEERS;
    const live = this.#live();
    const frames: Bytes[] = [];
    const kind = random.below(5);
    if (kind === 4) return this.#tinyFragments(peer);
    const target = live.length > 0 ? random.pick(live) : undefined;
    const next = target ? this.#target.inspect.tcb(target.so, "rcv_nxt") : 0;
    for (let i = 0; i < count; i++) {
      if (kind === 0) {
        const echo = packets.icmp(8, 0, i, Uint8Array.of(1));
        frames.push(this.#target.fromPeer(peer, packets.ICMP, echo));
      } else if (kind === 1) {
        frames.push(this.#target.fromPeer(peer, PROTOCOL_RAW, new Uint8Array(1000)));
      } else if (kind === 2 || target === undefined) {
        const datagram = packets.udp(7, PORT_UDP, new Uint8Array(1000));
        frames.push(this.#target.fromPeer(peer, packets.UDP, datagram));
      } else {
        const { so, lport: dport, fport: sport, faddr } = target;
        const ack = this.#target.inspect.tcb(so, "snd_una");
        const options = this.#tcpOptions(so, ack, ack);
        const payload = Uint8Array.of(1);
        const fields = {
          sport,
          dport,
          seq: next + 5 + 3 * i,
          ack,
          flags: Th.ACK,
          options,
          payload,
        };
        frames.push(this.#ip({ ...peer, ip: faddr }, packets.TCP, packets.tcp(fields)));
      }
    }
    return frames;
  }

  /** More fragments than a datagram may come in. */
  #tinyFragments(peer: Station): Bytes[] {
    const datagram = packets.udp(7, PORT_UDP, new Uint8Array(1400));
    const fields = { src: peer.ip, dst: TARGET.ip, protocol: packets.UDP, id: this.#random.u32() };
    return packets.fragments(packets.ip4(fields, datagram), 8).map((packet) =>
      packets.ether(TARGET.mac, peer.mac, packets.ETHERTYPE_IP, packet)
    );
  }

  /** The connections that have a peer. */
  #live() {
    return this.#target.connections().map((so) => ({ so, ...this.#target.inpcb(so) }))
      .filter(({ fport }) => fport !== 0);
  }

  #peer(): Station {
    return this.#random.pick(PEERS);
  }

  #options(): Uint8Array | undefined {
    return this.#random.oneIn(12) ? this.#random.pick(IP_OPTIONS) : undefined;
  }

  #ip(peer: Station, protocol: number, payload: Uint8Array): Bytes {
    return this.#target.fromPeer(peer, protocol, payload, this.#options());
  }

  /** To a group or a broadcast address. */
  #ipToAll(dst: number, protocol: number, payload: Uint8Array, ttl = 1): Bytes {
    const peer = this.#peer();
    const mac = dst >>> 28 === 14
      ? Uint8Array.of(1, 0, 0x5e, (dst >>> 16) & 127, dst >>> 8, dst)
      : BROADCAST_MAC;
    const options = this.#options();
    const packet = packets.ip4({ src: peer.ip, dst, protocol, ttl, options }, payload);
    return packets.ether(mac, peer.mac, packets.ETHERTYPE_IP, packet);
  }

  /** A segment of a connection that is open, near what the target expects. */
  #tcpLive(): Bytes {
    const random = this.#random;
    const target = this.#target;
    const live = this.#live();
    if (live.length === 0) return this.#tcpStray();
    const { so, lport, fport, faddr } = random.pick(live);
    const [una, max] = [target.inspect.tcb(so, "snd_una"), target.inspect.tcb(so, "snd_max")];
    const expected = target.inspect.tcb(so, "rcv_nxt");
    const payload = random.oneIn(2) ? random.bytes(random.pick([1, 10, 536, 1400])) : undefined;
    const segment = packets.tcp({
      sport: fport,
      dport: lport,
      seq: expected + this.#seqError(),
      ack: una + random.below(((max - una) >>> 0) + 1) + (random.oneIn(20) ? random.u32() : 0),
      flags: this.#flags(),
      window: random.edge(16),
      urgent: random.oneIn(8) ? random.edge(16) : 0,
      options: this.#tcpOptions(so, una, max),
      payload,
    });
    const peer = PEERS.find(({ ip }) => ip === faddr) ?? this.#peer();
    return this.#ip({ ...peer, ip: faddr }, packets.TCP, segment);
  }

  /** Mostly none; else out of order, old, or anywhere. */
  #seqError(): number {
    const random = this.#random;
    switch (random.below(8)) {
      case 0:
        return random.between(1, 5000);
      case 1:
        return -random.between(1, 3000);
      case 2:
        return random.oneIn(4) ? random.u32() : 0;
      default:
        return 0;
    }
  }

  #flags(): number {
    const random = this.#random;
    switch (random.below(20)) {
      case 0:
        return Th.RST;
      case 1:
        return Th.RST | Th.ACK;
      case 2:
        return Th.SYN | (random.oneIn(2) ? Th.ACK : 0);
      case 3:
        return Th.FIN | Th.ACK;
      case 4:
        return Th.URG | Th.ACK;
      case 5:
        return random.below(256);
      default:
        return Th.ACK | (random.oneIn(2) ? Th.PUSH : 0);
    }
  }

  /** Timestamps if they were agreed on, and now and then SACK blocks or a list of anything. */
  #tcpOptions(so: number, una: number, max: number): Bytes {
    const random = this.#random;
    const { inspect } = this.#target;
    const parts: Uint8Array[] = [];
    // Without timestamps there is no recent one.
    if (inspect.tcb(so, "ts_recent") !== 0 && !random.oneIn(10)) {
      const stamp = Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0);
      const drift = random.oneIn(10) ? -random.below(1000) : random.below(3);
      packets.put32(stamp, 4, inspect.tcb(so, "ts_recent") + drift);
      packets.put32(stamp, 8, inspect.tcb(so, "ts_offset"));
      parts.push(stamp);
    }
    if (random.oneIn(5)) {
      const blocks = random.between(1, parts.length > 0 ? 3 : 4);
      const sack = new Uint8Array(4 + 8 * blocks);
      sack.set([1, 1, 5, 2 + 8 * blocks]);
      for (let i = 0; i < blocks; i++) {
        const from = una + random.below(((max - una) >>> 0) + 2);
        packets.put32(sack, 4 + 8 * i, from);
        packets.put32(sack, 8 + 8 * i, from + random.below(3000));
      }
      parts.push(sack);
    } else if (random.oneIn(10)) parts.push(random.bytes(random.between(1, 24)));
    return packets.concat(...parts).subarray(0, 40);
  }

  /** Segments that belong to no connection: SYNs to listeners, and what a scan sends. */
  #tcpStray(): Bytes {
    const random = this.#random;
    const dport = random.pick([PORT_TCP, PORT_TCP, PORT_FULL, 82, 0, random.below(65536)]);
    const flags = random.oneIn(2) ? Th.SYN : random.below(64);
    const segment = packets.tcp({
      sport: random.oneIn(4) ? random.between(1, 8) : random.below(65536),
      dport,
      seq: random.u32(),
      ack: flags & Th.ACK ? random.u32() : 0,
      flags,
      options: random.oneIn(2) ? Uint8Array.of(2, 4, 5, 180, 4, 2, 3, 3, 2) : undefined,
      payload: random.oneIn(8) ? random.bytes(20) : undefined,
    });
    if (random.oneIn(10)) return this.#ipToAll(0x0a0000ff, packets.TCP, segment);
    return this.#ip(this.#peer(), packets.TCP, segment);
  }

  #arp(): Bytes {
    const random = this.#random;
    const peer = this.#peer();
    const frame = (dst: Uint8Array, message: Bytes) =>
      packets.ether(dst, peer.mac, packets.ETHERTYPE_ARP, message);
    switch (random.below(6)) {
      case 0:
        return frame(TARGET.mac, packets.arp(2, peer, TARGET));
      case 1:
        return frame(BROADCAST_MAC, packets.arp(1, peer, { mac: NOBODY.mac, ip: peer.ip }));
      case 2:
        return frame(BROADCAST_MAC, packets.arp(1, { ...peer, ip: 0 }, { ...NOBODY, ...TARGET }));
      case 3:
        return frame(BROADCAST_MAC, packets.arp(1, peer, { ...NOBODY, ip: this.#peer().ip }));
      case 4:
        // Now and then somebody claims the target's address.
        return frame(BROADCAST_MAC, packets.arp(2, { ...peer, ip: TARGET.ip }, TARGET));
      default:
        return frame(BROADCAST_MAC, packets.arp(1, peer, { ...NOBODY, ip: TARGET.ip }));
    }
  }

  /** What an error quotes: the beginning of a packet that the target may well have sent. */
  #quote(): { peer: Station; quote: Bytes } {
    const random = this.#random;
    const target = this.#target;
    const peer = this.#peer();
    const live = this.#live();
    let dst = peer.ip;
    let protocol = packets.UDP;
    let payload = packets.udp(random.pick([PORT_UDP, random.below(65536)]), 9, random.bytes(20));
    if (live.length > 0 && !random.oneIn(3)) {
      const { so, lport, fport, faddr } = random.pick(live);
      const una = target.inspect.tcb(so, "snd_una");
      const seq = una + (random.oneIn(4) ? random.u32() : 0);
      dst = faddr;
      protocol = packets.TCP;
      payload = packets.tcp({ sport: lport, dport: fport, seq, flags: Th.ACK });
    } else if (random.oneIn(4)) {
      protocol = packets.ICMP;
      payload = packets.icmp(8, 0, random.u32(), random.bytes(8));
    }
    const fields = { src: TARGET.ip, dst, protocol, options: this.#options() };
    const packet = packets.ip4(fields, payload);
    const header = (packet[0] & 15) * 4;
    return { peer, quote: packet.slice(0, header + random.pick([8, 8, 20, 28])) };
  }

  #icmpError(): Bytes {
    const random = this.#random;
    const { peer, quote } = this.#quote();
    const type = random.pick([3, 3, 3, 3, 4, 5, 11, 12]);
    const code = type === 3 ? random.below(17) : random.below(3);
    const rest = type === 3 && code === 4
      ? random.pick([0, 68, 576, 1400, 1492, 65535, random.below(65536)])
      : random.oneIn(2)
      ? 0
      : random.u32();
    return this.#ip(peer, packets.ICMP, packets.icmp(type, code, rest, quote));
  }

  #icmpOther(): Bytes {
    const random = this.#random;
    const type = random.pick([8, 8, 8, 0, 13, 17, 10, 9, random.below(256)]);
    const data = random.bytes(random.pick([0, 1, 56, 1400]));
    const message = packets.icmp(type, 0, random.u32(), data);
    if (random.oneIn(8)) return this.#ipToAll(0x0a0000ff, packets.ICMP, message);
    return this.#ip(this.#peer(), packets.ICMP, message);
  }

  #igmp(): Bytes {
    const random = this.#random;
    const group = random.pick([0, GROUP, ALL_HOSTS, 0xef010203]);
    const type = random.pick([0x11, 0x11, 0x12, 0x16, 0x17, 0x22]);
    const message = packets.igmp(type, random.pick([0, 1, 100, 255]), group);
    const dst = type === 0x11 && group === 0 ? ALL_HOSTS : group || ALL_HOSTS;
    return this.#ipToAll(dst, packets.IGMP, message);
  }

  #udp(): Bytes {
    const random = this.#random;
    const data = random.bytes(random.pick([0, 1, 100, 1472]));
    const port = random.pick([PORT_UDP, PORT_UDP, PORT_GROUP, 9, random.below(65536)]);
    const datagram = packets.udp(random.below(65536), port, data);
    if (random.oneIn(5)) return this.#ipToAll(GROUP, packets.UDP, datagram, 255);
    if (random.oneIn(6)) return this.#ipToAll(0xffffffff, packets.UDP, datagram);
    return this.#ip(this.#peer(), packets.UDP, datagram);
  }

  /** Protocols that a raw socket takes or nobody knows, other hosts' packets, other ethertypes. */
  #other(): Bytes {
    const random = this.#random;
    const peer = this.#peer();
    const data = random.bytes(random.below(100));
    switch (random.below(4)) {
      case 0:
        return this.#ip(peer, PROTOCOL_RAW, data);
      case 1:
        return this.#ip(peer, random.pick([IpProto.IP, 4, 41, 47, 50, 132, 255]), data);
      case 2: {
        const packet = packets.ip4({ src: peer.ip, dst: random.u32(), protocol: 17 }, data);
        return packets.ether(TARGET.mac, peer.mac, packets.ETHERTYPE_IP, packet);
      }
      default: {
        const type = random.pick([0x86dd, 0x8100, 0x88cc, 46]);
        return packets.ether(TARGET.mac, peer.mac, type, data);
      }
    }
  }

  /** A datagram, an echo request or a segment cut to pieces, in any order, not always complete. */
  #fragments(): Bytes[] {
    const random = this.#random;
    const peer = this.#peer();
    const data = random.bytes(random.pick([64, 600, 3000, 6000]));
    const [protocol, message] = random.pick([
      [packets.UDP, packets.udp(7, PORT_UDP, data)],
      [packets.ICMP, packets.icmp(8, 0, 1, data)],
      [PROTOCOL_RAW, data],
    ] as [number, Bytes][]);
    const id = random.below(random.oneIn(2) ? 4 : 65536);
    const options = this.#options();
    const packet = packets.ip4({ src: peer.ip, dst: TARGET.ip, protocol, id, options }, message);
    const size = 8 * random.between(random.oneIn(20) ? 1 : 40, 180);
    const pieces = packets.fragments(packet, Math.max(size, (data.length >>> 10) * 8));
    if (random.oneIn(4)) pieces.push(...packets.fragments(packet, size + 8).slice(0, 5));
    if (random.oneIn(3)) pieces.splice(random.below(pieces.length), 1);
    if (random.oneIn(3)) pieces.reverse();
    return pieces.map((piece) => packets.ether(TARGET.mac, peer.mac, packets.ETHERTYPE_IP, piece));
  }
}
