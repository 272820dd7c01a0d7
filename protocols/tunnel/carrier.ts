/**
 * The side of a tunnel that faces the network below it: puts frames of the tunnel's interface into
 * packets and sends them, and answers those that do not fit. Nothing is allocated for a frame.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { FrameRing } from "../../drivers/frame_ring.ts";
import type { FrameBatch, Ifnet } from "../../runtime/device/driver.ts";
import type { IpRoute, Kernel, KernelTimer, Packet } from "../../runtime/protocol/public.ts";
import { tosAround } from "./ecn.ts";
import type { OuterOptions } from "./options.ts";
import type { TunnelStats } from "./stats.ts";
import { forbidsCutting, isIpv4, MESSAGE_BYTES_MAX, tooBig } from "./too_big.ts";

/** What a carrier needs to know of its tunnel. */
export interface CarrierOptions {
  /** The outer packets. */
  readonly outer: Required<Omit<OuterOptions, "mtu">>;
  /** Protocol number of the outer packets. */
  readonly protocol: number;
  /** Our address; 0 takes that of the route. */
  readonly local: number;
  /** Bytes of the tunnel's headers behind the outer IP header. */
  readonly front: number;
  /** Bytes of the link header of the frames inside, 14 or 0. */
  readonly link: number;
  /** The tunnel itself may not cut what it sends (RFC 7348 4.3). */
  readonly whole: boolean;
}

/** A copy could not be sent for want of room: the frame is to be offered again. */
export const BUSY = -1;

const ETHERNET_IPV4 = 0x0800;
const IPV4_HEADER_BYTES = 20;
/** "Too big" messages that may wait for the interface to take them. */
const ANSWERS = 8;
/** When sending is tried again after a full queue, if nothing happens before. */
const RETRY_US = 1000;
const LINK_BYTES_MAX = 14;

/** Sends for one tunnel. */
export class Carrier {
  /** The packet that is being made: headers, then the frame. */
  readonly packet: Packet;
  /** Where the present frame begins and ends in `view`. */
  at = 0;
  /** Its end. */
  end = 0;
  /** True if it holds an IPv4 packet, which begins `link` bytes behind `at`. */
  ipv4 = false;
  /** The memory that the present frame lies in. */
  view: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(0));
  readonly #kernel: Kernel;
  readonly #options: CarrierOptions;
  readonly #stats: TunnelStats;
  readonly #way: IpRoute = { interface: 0, source: 0, mtu: 0 };
  readonly #ip;
  readonly #message = new Uint8Array(LINK_BYTES_MAX + MESSAGE_BYTES_MAX);
  readonly #body: DataView<ArrayBuffer>;
  #answers: FrameRing | undefined = undefined;
  #retry: KernelTimer | undefined = undefined;
  #ifp: Ifnet | undefined = undefined;

  /** For one tunnel that counts in `stats`. */
  constructor(kernel: Kernel, options: CarrierOptions, stats: TunnelStats) {
    this.#kernel = kernel;
    this.#options = options;
    this.#stats = stats;
    this.packet = kernel.blank();
    this.#body = new DataView(this.#message.buffer, options.link);
    this.#ip = {
      destination: 0,
      protocol: options.protocol,
      source: options.local,
      ttl: options.outer.ttl,
      tos: 0,
      df: false,
      interface: 0,
      tunnel: 0,
    };
  }

  /** Index of the tunnel's interface; 0 while it has none. */
  get index(): number {
    return this.#ifp?.index ?? 0;
  }

  /** The tunnel's interface. */
  get ifp(): Ifnet | undefined {
    return this.#ifp;
  }

  /** The interface is there. */
  attach(ifp: Ifnet): void {
    this.#ifp = ifp;
  }

  /** It is gone. */
  detach(): void {
    this.#ifp = undefined;
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#answers = undefined;
    this.packet.free();
  }

  /** Looks at frame `i` of a batch: where it lies, and what of its IP header the outer one says. */
  look(tx: FrameBatch, i: number): void {
    if (this.view.buffer !== tx.memory.buffer) this.view = new DataView(tx.memory.buffer);
    const { view, view: { byteOffset } } = this;
    const { link, outer } = this.#options;
    this.at = tx.memory.byteOffset - byteOffset + tx.address(i);
    this.end = this.at + tx.length(i);
    const begin = this.at + link;
    const carries = link === 0 ||
      begin <= this.end && view.getUint16(begin - 2) === ETHERNET_IPV4;
    this.ipv4 = carries && isIpv4(view, begin, this.end);
    const inner = this.ipv4 ? view.getUint8(begin + 1) : 0;
    this.#ip.tos = tosAround(outer.tos, inner);
    this.#ip.df = outer.df === "set" ||
      outer.df === "inherit" && this.ipv4 && forbidsCutting(view, begin, this.end);
    this.#ip.tunnel = this.index;
  }

  /** Makes `packet` of frame `i` with room for the tunnel's headers; false without memory. */
  make(tx: FrameBatch, i: number): boolean {
    const { front } = this.#options;
    if (!this.packet.make(front + tx.length(i))) return false;
    this.packet.putFrame(tx, i, front);
    return true;
  }

  /** Address of ours that a packet to `destination` gets; 0 without a route. */
  sourceTo(destination: number): number {
    if (this.#options.local !== 0) return this.#options.local;
    return this.#kernel.route(destination, this.#way) ? this.#way.source : 0;
  }

  /** Sends `packet` to a peer, or by interface `out` to a group; answers 0 or BUSY. */
  send(destination: number, ttl: number, out: number): number {
    const { packet } = this;
    const ip = this.#ip;
    const bytes = packet.length - this.#options.front;
    if (this.#options.whole && !ip.df && !this.#fits(destination, packet.length)) {
      packet.free();
      return this.#result(-Errno.EMSGSIZE, destination, bytes);
    }
    ip.destination = destination;
    ip.ttl = ttl;
    ip.interface = out;
    return this.#result(this.#kernel.trySendIp(packet, ip), destination, bytes);
  }

  #fits(destination: number, bytes: number): boolean {
    const known = this.#kernel.route(destination, this.#way);
    return !known || bytes + IPV4_HEADER_BYTES <= this.#way.mtu;
  }

  #result(result: number, destination: number, bytes: number): number {
    const stats = this.#stats;
    if (result >= 0) {
      stats.txFrames++;
      stats.txBytes += bytes;
    } else if (result === -Errno.ENOBUFS) return BUSY;
    else if (result === -Errno.ELOOP) stats.txLoops++;
    else if (result !== -Errno.EMSGSIZE) stats.txNoRoute++;
    else {
      stats.txTooBig++;
      this.#answer(destination);
    }
    return 0;
  }

  /** Sending has to wait: the queue below drains by itself, but nobody tells us. */
  wait(): void {
    this.#stats.txBusy++;
    this.#retry ??= this.#kernel.after(RETRY_US, () => {
      this.#retry = undefined;
      this.#ifp?.wake();
    });
  }

  /** Tells the sender of the present frame how large it may be; {@link rx} hands that in. */
  #answer(destination: number): void {
    const { link, front } = this.#options;
    if (!this.ipv4 || !this.#kernel.route(destination, this.#way)) return;
    const mtu = this.#way.mtu - IPV4_HEADER_BYTES - front - link;
    const length = tooBig(this.#body, this.view, this.at + link, this.end, mtu);
    if (length === 0) return;
    if (link !== 0) this.#turnLinkHeader();
    this.#answers ??= new FrameRing(ANSWERS, this.#message.length);
    if (!this.#answers.push(this.#message.subarray(0, link + length))) return;
    this.#stats.txAnswered++;
    this.#ifp?.wake();
  }

  /** The link header of the present frame, from its receiver to its sender. */
  #turnLinkHeader(): void {
    const message = this.#message;
    for (let i = 0; i < 6; i++) {
      message[i] = this.view.getUint8(this.at + 6 + i);
      message[6 + i] = this.view.getUint8(this.at + i);
    }
    message[12] = ETHERNET_IPV4 >>> 8;
    message[13] = ETHERNET_IPV4 & 255;
  }

  /** Hands in answers to what was too big; all else comes in by `Kernel.input`. */
  rx(free: FrameBatch): number {
    const answers = this.#answers;
    if (answers === undefined) return 0;
    let filled = 0;
    while (filled < free.count && answers.count > 0) {
      const length = answers.headLength;
      if (length > free.length(filled)) answers.drop();
      else {
        answers.shift(free.memory, free.address(filled));
        free.setLength(filled++, length);
      }
    }
    return filled;
  }
}
