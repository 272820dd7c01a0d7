/** What the hosts on the wire answer, as good hosts do, and how they open connections. */

import { Th } from "../../assembly/abi/tcp.ts";
import * as packets from "./packets.ts";
import type { Bytes } from "./packets.ts";
import type { Random } from "./random.ts";
import type { Sender } from "./sender.ts";
import { PEERS, PORT_TCP, TARGET } from "./stations.ts";

const MSS = [2, 4, 5, 180];
/** MSS; MSS, SACK permitted and window scale. */
const PLAIN_OPTIONS = [Uint8Array.of(...MSS), Uint8Array.of(...MSS, 4, 2, 3, 3, 7, 0, 0, 0)];
const STAMP = [8, 10, 0, 0, 0, 1, 0, 0, 0, 0];
/** Options of a SYN: none, those above, also with timestamps, and an MSS that is out of range. */
const SYN_OPTIONS = [
  new Uint8Array(0),
  ...PLAIN_OPTIONS,
  Uint8Array.of(...MSS, ...STAMP, 4, 2),
  Uint8Array.of(...MSS, 4, 2, ...STAMP, 1, 3, 3, 7),
  Uint8Array.of(2, 4, 0, 1, 3, 3, 14, 1),
  Uint8Array.of(2, 4, 255, 255, 1, 1, ...STAMP),
];

/** Fast Open: asks for a cookie, and brings one, also in the form of its experiment. */
const FAST_OPTIONS = [
  Uint8Array.of(...MSS, 34, 2, 1, 1),
  Uint8Array.of(...MSS, 34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1),
  Uint8Array.of(...MSS, 4, 2, ...STAMP, 254, 8, 0xf9, 0x89, 1, 2, 3, 4),
];

/** The well-behaved side of the hosts. */
export class Peer {
  readonly #random: Random;
  readonly #sender: Sender;

  constructor(random: Random, sender: Sender) {
    this.#random = random;
    this.#sender = sender;
  }

  /** Begins a connection to the target's listener. */
  syn(): Bytes {
    const random = this.#random;
    const sport = random.between(1024, 65535);
    const fast = random.oneIn(4);
    const options = random.pick(fast ? FAST_OPTIONS : SYN_OPTIONS);
    const payload = fast ? random.bytes(random.pick([0, 1, 100, 1400])) : undefined;
    const flags = random.oneIn(2) ? Th.SYN : Th.SYN | Th.ECE | Th.CWR;
    const fields = { sport, dport: PORT_TCP, seq: random.u32(), flags, options, payload };
    return this.#sender.fromPeer(random.pick(PEERS), packets.TCP, packets.tcp(fields));
  }

  /** What a good host answers: ARP replies, the next step of a handshake, and FIN with FIN. */
  answer(frame: Bytes): Bytes | undefined {
    const type = packets.u16(frame, packets.ETHERTYPE_AT);
    if (type === packets.ETHERTYPE_ARP) return this.#answerArp(frame);
    const ip = frame.subarray(packets.IP_AT);
    const peer = PEERS.find((one) => one.ip === packets.u32(ip, 16));
    if (peer === undefined || ip[9] !== packets.TCP || this.#random.oneIn(5)) return;
    const segment = ip.subarray((ip[0] & 15) * 4, packets.u16(ip, 2));
    const flags = segment[13];
    if ((flags & (Th.SYN | Th.FIN)) === 0) return;
    const answer = {
      sport: packets.u16(segment, 2),
      dport: packets.u16(segment, 0),
      ack: packets.u32(segment, 4) + segment.length - (segment[12] >> 4) * 4 + 1,
    };
    const acked = flags & Th.ACK;
    const seq = acked ? packets.u32(segment, 8) : this.#random.u32();
    // Timestamps are echoed if the target has sent one: their option begins with 8, 10.
    const at = segment.findIndex((byte, i) => i >= 20 && byte === 8 && segment[i + 1] === 10);
    const stamp = at < 0
      ? new Uint8Array(0)
      : packets.concat(Uint8Array.of(1, 1, 8, 10, 0, 0, 16, 0), segment.slice(at + 2, at + 6));
    const plain = [...PLAIN_OPTIONS, FAST_OPTIONS[1]];
    const options = acked ? stamp : packets.concat(this.#random.pick(plain), stamp);
    const ecn = flags & Th.CWR ? Th.ECE : 0; // a SYN that asks for it
    const next = flags & Th.FIN ? Th.FIN | Th.ACK : acked ? Th.ACK : Th.SYN | Th.ACK | ecn;
    return this.#sender.fromPeer(
      peer,
      packets.TCP,
      packets.tcp({ ...answer, seq, flags: next, options }),
    );
  }

  #answerArp(frame: Bytes): Bytes | undefined {
    const at = packets.IP_AT;
    const wanted = packets.u32(frame, at + 24);
    const peer = PEERS.find(({ ip }) => ip === wanted);
    if (packets.u16(frame, at + 6) !== 1 || peer === undefined || this.#random.oneIn(10)) return;
    return packets.ether(
      TARGET.mac,
      peer.mac,
      packets.ETHERTYPE_ARP,
      packets.arp(2, peer, TARGET),
    );
  }
}
