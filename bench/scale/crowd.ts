/**
 * A driver that plays a crowd of TCP peers: each opens one connection to a stack and then is
 * silent, or says again what it said last. It holds no state but numbers in arrays, so that of a
 * million connections only what the stack needs for them is measured.
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../../runtime/device/driver.ts";

const IP_BYTES = 20;
const TCP_BYTES = 20;
const SYN_BYTES = IP_BYTES + TCP_BYTES + 20;
const ACK_BYTES = IP_BYTES + TCP_BYTES + 12;
const [FIN, SYN, RST, ACK] = [0x01, 0x02, 0x04, 0x10];
/** Peers behind one address, on ports from 1024 on. */
const PORTS = 60_000;
const FIRST_PORT = 1024;
/** 11.0.0.1 */
const FIRST_ADDRESS = 0x0b000001;
/** Handshakes under way at once. */
const AT_ONCE = 48;
/** How many words a ring of numbers has. */
const RING = 1024;

/** Where the crowd connects to. */
export interface CrowdOptions {
  /** IPv4 address of the stack, as a number. */
  readonly address: number;
  /** Port. */
  readonly port: number;
  /** Most peers. */
  readonly peers: number;
}

/** The driver. */
export class Crowd implements NetDriver {
  /** `crowd` */
  readonly name = "crowd";
  /** A line without link headers. */
  readonly caps: DriverCaps = { mtu: 1500, medium: "ip", pointToPoint: true };
  /** SYN-ACKs that came: connections that stand, as the peers see it. */
  answered = 0;
  /** Resets that came. */
  resets = 0;
  /** Segments with a FIN that came: connections that the stack closes. */
  fins = 0;
  /** Segments that came, resets and SYN-ACKs included. */
  segments = 0;
  readonly #options: CrowdOptions;
  /** Initial numbers of the stack, and its timestamps. */
  readonly #irs: Uint32Array<ArrayBuffer>;
  readonly #stamps: Uint32Array<ArrayBuffer>;
  /** Peers that are to send an ACK, in a ring. */
  readonly #acks = new Uint32Array(RING);
  #first = 0;
  #count = 0;
  #opened = 0;
  #goal = 0;
  #ifp: Ifnet | undefined = undefined;
  #view: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(0));

  /** Nobody connects yet. */
  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#irs = new Uint32Array(options.peers);
    this.#stamps = new Uint32Array(options.peers);
  }

  /** Has peers connect until there are `count` in all. */
  open(count: number): void {
    this.#goal = Math.min(count, this.#options.peers);
    this.#ifp?.wake();
  }

  /** Has a connected peer repeat its last ACK; false if as many wait as can. */
  repeat(peer: number): boolean {
    if (this.#count === RING) return false;
    this.#acks[(this.#first + this.#count++) % RING] = peer;
    return true;
  }

  /** The stack's interface. */
  attach(ifp: Ifnet): void {
    this.#ifp = ifp;
    this.#view = new DataView(ifp.memory.buffer);
  }

  /** Takes what the stack answers. */
  start(tx: FrameBatch): number {
    for (let i = 0; i < tx.count; i++) this.#hear(tx.address(i));
    return tx.count;
  }

  #hear(at: number): void {
    const view = this.#view;
    const tcp = at + IP_BYTES;
    const flags = view.getUint8(tcp + 13);
    this.segments++;
    if (flags & RST) this.resets++;
    if (flags & FIN) this.fins++;
    if ((flags & (SYN | ACK)) !== (SYN | ACK)) return;
    const address = view.getUint32(at + 16);
    const peer = (address - FIRST_ADDRESS) * PORTS + view.getUint16(tcp + 2) - FIRST_PORT;
    this.#irs[peer] = view.getUint32(tcp + 4);
    this.#stamps[peer] = stampOf(view, tcp);
    this.answered++;
    this.repeat(peer);
  }

  /** Gives the stack ACKs that are due, and SYNs of new peers. */
  rx(free: FrameBatch): number {
    let filled = 0;
    for (; filled < free.count; filled++) {
      const at = free.address(filled);
      if (this.#count > 0) {
        const peer = this.#acks[this.#first];
        this.#first = (this.#first + 1) % RING;
        this.#count--;
        this.#segment(at, peer, ACK);
        free.setLength(filled, ACK_BYTES);
      } else if (this.#opened < this.#goal && this.#opened - this.answered < AT_ONCE) {
        this.#segment(at, this.#opened++, SYN);
        free.setLength(filled, SYN_BYTES);
      } else break;
    }
    return filled;
  }

  /** Nothing to let go of. */
  detach(): void {
    this.#ifp = undefined;
  }

  /** Writes a SYN or an ACK of a peer to `at`. */
  #segment(at: number, peer: number, flags: number): void {
    const view = this.#view;
    const { address, port } = this.#options;
    const from = FIRST_ADDRESS + Math.floor(peer / PORTS);
    const opens = flags === SYN;
    const length = opens ? SYN_BYTES : ACK_BYTES;
    view.setUint32(at, 0x45000000 | length);
    view.setUint32(at + 4, 0x4000); // DF
    view.setUint32(at + 8, 0x40060000);
    view.setUint32(at + 12, from);
    view.setUint32(at + 16, address);
    view.setUint16(at + 10, sum(view, at, IP_BYTES, 0));
    const tcp = at + IP_BYTES;
    view.setUint16(tcp, FIRST_PORT + peer % PORTS);
    view.setUint16(tcp + 2, port);
    view.setUint32(tcp + 4, opens ? peer : peer + 1);
    view.setUint32(tcp + 8, opens ? 0 : this.#irs[peer] + 1);
    view.setUint32(tcp + 12, (((length - IP_BYTES) / 4) << 28 | flags << 16 | 0xffff) >>> 0);
    view.setUint32(tcp + 16, 0);
    let option = tcp + TCP_BYTES;
    if (opens) {
      view.setUint32(option, 0x020405b4); // MSS 1460
      view.setUint32(option + 4, 0x04020303); // SACK permitted, window scale ...
      view.setUint32(option + 8, 0x0701080a); // ... 7; timestamps
      option += 12;
    } else {
      view.setUint32(option, 0x0101080a);
      option += 4;
    }
    view.setUint32(option, 1);
    view.setUint32(option + 4, opens ? 0 : this.#stamps[peer]);
    const bytes = length - IP_BYTES;
    const pseudo = (from >>> 16) + (from & 0xffff) + (address >>> 16) + (address & 0xffff) + 6;
    view.setUint16(tcp + 16, sum(view, tcp, bytes, pseudo + bytes));
  }
}

/** The timestamp in a SYN-ACK, 0 without one. */
function stampOf(view: DataView, tcp: number): number {
  const end = tcp + (view.getUint8(tcp + 12) >> 4) * 4;
  for (let at = tcp + TCP_BYTES; at < end;) {
    const kind = view.getUint8(at);
    if (kind === 8) return view.getUint32(at + 2);
    at += kind === 1 ? 1 : Math.max(1, view.getUint8(at + 1));
  }
  return 0;
}

/** The Internet checksum of an even number of bytes (RFC 1071). */
function sum(view: DataView, at: number, bytes: number, begin: number): number {
  let total = begin;
  for (let i = 0; i < bytes; i += 2) total += view.getUint16(at + i);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}
