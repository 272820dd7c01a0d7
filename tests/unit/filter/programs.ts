/**
 * Programs and packets for tests of the interpreters and verifiers: drawn so that most programs are
 * sound and reach what they do, and so that all kinds of faults occur.
 *
 * @module
 */

import fc from "fast-check";
import { BpfAd, BpfCode } from "../../../assembly/abi/bpf.ts";
import { MNEMONICS } from "../../../filter/mnemonics.ts";
import type { Insn } from "../../../filter/program.ts";
import type { PacketFacts } from "../../../filter/run.ts";

const CODES = [...MNEMONICS.keys()];
const RET = 6;
const JMP = 5;

const u32 = fc.oneof(
  fc.integer({ min: 0, max: 80 }),
  fc.nat(0xffffffff),
  fc.constantFrom(0, 1, 31, 32, 0x7fffffff, 0x80000000, 0xffffffff),
);

/** Offsets in and around packets, their headers, and what is beside them. */
const place = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 70 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 16 }).map((i) => BpfAd.OFF + 4 * i >>> 0) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 }).map((i) => BpfAd.NET_OFF + i >>> 0) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 }).map((i) => BpfAd.LL_OFF + i >>> 0) },
  { weight: 1, arbitrary: u32 },
);

const isLoad = (code: number) => (code & 7) <= 1 && (code & 0xe0) !== 0;
const readsScratch = (code: number) => code === BpfCode.LD_MEM || code === BpfCode.LDX_MEM;

/** Any instruction, with operands that fit most of the time. */
const anyInsn: fc.Arbitrary<Insn> = fc.record({
  code: fc.oneof(
    { weight: 60, arbitrary: fc.constantFrom(...CODES) },
    { weight: 1, arbitrary: fc.nat(0xffff) },
  ),
  jt: fc.oneof(fc.nat(4), fc.nat(255)),
  jf: fc.oneof(fc.nat(4), fc.nat(255)),
  k: fc.oneof(u32, place, fc.nat(15)),
});

/** Programs of which many have a fault. */
export const anyProgram: fc.Arbitrary<Insn[]> = fc.tuple(
  fc.array(anyInsn, { maxLength: 40 }),
  fc.boolean(),
).map(([insns, ends]) => ends ? [...insns, { code: BpfCode.RET_K, jt: 0, jf: 0, k: 1 }] : insns);

const draft = fc.tuple(fc.constantFrom(...CODES), fc.nat(255), fc.nat(255), u32, place);

/** Sound programs: most do not return at once, and read scratch memory only where it is set. */
export const soundProgram: fc.Arbitrary<Insn[]> = fc.array(draft, { minLength: 1, maxLength: 60 })
  .map((drafts) => {
    const insns: Insn[] = [{ code: BpfCode.LD_B_ABS, jt: 0, jf: 0, k: 0 }];
    for (let i = 0; i < 4; i++) {
      insns.push({ code: i % 2 ? BpfCode.ST : BpfCode.STX, jt: 0, jf: 0, k: i });
      insns.push({ code: i % 2 ? BpfCode.LDX_LEN : BpfCode.LD_W_ABS, jt: 0, jf: 0, k: i });
    }
    drafts.forEach(([code, jt, jf, k, at], i) =>
      insns.push(sound(code, jt, jf, k, at, drafts.length - i))
    );
    insns.push({ code: BpfCode.RET_A, jt: 0, jf: 0, k: 0 });
    return insns;
  });

/** The instruction with its operands cut to what is allowed before `rest` others. */
function sound(code: number, jt: number, jf: number, k: number, at: number, rest: number): Insn {
  const cls = code & 7;
  if (cls === RET && rest > 1 && k % 4 > 0) return { code: BpfCode.XOR_K, jt: 0, jf: 0, k };
  if (cls === JMP) {
    const near = Math.min(rest, 6);
    const far = code === BpfCode.JA ? k % near : k;
    return { code, jt: jt % near, jf: jf % near, k: far };
  }
  if (code === BpfCode.DIV_K || code === BpfCode.MOD_K) return { code, jt, jf, k: k || 1 };
  if (code === BpfCode.LSH_K || code === BpfCode.RSH_K) return { code, jt, jf, k: k & 31 };
  if (readsScratch(code)) return { code, jt, jf, k: k & 3 };
  if (code === BpfCode.ST || code === BpfCode.STX) return { code, jt, jf, k: k & 15 };
  return { code, jt, jf, k: isLoad(code) ? soundPlace(code, at) : k };
}

/** Loads with x must often find something, and extensions must exist. */
function soundPlace(code: number, at: number): number {
  const beside = (at | 0) < 0 && (at | 0) >= BpfAd.OFF;
  if (!beside || (code & 0xe0) !== 0x20) return at;
  const known = [0, 4, 8, 28, 40, 44, 48, 60].map((offset) => BpfAd.OFF + offset >>> 0);
  return known.includes(at) ? at : known[at % known.length];
}

/** A packet in pieces, which pieces are headers, and what is known of it. */
export interface PieceMeal {
  readonly pieces: readonly Uint8Array[];
  readonly base: number;
  readonly cut: number;
  readonly link: number;
  readonly net: number;
  readonly more: number;
  readonly facts: PacketFacts;
}

const facts: fc.Arbitrary<PacketFacts> = fc.record({
  protocol: fc.nat(0xffff),
  pkttype: fc.nat(4),
  ifindex: fc.nat(3),
  hatype: fc.nat(0xffff),
  vlan: fc.option(fc.record({ tci: fc.nat(0xffff), tpid: fc.nat(0xffff) }), { nil: undefined }),
});

/** Packets in chains of pieces, some of them empty. */
export const pieceMeal: fc.Arbitrary<PieceMeal> = fc.record({
  pieces: fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1, maxLength: 6 }),
  base: fc.nat(20),
  cut: fc.nat(10),
  link: fc.integer({ min: -1, max: 20 }),
  net: fc.integer({ min: -1, max: 40 }),
  more: fc.nat(2000),
  facts,
});
