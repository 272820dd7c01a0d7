/**
 * A packet as a protocol in TypeScript sees it: bytes in a chain of mbufs. Reading a number copies
 * nothing and allocates nothing; `bytes` gives a view, which is only good until the packet is
 * sent, delivered or freed.
 *
 * @module
 */

import { MbufSize, Mt } from "../../assembly/abi/mbuf.ts";
import { Errno } from "../../assembly/abi/errno.ts";
import type { FrameBatch } from "../device/driver.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as layout from "../wasm/layout.gen.ts";
import { type KernelCalls, kernelCalls } from "./kernel_calls.ts";
import type { PacketLedger } from "./packet_ledger.ts";

const M = layout.Mbuf;

/** Room in front of a packet that is made here: for the headers of all layers below. */
export const LEADING_BYTES: number = MbufSize.MAX_HDR;

/** A packet. */
export class Packet {
  readonly #engine: Engine;
  readonly #calls: KernelCalls;
  #ledger: PacketLedger | undefined = undefined;
  #m = 0;
  /** Where the network header lies before the first byte; 0 for frames and packets made here. */
  #back = 0;
  /** For a frame its ethertype; else 0. */
  key = 0;

  /** Made by the kernel. */
  constructor(engine: Engine) {
    this.#engine = engine;
    this.#calls = kernelCalls(engine);
  }

  /** Makes this object stand for a chain. For the kernel. */
  assign(m: number, back: number, key: number): this {
    this.#m = m;
    this.#back = back;
    this.key = key;
    return this;
  }

  /** Notes who holds it. For the kernel. */
  enter(ledger: PacketLedger): this {
    ledger.held.add(this);
    this.#ledger = ledger;
    return this;
  }

  /** Address of its first mbuf; 0 when somebody has taken it. */
  get mbuf(): number {
    return this.#m;
  }

  /** Bytes from its first one: a transport header, or the payload of a frame or datagram. */
  get length(): number {
    return this.#m === 0 ? 0 : this.#field(M.pktlen);
  }

  /** Index of the interface that it came in by; 0 if it was made here. */
  get interface(): number {
    const at = this.#m + M.rcvif;
    return this.#m === 0 ? 0 : this.#engine.memory[at] | this.#engine.memory[at + 1] << 8;
  }

  /** IPv4 address of its sender, as a number in host order; 0 for a frame. */
  get source(): number {
    return this.#header(12);
  }

  /** IPv4 address that it was sent to, as a number in host order; 0 for a frame. */
  get destination(): number {
    return this.#header(16);
  }

  /** For a datagram by UDP port: the port of its sender. */
  get sourcePort(): number {
    const at = this.#field(M.data) - 8;
    return this.#engine.memory[at] << 8 | this.#engine.memory[at + 1];
  }

  /** Time to live of its IP header; 0 for a frame. */
  get ttl(): number {
    return this.#header(8) >>> 24;
  }

  /** Type of service of its IP header; 0 for a frame. */
  get tos(): number {
    return this.#header(0) >>> 16 & 0xff;
  }

  /** Hardware address that a frame was sent from, 6 bytes; of an Ethernet interface. */
  get sourceHwaddr(): Uint8Array {
    const at = this.#field(M.data) - 8;
    return this.#engine.memory.slice(at, at + 6);
  }

  /** The byte at `offset`; a `RangeError` beyond the end. */
  u8(offset: number): number {
    return this.#engine.memory[this.#at(offset, 1)];
  }

  /** The 16 bits at `offset`, in network order. */
  u16(offset: number): number {
    return this.#engine.view.getUint16(this.#at(offset, 2));
  }

  /** The 32 bits at `offset`, in network order. */
  u32(offset: number): number {
    return this.#engine.view.getUint32(this.#at(offset, 4));
  }

  /** Sets the byte at `offset`. */
  setU8(offset: number, value: number): void {
    this.#engine.memory[this.#at(offset, 1)] = value;
  }

  /** Sets 16 bits, in network order. */
  setU16(offset: number, value: number): void {
    this.#engine.view.setUint16(this.#at(offset, 2), value);
  }

  /** Sets 32 bits, in network order. */
  setU32(offset: number, value: number): void {
    this.#engine.view.setUint32(this.#at(offset, 4), value);
  }

  /**
   * Makes this object stand for a new packet of `length` bytes with anything in them; what it stood
   * for is freed. So one object serves for all that is sent. False without memory.
   */
  make(length: number): boolean {
    this.free();
    this.assign(this.#calls.mbuf_copy_packet(length, LEADING_BYTES, Mt.DATA), 0, 0);
    return this.#m !== 0;
  }

  /** Copies a frame of a driver's batch over the bytes from `offset` on; it must fit. */
  putFrame(frames: FrameBatch, i: number, offset: number): void {
    const length = frames.length(i);
    if (offset < 0 || offset + length > this.length) throw this.#beyond(offset, length);
    if (frames.memory !== this.#engine.memory) this.write(frames.view(i), offset);
    else this.#calls.mbuf_copy_copyback(this.#m, offset, length, frames.address(i));
  }

  /**
   * The Internet checksum (RFC 1071) of the bytes from `offset` on, to be put into a header with
   * `setU16`; 0 if they hold a right one. `initial` is the sum of 16-bit words that count too, such
   * as those of a pseudo-header, below 2^32.
   */
  checksum(offset = 0, initial = 0): number {
    const length = this.length - offset;
    if (!(offset >= 0 && length >= 0)) throw this.#beyond(offset, 0);
    // the engine adds words as they lie in memory (RFC 1071 2 B)
    const begin = swap16(fold16(initial));
    return ~swap16(fold16(this.#calls.checksum_chain(this.#m, offset, length, begin))) & 0xffff;
  }

  /** Copies up to `target.length` bytes from `offset` on; answers how many. */
  copyTo(target: Uint8Array, offset = 0): number {
    const { memory } = this.#engine;
    let done = 0;
    let skip = offset;
    for (let m = this.#m; m !== 0 && done < target.length; m = this.#word(m + M.next)) {
      const length = this.#word(m + M.len);
      if (skip >= length) {
        skip -= length;
        continue;
      }
      const begin = this.#word(m + M.data) + skip;
      const n = Math.min(length - skip, target.length - done);
      target.set(memory.subarray(begin, begin + n), done);
      done += n;
      skip = 0;
    }
    return done;
  }

  /** Writes bytes over those from `offset` on; a `RangeError` beyond the end. */
  write(bytes: Uint8Array, offset = 0): void {
    if (offset < 0 || offset + bytes.length > this.length) throw this.#beyond(offset, bytes.length);
    let done = 0;
    let skip = offset;
    for (let m = this.#m; done < bytes.length; m = this.#word(m + M.next)) {
      const length = this.#word(m + M.len);
      if (skip >= length) {
        skip -= length;
        continue;
      }
      const n = Math.min(length - skip, bytes.length - done);
      this.#engine.memory.set(bytes.subarray(done, done + n), this.#word(m + M.data) + skip);
      done += n;
      skip = 0;
    }
  }

  /** Its bytes: a view if they lie side by side, else a copy. */
  bytes(): Uint8Array<ArrayBuffer> {
    const { length } = this;
    if (this.#m !== 0 && this.#word(this.#m + M.len) >= length) {
      const begin = this.#field(M.data);
      return this.#engine.memory.subarray(begin, begin + length);
    }
    const copy = new Uint8Array(length);
    this.copyTo(copy);
    return copy;
  }

  /** Takes `n` bytes off the front. */
  trimFront(n: number): void {
    this.#trim(n, n);
    this.#back += n;
  }

  /** Takes `n` bytes off the end. */
  trimEnd(n: number): void {
    this.#trim(n, -n);
  }

  /**
   * Puts `n` bytes in front, with anything in them.
   *
   * @throws SocketError ENOBUFS without memory; the packet is gone then
   */
  prepend(n: number): void {
    this.#replace(this.#calls.mbuf_ops_prepend(this.#m, n), "m_prepend");
  }

  /** Takes the chain over: whoever calls owns it now, and this object is empty. */
  take(): number {
    const m = this.#m;
    if (m === 0) throw new SocketError(Errno.EINVAL, "packet", "it was given away before");
    this.#m = 0;
    this.#ledger?.held.delete(this);
    this.#ledger = undefined;
    return m;
  }

  /** A packet of its own with what this one has, which is empty then; for `Kernel.keep`. */
  move(): Packet {
    const back = this.#back;
    return new Packet(this.#engine).assign(this.take(), back, this.key);
  }

  /** Frees it; one that was given away is left alone. */
  free(): void {
    if (this.#m !== 0) this.#calls.mbuf_freem(this.take());
  }

  /** The chain has become another, or it is gone. */
  #replace(m: number, call: string): void {
    this.#back = 0;
    if (m === 0) {
      this.take();
      throw new SocketError(Errno.ENOBUFS, call);
    }
    this.#m = m;
  }

  #trim(n: number, adjust: number): void {
    if (!(n >= 0 && n <= this.length)) throw this.#beyond(n, 0);
    this.#calls.mbuf_ops_adj(this.#m, adjust);
  }

  /** Address of `n` bytes at `offset`, made contiguous if they are not. */
  #at(offset: number, n: number): number {
    const end = offset + n;
    if (!(offset >= 0 && end <= this.length)) throw this.#beyond(offset, n);
    if (end > this.#word(this.#m + M.len)) this.#pullUp(end);
    return this.#field(M.data) + offset;
  }

  /** Makes `n` bytes contiguous, and the headers in front of them too: they are asked for later. */
  #pullUp(n: number): void {
    const back = this.#back;
    this.#shift(-back);
    this.#replace(this.#calls.mbuf_ops_pullup(this.#m, back + n), "m_pullup");
    this.#shift(back);
    this.#back = back;
  }

  /** Moves the beginning of the data inside of the first mbuf. */
  #shift(n: number): void {
    const words = this.#engine.u32;
    const at = this.#m >>> 2;
    words[at + (M.data >>> 2)] += n;
    words[at + (M.len >>> 2)] -= n;
    words[at + (M.pktlen >>> 2)] -= n;
  }

  #beyond(offset: number, n: number): RangeError {
    return new RangeError(`bytes ${offset} to ${offset + n} of a packet of ${this.length} bytes`);
  }

  /** A word of the IP header in front of the packet. */
  #header(offset: number): number {
    if (this.#back === 0) return 0;
    return this.#engine.view.getUint32(this.#field(M.data) - this.#back + offset);
  }

  #field(offset: number): number {
    return this.#word(this.#m + offset);
  }

  #word(at: number): number {
    return this.#engine.u32[at >>> 2];
  }
}

/** A sum of 16-bit words in 16 bits (RFC 1071 4.1). */
function fold16(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

function swap16(word: number): number {
  return (word & 0xff) << 8 | word >>> 8;
}

/** A packet of `length` bytes, with anything in them; `SocketError` ENOBUFS without memory. */
export function newPacket(engine: Engine, length: number): Packet {
  const packet = new Packet(engine);
  if (!packet.make(length)) throw new SocketError(Errno.ENOBUFS, "m_get");
  return packet;
}
