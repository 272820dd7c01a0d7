/** The engine's BPF verifier and interpreter against the plain ones of filter/. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BpfAd, BpfCode, BpfFault } from "../../../assembly/abi/bpf.ts";
import { MNEMONICS } from "../../../filter/mnemonics.ts";
import {
  decodeProgram,
  encodeProgram,
  type Insn,
  type Program,
  ProgramError,
} from "../../../filter/program.ts";
import { runProgram } from "../../../filter/run.ts";
import { successors, validateProgram } from "../../../filter/validate.ts";
import { EngineFilter } from "./engine_filter.ts";
import { anyProgram, type PieceMeal, pieceMeal, soundProgram } from "./programs.ts";

const SEED = 0x627066;
const RUNS = 4000;

const insn = (code: number, k = 0, jt = 0, jf = 0): Insn => ({ code, jt, jf, k });
const ret = (k: number) => insn(BpfCode.RET_K, k);

/** What the plain verifier says, in the engine's form. */
function plainVerdict(program: Program): { index: number; fault: number } {
  try {
    validateProgram(program);
    return { index: 0, fault: BpfFault.NONE };
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    const whole = error.fault === BpfFault.EMPTY || error.fault === BpfFault.LONG;
    return { index: whole ? 0 : error.index, fault: error.fault };
  }
}

/** The same packet in one piece. */
function linear({ pieces, base, cut, link, net, more, facts }: PieceMeal) {
  const all = new Uint8Array(pieces.flatMap((piece) => [...piece]));
  const from = Math.min(base, all.length);
  const length = Math.max(0, all.length - from - cut);
  return {
    memory: all,
    base: from,
    length,
    wireLength: length + more,
    facts: {
      ...facts,
      link: link < 0 ? undefined : link - from,
      net: net < 0 ? undefined : net - from,
    },
  };
}

Deno.test("bpf: engine and plain interpreter agree on sound programs and packets in pieces", () => {
  const engine = new EngineFilter();
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      soundProgram,
      fc.array(pieceMeal, { minLength: 1, maxLength: 3 }),
      (program, meals) => {
        validateProgram(program);
        assertEquals(engine.load(program).fault, BpfFault.NONE);
        for (const meal of meals) {
          const { memory, base, length, wireLength, facts } = linear(meal);
          const expected = runProgram(program, memory, base, length, wireLength, facts);
          const found = engine.run({ ...meal, base, length, wireLength });
          assertEquals(found, expected);
          seen.add(expected === 0 ? "rejected" : "kept");
        }
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
  assertEquals([...seen].sort(), ["kept", "rejected"]);
});

Deno.test("bpf: every instruction alone does the same in both interpreters", () => {
  const engine = new EngineFilter();
  const operands = [0, 1, 4, 13, 31, 0x7fffffff, 0x80000000, 0xffffffff];
  const packet = Uint8Array.from({ length: 40 }, (_, i) => 7 * i + 129);
  const pieces = [packet.subarray(0, 3), packet.subarray(3, 14), packet.subarray(14)];
  let ran = 0;
  for (const code of MNEMONICS.keys()) {
    for (const a of operands) {
      for (const x of operands) {
        for (const k of [...operands, BpfAd.XOR_X >>> 0, BpfAd.NET_OFF + 2 >>> 0]) {
          const program = [
            insn(BpfCode.LDX_IMM, x),
            insn(BpfCode.STX, 4),
            insn(BpfCode.LD_IMM, a),
            insn(BpfCode.ST, 1),
            insn(code, k, 0, 1),
            insn(BpfCode.XOR_X),
            insn(BpfCode.RET_A),
          ];
          const { fault } = engine.load(program);
          assertEquals(fault, plainVerdict(program).fault, `${code} ${k}`);
          if (fault !== BpfFault.NONE) continue;
          const facts = { net: 14, link: 0, ifindex: 1 };
          const expected = runProgram(program, packet, 0, 40, 60, facts);
          const found = engine.run({ pieces, wireLength: 60, net: 14, link: 0, facts });
          assertEquals(found, expected, `${MNEMONICS.get(code)!.name} ${a} ${x} ${k}`);
          ran++;
        }
      }
    }
  }
  assert(ran > 10_000, `${ran} ran`);
});

Deno.test("bpf: engine and plain verifier agree on any program, and what they pass ends", () => {
  const engine = new EngineFilter();
  const seen = new Map<number, number>();
  fc.assert(
    fc.property(anyProgram, pieceMeal, (program, meal) => {
      const expected = plainVerdict(program);
      assertEquals(engine.load(program), expected);
      seen.set(expected.fault, (seen.get(expected.fault) ?? 0) + 1);
      if (expected.fault !== BpfFault.NONE) return;
      const { memory, base, length, wireLength, facts } = linear(meal);
      const verdict = runProgram(program, memory, base, length, wireLength, facts);
      assertEquals(engine.run({ ...meal, base, length, wireLength }), verdict);
    }),
    { seed: SEED, numRuns: 5 * RUNS },
  );
  // all faults but that of a program that is too long
  const faults = Array.from({ length: BpfFault.END + 1 }, (_, i) => i)
    .filter((fault) => fault !== BpfFault.LONG);
  assertEquals([...seen.keys()].sort((a, b) => a - b), faults);
});

/** Whether some way to an instruction reads scratch memory that nothing on it has written. */
function readsUnset(program: Program, i = 0, written = 0): boolean {
  const { code, k } = program[i];
  if (code === BpfCode.LD_MEM || code === BpfCode.LDX_MEM) {
    if (!(written & 1 << k)) return true;
  }
  const stores = code === BpfCode.ST || code === BpfCode.STX;
  const after = stores ? written | 1 << k : written;
  return successors(program[i], i).some((next) => readsUnset(program, next, after));
}

Deno.test("bpf: scratch memory is unset just if some way to a read does not write it", () => {
  const codes = [BpfCode.ST, BpfCode.LD_MEM, BpfCode.JEQ_K, BpfCode.JA, BpfCode.RET_K, BpfCode.NEG];
  const engine = new EngineFilter();
  const seen = new Set<boolean>();
  const line = fc.tuple(fc.constantFrom(...codes), fc.nat(2), fc.nat(4), fc.nat(4));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 9 }), (lines) => {
      const program = lines.map(([code, k, jt, jf], i) => {
        const rest = lines.length - i;
        return insn(code, code === BpfCode.JA ? k % rest : k, jt % rest, jf % rest);
      });
      program.push(ret(1));
      const unset = readsUnset(program);
      assertEquals(engine.load(program).fault === BpfFault.UNSET, unset);
      assertEquals(plainVerdict(program).fault === BpfFault.UNSET, unset);
      seen.add(unset);
    }),
    { seed: SEED, numRuns: RUNS },
  );
  assertEquals(seen.size, 2);
});

Deno.test("bpf: hostile programs", () => {
  const engine = new EngineFilter();
  const cases: [string, Insn[], number, number][] = [
    ["nothing", [], 0, BpfFault.EMPTY],
    ["too much", Array<Insn>(4097).fill(ret(0)), 0, BpfFault.LONG],
    ["a jump behind the end", [insn(BpfCode.JA, 1), ret(0)], 0, BpfFault.JUMP],
    ["a jump back", [insn(BpfCode.JA, 0xffffffff), ret(0)], 0, BpfFault.JUMP],
    ["a jump that wraps", [insn(BpfCode.JA, 0x20000000), ret(0)], 0, BpfFault.JUMP],
    ["a branch behind the end", [insn(BpfCode.JEQ_K, 0, 0, 1), ret(0)], 0, BpfFault.JUMP],
    ["M[16]", [insn(BpfCode.ST, 16), ret(0)], 0, BpfFault.SCRATCH],
    ["M[-1]", [insn(BpfCode.ST, 0xffffffff), ret(0)], 0, BpfFault.SCRATCH],
    ["what was never written", [insn(BpfCode.LDX_MEM), ret(0)], 0, BpfFault.UNSET],
    ["a division by 0", [ret(1), insn(BpfCode.DIV_K), ret(0)], 1, BpfFault.DIVISION],
    ["a remainder by 0", [insn(BpfCode.MOD_K), ret(0)], 0, BpfFault.DIVISION],
    ["a shift by 32", [insn(BpfCode.LSH_K, 32), ret(0)], 0, BpfFault.SHIFT],
    ["SKF_AD_NLATTR", [insn(BpfCode.LD_W_ABS, -4084 >>> 0), ret(0)], 0, BpfFault.EXTENSION],
    ["no return", [ret(0), insn(BpfCode.TAX)], 1, BpfFault.END],
    ["a code with high bits", [insn(0x100 | BpfCode.RET_K), ret(0)], 0, BpfFault.CODE],
  ];
  for (const [name, program, index, fault] of cases) {
    assertEquals(engine.load(program), { index, fault }, name);
    assertEquals(plainVerdict(program), { index, fault }, name);
  }
  const error = assertThrows(() => validateProgram([insn(BpfCode.TAX)]), ProgramError);
  assertEquals(
    error.message,
    "bad filter program at instruction 0: the last instruction does not return",
  );
});

Deno.test("bpf: the longest program runs to its end, over the longest chain", () => {
  const engine = new EngineFilter();
  const program = [
    ...Array<Insn>(4094).fill(insn(BpfCode.LD_W_ABS, 58)),
    insn(BpfCode.AND_K, 0xff),
    insn(BpfCode.RET_A),
  ];
  assertEquals(engine.load(program).fault, BpfFault.NONE);
  const pieces = Array.from({ length: 62 }, (_, i) => Uint8Array.of(i));
  assertEquals(engine.run({ pieces }), 61);
  assertEquals(engine.run({ pieces: pieces.slice(0, 61) }), 0);
});

Deno.test("bpf: programs as bytes", () => {
  const program = [
    insn(BpfCode.LD_H_ABS, 12),
    insn(BpfCode.JEQ_K, 0x80000800, 1, 255),
    ret(0xffffffff),
  ];
  const bytes = encodeProgram(program);
  assertEquals([...bytes.subarray(8, 16)], [0x15, 0, 1, 255, 0, 8, 0, 0x80]);
  assertEquals(decodeProgram(bytes), program);
  assertThrows(() => decodeProgram(bytes.subarray(1)), RangeError);
});
