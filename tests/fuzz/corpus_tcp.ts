/**
 * Segments of TCP: about connections that the target has open right now, near their present
 * sequence numbers, and about none.
 *
 * @module
 */

import { Th } from "../../assembly/abi/tcp.ts";
import * as packets from "./packets.ts";
import type { Bytes } from "./packets.ts";
import type { Random } from "./random.ts";
import type { Sender } from "./sender.ts";
import { PEERS, PORT_FULL, PORT_TCP } from "./stations.ts";
import type { Target } from "./target.ts";

/** Options of segments to nobody in particular: with Fast Open in all its forms, and broken. */
const STRAY_OPTIONS = [
  undefined,
  Uint8Array.of(2, 4, 5, 180, 4, 2, 3, 3, 2),
  Uint8Array.of(34, 2, 34, 3, 0, 34, 4, 0, 0, 34, 6, 1, 2, 3, 4),
  Uint8Array.of(34, 18, ...new Array(16).fill(7)),
  Uint8Array.of(34, 20, ...new Array(18).fill(7)),
  Uint8Array.of(254, 4, 0xf9, 0x89, 254, 2, 254, 3, 0xf9, 254, 5, 0xf9, 0x89, 0),
  Uint8Array.of(2, 4, 5, 180, 254, 12, 0xf9, 0x89, ...new Array(8).fill(1)),
  Uint8Array.of(34, 255),
];

/** Makes segments for one target. */
export class TcpCorpus {
  readonly #target: Target;
  readonly #random: Random;
  readonly #sender: Sender;

  constructor(target: Target) {
    this.#target = target;
    this.#random = target.random;
    this.#sender = target.sender;
  }

  /** The connections that have a peer. */
  connections() {
    return this.#target.connections().map((so) => ({ so, ...this.#target.inpcb(so) }))
      .filter(({ fport }) => fport !== 0);
  }

  /** A segment of a connection that is open, near what the target expects. */
  segment(): Bytes {
    const random = this.#random;
    const target = this.#target;
    const live = this.connections();
    if (live.length === 0) return this.stray();
    const { so, lport, fport, faddr } = random.pick(live);
    const [una, max] = [target.inspect.tcb(so, "snd_una"), target.inspect.tcb(so, "snd_nxt")];
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
      options: this.options(so, una, max),
      payload,
    });
    const peer = PEERS.find(({ ip }) => ip === faddr) ?? this.#sender.peer();
    return this.#sender.ip({ ...peer, ip: faddr }, packets.TCP, segment);
  }

  /** Single bytes with gaps between them, all beyond what one connection expects. */
  ahead(count: number): Bytes[] {
    const live = this.connections();
    if (live.length === 0) return [];
    const { so, lport: dport, fport: sport, faddr } = this.#random.pick(live);
    const { inspect } = this.#target;
    const [next, ack] = [inspect.tcb(so, "rcv_nxt"), inspect.tcb(so, "snd_una")];
    const options = this.options(so, ack, ack);
    return Array.from({ length: count }, (_, i) => {
      const seq = next + 5 + 3 * i;
      const payload = Uint8Array.of(i);
      const fields = { sport, dport, seq, ack, flags: Th.ACK, options, payload };
      return this.#sender.ip({ ...PEERS[0], ip: faddr }, packets.TCP, packets.tcp(fields));
    });
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
      case 6:
      case 7:
        return Th.ACK | random.pick([Th.ECE, Th.CWR, Th.ECE | Th.CWR]);
      default:
        return Th.ACK | (random.oneIn(2) ? Th.PUSH : 0);
    }
  }

  /** Timestamps if they were agreed on, and now and then SACK blocks or a list of anything. */
  options(so: number, una: number, max: number): Bytes {
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
  stray(): Bytes {
    const random = this.#random;
    const dport = random.pick([PORT_TCP, PORT_TCP, PORT_FULL, 82, 0, random.below(65536)]);
    const ecn = random.oneIn(3) ? random.below(4) << 6 : 0;
    const flags = (random.oneIn(2) ? Th.SYN : random.below(64)) | ecn;
    const segment = packets.tcp({
      sport: random.oneIn(4) ? random.between(1, 8) : random.below(65536),
      dport,
      seq: random.u32(),
      ack: flags & Th.ACK ? random.u32() : 0,
      flags,
      options: random.pick(STRAY_OPTIONS),
      payload: random.oneIn(8) ? random.bytes(20) : undefined,
    });
    if (random.oneIn(10)) return this.#sender.ipToAll(0x0a0000ff, packets.TCP, segment);
    return this.#sender.ip(this.#sender.peer(), packets.TCP, segment);
  }
}
