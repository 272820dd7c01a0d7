/**
 * Valid frames of every kind that a host may get, most of them about what the target has open right
 * now: its live connections with their present sequence numbers, its ports and groups.
 *
 * @module
 */

import { IpProto } from "../../assembly/abi/proto.ts";
import { Th } from "../../assembly/abi/tcp.ts";
import { TcpCorpus } from "./corpus_tcp.ts";
import * as packets from "./packets.ts";
import type { Bytes } from "./packets.ts";
import type { Random } from "./random.ts";
import { BROADCAST_MAC, type Sender } from "./sender.ts";
import {
  GROUP,
  PEERS,
  PORT_GROUP,
  PORT_UDP,
  PROTOCOL_RAW,
  type Station,
  TARGET,
} from "./stations.ts";
import type { Target } from "./target.ts";

const NOBODY: Station = { mac: new Uint8Array(6), ip: 0 };
const ALL_HOSTS = 0xe0000001;
/** How many messages of late are kept. */
const RECENT = 200;

/** Makes frames for one target. */
export class Corpus {
  readonly #target: Target;
  readonly #random: Random;
  readonly #sender: Sender;
  readonly #tcp: TcpCorpus;
  /** Messages of late. */
  readonly #recent: Bytes[][] = [];

  constructor(target: Target) {
    this.#target = target;
    this.#random = target.random;
    this.#sender = target.sender;
    this.#tcp = new TcpCorpus(target);
  }

  /** One message: a frame, or several if it comes in fragments. */
  next(): Bytes[] {
    const random = this.#random;
    // What was right a moment ago comes again: its connection may be closing, or gone.
    if (random.oneIn(20) && this.#recent.length > 0) return random.pick(this.#recent);
    const message = this.#new();
    const place = this.#recent.length < RECENT ? this.#recent.length : random.below(RECENT);
    this.#recent[place] = message;
    return message;
  }

  #new(): Bytes[] {
    const random = this.#random;
    const choice = random.below(100);
    if (choice < 58) return [this.#tcp.segment()];
    if (choice < 66) return [this.#tcp.stray()];
    if (choice < 71) return [this.#arp()];
    if (choice < 79) return [this.#icmpError()];
    if (choice < 84) return [this.#icmpOther()];
    if (choice < 88) return [this.#igmp()];
    if (choice < 95) return [this.#udp()];
    if (choice < 98) return [this.#other()];
    return this.#fragments();
  }

  /** Very many frames of one kind: what limits and full buffers are there for. */
  flood(count: number): Bytes[] {
    const random = this.#random;
    const [peer] = PEERS;
    const repeat = (make: (i: number) => Bytes) => Array.from({ length: count }, (_, i) => make(i));
    const kilobyte = new Uint8Array(1000);
    switch (random.below(5)) {
      case 0:
        return repeat((i) =>
          this.#sender.fromPeer(peer, packets.ICMP, packets.icmp(8, 0, i, Uint8Array.of(1)))
        );
      case 1:
        return repeat(() => this.#sender.fromPeer(peer, PROTOCOL_RAW, kilobyte));
      case 2:
        return repeat(() =>
          this.#sender.fromPeer(peer, packets.UDP, packets.udp(7, PORT_UDP, kilobyte))
        );
      case 3:
        return this.#tcp.ahead(count);
      default:
        return this.#tinyFragments(peer);
    }
  }

  /** More fragments than a datagram may come in. */
  #tinyFragments(peer: Station): Bytes[] {
    const datagram = packets.udp(7, PORT_UDP, new Uint8Array(1400));
    const fields = { src: peer.ip, dst: TARGET.ip, protocol: packets.UDP, id: this.#random.u32() };
    return packets.fragments(packets.ip4(fields, datagram), 8).map((packet) =>
      packets.ether(TARGET.mac, peer.mac, packets.ETHERTYPE_IP, packet)
    );
  }

  #arp(): Bytes {
    const random = this.#random;
    const peer = this.#sender.peer();
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
        return frame(
          BROADCAST_MAC,
          packets.arp(1, peer, { ...NOBODY, ip: this.#sender.peer().ip }),
        );
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
    const peer = this.#sender.peer();
    const live = this.#tcp.connections();
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
    const fields = { src: TARGET.ip, dst, protocol, options: this.#sender.options() };
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
    return this.#sender.ip(peer, packets.ICMP, packets.icmp(type, code, rest, quote));
  }

  #icmpOther(): Bytes {
    const random = this.#random;
    const type = random.pick([8, 8, 8, 0, 13, 17, 10, 9, random.below(256)]);
    const data = random.bytes(random.pick([0, 1, 56, 1400]));
    const message = packets.icmp(type, 0, random.u32(), data);
    if (random.oneIn(8)) return this.#sender.ipToAll(0x0a0000ff, packets.ICMP, message);
    return this.#sender.ip(this.#sender.peer(), packets.ICMP, message);
  }

  #igmp(): Bytes {
    const random = this.#random;
    const group = random.pick([0, GROUP, ALL_HOSTS, 0xef010203]);
    const type = random.pick([0x11, 0x11, 0x12, 0x16, 0x17, 0x22]);
    const message = packets.igmp(type, random.pick([0, 1, 100, 255]), group);
    const dst = type === 0x11 && group === 0 ? ALL_HOSTS : group || ALL_HOSTS;
    return this.#sender.ipToAll(dst, packets.IGMP, message);
  }

  #udp(): Bytes {
    const random = this.#random;
    const data = random.bytes(random.pick([0, 1, 100, 1472]));
    const port = random.pick([PORT_UDP, PORT_UDP, PORT_GROUP, 9, random.below(65536)]);
    const datagram = packets.udp(random.below(65536), port, data);
    if (random.oneIn(5)) return this.#sender.ipToAll(GROUP, packets.UDP, datagram, 255);
    if (random.oneIn(6)) return this.#sender.ipToAll(0xffffffff, packets.UDP, datagram);
    return this.#sender.ip(this.#sender.peer(), packets.UDP, datagram);
  }

  /** Protocols that a raw socket takes or nobody knows, other hosts' packets, other ethertypes. */
  #other(): Bytes {
    const random = this.#random;
    const peer = this.#sender.peer();
    const data = random.bytes(random.below(100));
    switch (random.below(4)) {
      case 0:
        return this.#sender.ip(peer, PROTOCOL_RAW, data);
      case 1:
        return this.#sender.ip(peer, random.pick([IpProto.IP, 4, 41, 47, 50, 132, 255]), data);
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
    const peer = this.#sender.peer();
    const data = random.bytes(random.pick([64, 600, 3000, 6000]));
    const [protocol, message] = random.pick([
      [packets.UDP, packets.udp(7, PORT_UDP, data)],
      [packets.ICMP, packets.icmp(8, 0, 1, data)],
      [PROTOCOL_RAW, data],
    ] as [number, Bytes][]);
    const id = random.below(random.oneIn(2) ? 4 : 65536);
    const options = this.#sender.options();
    const packet = packets.ip4({ src: peer.ip, dst: TARGET.ip, protocol, id, options }, message);
    const size = 8 * random.between(random.oneIn(20) ? 1 : 40, 180);
    const pieces = packets.fragments(packet, Math.max(size, (data.length >>> 10) * 8));
    if (random.oneIn(4)) pieces.push(...packets.fragments(packet, size + 8).slice(0, 5));
    if (random.oneIn(3)) pieces.splice(random.below(pieces.length), 1);
    if (random.oneIn(3)) pieces.reverse();
    return pieces.map((piece) => packets.ether(TARGET.mac, peer.mac, packets.ETHERTYPE_IP, piece));
  }
}
