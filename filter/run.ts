/**
 * An interpreter of classic BPF for packets in plain memory; assembly/bpf/ has the engine's, which
 * runs over chains of mbufs. It is written to be read, and the engine's is tested against it.
 *
 * @module
 */

import { BpfAd, BpfCode, BpfLimit } from "../assembly/abi/bpf.ts";
import type { Program } from "./program.ts";

/** What is known of a packet beside its bytes. Fields that are left out are 0, or unknown. */
export interface PacketFacts {
  /** Ethertype. */
  readonly protocol?: number;
  /** For whom the packet was: the packet type of a packet socket's address. */
  readonly pkttype?: number;
  /** Index of the interface; without one, loads of it reject the packet. */
  readonly ifindex?: number;
  /** Hardware type of the interface; without an index, loads of it reject the packet. */
  readonly hatype?: number;
  /** VLAN tag that was taken out of the frame. */
  readonly vlan?: { readonly tci: number; readonly tpid: number };
  /** Offset of the link header from the packet's first byte, 0 or less; unknown unless told. */
  readonly link?: number;
  /** Offset of the network header from the packet's first byte; unknown unless told. */
  readonly net?: number;
}

const NOTHING: PacketFacts = {};

/**
 * Runs a program that `validateProgram` has let pass. The packet is `length` bytes at `at` of
 * `memory`, and had `wireLength` bytes before it was cut.
 *
 * Where Linux and BSD differ it is BSD: a load out of the packet rejects it, x + k beyond 32 bits
 * is out of it, and a shift by 32 or more leaves 0.
 *
 * @returns bytes of the packet to keep, 0 if it is rejected
 */
export function runProgram(
  program: Program,
  memory: Uint8Array,
  at: number = 0,
  length: number = memory.length - at,
  wireLength: number = length,
  facts: PacketFacts = NOTHING,
): number {
  let a = 0;
  let x = 0;
  for (let pc = 0; pc < program.length; pc++) {
    const { code, jt, jf, k } = program[pc];
    switch (code & 7) {
      case 0: {
        const value = code === BpfCode.LD_IMM
          ? k
          : code === BpfCode.LD_MEM
          ? SCRATCH[k]
          : code === BpfCode.LD_LEN
          ? wireLength
          : fromPacket(code, k, a, x, memory, at, length, facts);
        if (value < 0) return 0;
        a = value;
        break;
      }
      case 1: {
        if (code === BpfCode.LDX_IMM) x = k;
        else if (code === BpfCode.LDX_MEM) x = SCRATCH[k];
        else if (code === BpfCode.LDX_LEN) x = wireLength;
        else {
          const byte = anywhere(k | 0, 1, memory, at, length, facts);
          if (byte < 0) return 0;
          x = 4 * (byte & 15);
        }
        break;
      }
      case 2:
        SCRATCH[k] = a;
        break;
      case 3:
        SCRATCH[k] = x;
        break;
      case 4: {
        const value = arithmetic(code & 0xf0, a, code & 8 ? x : k);
        if (value < 0) return 0;
        a = value;
        break;
      }
      case 5:
        if (code === BpfCode.JA) pc += k;
        else pc += compare(code & 0xf0, a, code & 8 ? x : k) ? jt : jf;
        break;
      case 6:
        return code === BpfCode.RET_A ? a : k;
      default:
        if (code === BpfCode.TAX) x = a;
        else a = x;
    }
  }
  return 0;
}

/** The scratch memory. Nothing is left in it that a sound program could see. */
const SCRATCH = new Uint32Array(BpfLimit.MEMWORDS);

/** What a load from the packet, or from beside it, leaves in A; -1 for what is not there. */
function fromPacket(
  code: number,
  k: number,
  a: number,
  x: number,
  memory: Uint8Array,
  at: number,
  length: number,
  facts: PacketFacts,
): number {
  const bytes = 4 >> (code >> 3 & 3);
  const place = k | 0;
  if ((code & 0xe0) === 0x40) {
    // the sum is not cut to 32 bits, unless k names a header
    if (place >= 0) return big(memory, at, length, x + k, bytes);
    const sum = (x + k) | 0;
    return sum < 0 ? anywhere(sum, bytes, memory, at, length, facts) : -1;
  }
  if (place >= 0) return big(memory, at, length, place, bytes);
  if (place === BpfAd.XOR_X) return (a ^ x) >>> 0;
  return place >= BpfAd.OFF
    ? beside(place, facts)
    : anywhere(place, bytes, memory, at, length, facts);
}

/** A load relative to the packet or, for negative places, to one of its headers. */
function anywhere(
  place: number,
  bytes: number,
  memory: Uint8Array,
  at: number,
  length: number,
  { link, net }: PacketFacts,
): number {
  if (place >= 0) return big(memory, at, length, place, bytes);
  if (place < BpfAd.LL_OFF) return -1;
  const header = place >= BpfAd.NET_OFF ? net : link;
  if (header === undefined) return -1;
  const offset = place - (place >= BpfAd.NET_OFF ? BpfAd.NET_OFF : BpfAd.LL_OFF);
  return big(memory, at + header, length - header, offset, bytes);
}

/** A number in network order; -1 if the packet ends before it does. */
function big(memory: Uint8Array, at: number, length: number, offset: number, bytes: number) {
  if (offset + bytes > length) return -1;
  let value = 0;
  for (let i = 0; i < bytes; i++) value = value * 256 + memory[at + offset + i];
  return value;
}

/** What is known beside the packet's bytes. */
function beside(place: number, facts: PacketFacts): number {
  switch (place) {
    case BpfAd.PROTOCOL:
      return facts.protocol ?? 0;
    case BpfAd.PKTTYPE:
      return facts.pkttype ?? 0;
    case BpfAd.IFINDEX:
      return facts.ifindex || -1;
    case BpfAd.HATYPE:
      return facts.ifindex ? facts.hatype ?? 0 : -1;
    case BpfAd.VLAN_TAG:
      return facts.vlan?.tci ?? 0;
    case BpfAd.VLAN_TAG_PRESENT:
      return facts.vlan ? 1 : 0;
    case BpfAd.VLAN_TPID:
      return facts.vlan?.tpid ?? 0;
    default:
      return -1;
  }
}

/** The result of an operation of the arithmetic unit; -1 for a division by 0. */
export function arithmetic(op: number, a: number, by: number): number {
  switch (op) {
    case 0x00:
      return (a + by) >>> 0;
    case 0x10:
      return (a - by) >>> 0;
    case 0x20:
      return Math.imul(a, by) >>> 0;
    case 0x30:
      return by === 0 ? -1 : Math.floor(a / by);
    case 0x40:
      return (a | by) >>> 0;
    case 0x50:
      return (a & by) >>> 0;
    case 0x60:
      return by > 31 ? 0 : (a << by) >>> 0;
    case 0x70:
      return by > 31 ? 0 : a >>> by;
    case 0x80:
      return -a >>> 0;
    case 0x90:
      return by === 0 ? -1 : a % by;
    default:
      return (a ^ by) >>> 0;
  }
}

/** Whether a comparison holds. */
export function compare(op: number, a: number, by: number): boolean {
  switch (op) {
    case 0x10:
      return a === by;
    case 0x20:
      return a > by;
    case 0x30:
      return a >= by;
    default:
      return (a & by) !== 0;
  }
}
