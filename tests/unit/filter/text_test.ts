/** Programs as text, in tcpdump's three forms. */

import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BpfCode } from "../../../assembly/abi/bpf.ts";
import { MNEMONICS } from "../../../filter/mnemonics.ts";
import type { Insn } from "../../../filter/program.ts";
import { ProgramError } from "../../../filter/program.ts";
import {
  formatAssembly,
  formatC,
  formatDecimal,
  parseProgram,
  ProgramTextError,
} from "../../../filter/text.ts";
import { soundProgram } from "./programs.ts";

const SEED = 0x74787400;

/** What `tcpdump -y EN10MB` prints for `tcp[13] = 2`. */
const SYN: { readonly [form: string]: string } = {
  d: `(000) ldh      [12]
(001) jeq      #0x800           jt 2\tjf 10
(002) ldb      [23]
(003) jeq      #0x6             jt 4\tjf 10
(004) ldh      [20]
(005) jset     #0x1fff          jt 10\tjf 6
(006) ldxb     4*([14]&0xf)
(007) ldb      [x + 27]
(008) jeq      #0x2             jt 9\tjf 10
(009) ret      #262144
(010) ret      #0
`,
  dd: `{ 0x28, 0, 0, 0x0000000c },
{ 0x15, 0, 8, 0x00000800 },
{ 0x30, 0, 0, 0x00000017 },
{ 0x15, 0, 6, 0x00000006 },
{ 0x28, 0, 0, 0x00000014 },
{ 0x45, 4, 0, 0x00001fff },
{ 0xb1, 0, 0, 0x0000000e },
{ 0x50, 0, 0, 0x0000001b },
{ 0x15, 0, 1, 0x00000002 },
{ 0x6, 0, 0, 0x00040000 },
{ 0x6, 0, 0, 0x00000000 },
`,
  ddd: `11
40 0 0 12
21 0 8 2048
48 0 0 23
21 0 6 6
40 0 0 20
69 4 0 8191
177 0 0 14
80 0 0 27
21 0 1 2
6 0 0 262144
6 0 0 0
`,
};

Deno.test("filter text: what tcpdump prints is read, and printed back", () => {
  const program = parseProgram(SYN.ddd);
  assertEquals(program.length, 11);
  assertEquals(program[8], { code: BpfCode.JEQ_K, jt: 0, jf: 1, k: 2 });
  assertEquals(parseProgram(SYN.d), program);
  assertEquals(parseProgram(SYN.dd), program);
  assertEquals(formatAssembly(program), SYN.d);
  assertEquals(formatC(program), SYN.dd);
  assertEquals(formatDecimal(program), SYN.ddd);
  assertEquals(parseProgram(SYN.ddd.trim().replaceAll("\n", ",")), program, "commas");
});

Deno.test("filter text: each form of every sound program is read back as it was", () => {
  /** Targets of what does not jump have no place in the text for people. */
  const plain = (insn: Insn): Insn => {
    const compares = (insn.code & 7) === 5 && insn.code !== BpfCode.JA;
    const form = MNEMONICS.get(insn.code)!.form;
    const k = form.includes("k") && form !== "#pktlen" ? insn.k : 0;
    return { code: insn.code, jt: compares ? insn.jt : 0, jf: compares ? insn.jf : 0, k };
  };
  fc.assert(
    fc.property(soundProgram, (program) => {
      assertEquals(parseProgram(formatDecimal(program)), program);
      assertEquals(parseProgram(formatC(program)), program);
      const shown = program.map(plain);
      assertEquals(parseProgram(formatAssembly(program)), shown);
    }),
    { seed: SEED, numRuns: 1000 },
  );
});

Deno.test("filter text: what is wrong is told with its line", () => {
  const cases: [text: string, line: number, reason: string][] = [
    ["", 1, "there is nothing"],
    ["2\n6 0 0 0\n", 1, "2 instructions, but 1 follow"],
    ["1\n\n6 0 0\n", 3, '"6 0 0" is not four numbers'],
    ["1\n6 0 0 -1\n", 2, '"6 0 0 -1" is not four numbers'],
    ["1\n65542 0 0 0\n", 2, "a code has 16 bits, unlike 65542"],
    ["1\n6 0 0 4294967296\n", 2, "an operand has 32 bits, unlike 4294967296"],
    ["1\n6 256 0 0\n", 2, "a jump has 8 bits"],
    ["{ 0x6, 0, 0 },", 1, '"{ 0x6, 0, 0 }," is not { code, jt, jf, k }'],
    ["(000) ret #0\n(002) ret #0", 2, "instruction 2 stands where 1 is due"],
    ["(000) jeq #0x1", 1, "jeq needs jt and jf"],
    ["(000) ret #1 jt 1 jf 2", 1, "ret has no jt and jf"],
    ["(000) jeq #0x1 jt 0 jf 1", 1, "jumps lead forward only"],
    ["(000) ja 0", 1, "jumps lead forward only"],
    ["(000) call #1", 1, '"call #1" is no instruction'],
    ["(000) ld [x]", 1, '"ld [x]" is no instruction'],
    ["tcp port 80", 1, '"tcp port 80" is no instruction'],
  ];
  for (const [text, line, reason] of cases) {
    const error = assertThrows(() => parseProgram(text), ProgramTextError);
    assertEquals(error.message, `bad filter program in line ${line}: ${reason}`);
    assertEquals(error.line, line);
  }
  const error = assertThrows(() => parseProgram("1\n0 0 0 0\n"), ProgramError);
  assertEquals(error.index, 0);
});
