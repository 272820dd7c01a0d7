/** Puts what the hosts on the wire send into packets and frames. */

import * as packets from "./packets.ts";
import type { Bytes } from "./packets.ts";
import type { Random } from "./random.ts";
import { PEERS, type Station, TARGET } from "./stations.ts";

/** To everybody. */
export const BROADCAST_MAC = Uint8Array.of(255, 255, 255, 255, 255, 255);

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

/** The hosts as one. */
export class Sender {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A packet from a peer to the target, in a frame. */
  fromPeer(peer: Station, protocol: number, payload: Uint8Array, options?: Uint8Array): Bytes {
    const id = this.#random.below(65536);
    const tos = this.#random.oneIn(3) ? this.#random.below(256) : 0;
    const fields = { src: peer.ip, dst: TARGET.ip, protocol, id, tos, options };
    return packets.ether(
      TARGET.mac,
      peer.mac,
      packets.ETHERTYPE_IP,
      packets.ip4(fields, payload),
    );
  }

  /** One of the hosts. */
  peer(): Station {
    return this.#random.pick(PEERS);
  }

  /** Now and then options of IPv4. */
  options(): Uint8Array | undefined {
    return this.#random.oneIn(12) ? this.#random.pick(IP_OPTIONS) : undefined;
  }

  /** A packet to the target, now and then with options. */
  ip(peer: Station, protocol: number, payload: Uint8Array): Bytes {
    return this.fromPeer(peer, protocol, payload, this.options());
  }

  /** To a group or a broadcast address. */
  ipToAll(dst: number, protocol: number, payload: Uint8Array, ttl = 1): Bytes {
    const peer = this.peer();
    const mac = dst >>> 28 === 14
      ? Uint8Array.of(1, 0, 0x5e, (dst >>> 16) & 127, dst >>> 8, dst)
      : BROADCAST_MAC;
    const options = this.options();
    const packet = packets.ip4({ src: peer.ip, dst, protocol, ttl, options }, payload);
    return packets.ether(mac, peer.mac, packets.ETHERTYPE_IP, packet);
  }
}
