/**
 * Programs as text, in the three forms of tcpdump: `-d` for people, `-dd` for C, `-ddd` for
 * programs. All three can be printed and read.
 *
 * @module
 */

import { BpfCode } from "../assembly/abi/bpf.ts";
import { COMPARISONS, type Mnemonic, MNEMONICS, type OperandForm } from "./mnemonics.ts";
import type { Insn, Program } from "./program.ts";
import { validateProgram } from "./validate.ts";

/** Text that is no program in any of the forms. */
export class ProgramTextError extends SyntaxError {
  /** `ProgramTextError` */
  override readonly name = "ProgramTextError";
  /** Line of the text, from 1. */
  readonly line: number;

  /** The message names the line. */
  constructor(line: number, reason: string) {
    super(`bad filter program in line ${line}: ${reason}`);
    this.line = line;
  }
}

/** As `tcpdump -ddd` prints it: the number of instructions, then one a line, in decimal numbers. */
export function formatDecimal(program: Program): string {
  const lines = program.map(({ code, jt, jf, k }) => `${code} ${jt} ${jf} ${k}\n`);
  return `${program.length}\n${lines.join("")}`;
}

/** As `tcpdump -dd` prints it: initialisers for an array of `struct bpf_insn`. */
export function formatC(program: Program): string {
  return program.map(({ code, jt, jf, k }) =>
    `{ 0x${code.toString(16)}, ${jt}, ${jf}, 0x${k.toString(16).padStart(8, "0")} },\n`
  ).join("");
}

/** As `tcpdump -d` prints it: mnemonics, with the numbers of the instructions jumped to. */
export function formatAssembly(program: Program): string {
  return program.map((insn, i) => `(${String(i).padStart(3, "0")}) ${mnemonic(insn, i)}\n`).join(
    "",
  );
}

function mnemonic({ code, jt, jf, k }: Insn, i: number): string {
  const known = MNEMONICS.get(code);
  if (!known) return `unimp    0x${code.toString(16)}`;
  const head = known.name.padEnd(8) + " ";
  if (code === BpfCode.JA) return head + (i + 1 + k);
  const operand = formatOperand(known.form, k);
  if (!COMPARISONS[known.name]) return head + operand;
  return `${head}${operand.padEnd(16)} jt ${i + 1 + jt}\tjf ${i + 1 + jf}`;
}

function formatOperand(form: OperandForm, k: number): string {
  if (form === "#0xk") return `#0x${k.toString(16)}`;
  return form === "#pktlen" ? form : form.replace("k", String(k | 0));
}

/**
 * Reads a program in any of the three forms; instructions of the decimal form may also be separated
 * by commas. The program is verified.
 *
 * @throws ProgramTextError for text that is none; ProgramError for a program that may not be run
 */
export function parseProgram(text: string): Insn[] {
  const lines = text.split("\n").map((line, i) => ({ text: line.trim(), number: i + 1 }))
    .filter((line) => line.text !== "");
  if (lines.length === 0) throw new ProgramTextError(1, "there is nothing");
  const first = lines[0].text;
  const program = first.startsWith("{")
    ? lines.map(parseC)
    : /^\d+\s*(,|$)/.test(first)
    ? parseDecimal(lines)
    : lines.map(parseAssembly);
  validateProgram(program);
  return program;
}

interface Line {
  readonly text: string;
  readonly number: number;
}

function parseDecimal(lines: readonly Line[]): Insn[] {
  const items = lines.flatMap(({ text, number }) =>
    text.split(",").map((item) => ({ text: item.trim(), number }))
  ).filter(({ text }) => text !== "");
  const [head, ...rest] = items;
  const program = rest.map(({ text, number }) => {
    const match = /^(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$/.exec(text);
    if (!match) throw new ProgramTextError(number, `"${text}" is not four numbers`);
    const [code, jt, jf, k] = match.slice(1).map(Number);
    return checked({ code, jt, jf, k }, number);
  });
  if (Number(head.text) !== program.length) {
    throw new ProgramTextError(
      head.number,
      `${head.text} instructions, but ${program.length} follow`,
    );
  }
  return program;
}

function parseC({ text, number }: Line): Insn {
  const item = "\\s*(0[xX][\\da-fA-F]+|\\d+)\\s*";
  const match = new RegExp(`^\\{${item},${item},${item},${item}\\},?$`).exec(text);
  if (!match) throw new ProgramTextError(number, `"${text}" is not { code, jt, jf, k }`);
  const [code, jt, jf, k] = match.slice(1).map(Number);
  return checked({ code, jt, jf, k }, number);
}

function checked(insn: Insn, line: number): Insn {
  const { code, jt, jf, k } = insn;
  if (code > 0xffff) throw new ProgramTextError(line, `a code has 16 bits, unlike ${code}`);
  if (jt > 255 || jf > 255) throw new ProgramTextError(line, "a jump has 8 bits");
  if (k > 0xffffffff) throw new ProgramTextError(line, `an operand has 32 bits, unlike ${k}`);
  return insn;
}

const ASSEMBLY = /^\((\d+)\)\s+(\w+)\s*(.*?)\s*(?:jt\s+(\d+)\s+jf\s+(\d+))?$/;

function parseAssembly({ text, number }: Line, index: number): Insn {
  const match = ASSEMBLY.exec(text);
  if (!match) throw new ProgramTextError(number, `"${text}" is no instruction`);
  const [, at, name, operand, jt, jf] = match;
  if (Number(at) !== index) {
    throw new ProgramTextError(number, `instruction ${Number(at)} stands where ${index} is due`);
  }
  if ((jt !== undefined) !== (COMPARISONS[name] === true)) {
    throw new ProgramTextError(number, `${name} ${jt ? "has no" : "needs"} jt and jf`);
  }
  for (const [code, known] of MNEMONICS) {
    const k = known.name === name ? parseOperand(known, operand) : undefined;
    if (k === undefined) continue;
    const skips = [jt, jf].map((target) => target === undefined ? 0 : Number(target) - index - 1);
    const far = code === BpfCode.JA ? k - index - 1 : k;
    if (skips.some((skip) => skip < 0) || far < 0) {
      throw new ProgramTextError(number, "jumps lead forward only");
    }
    return checked({ code, jt: skips[0], jf: skips[1], k: far }, number);
  }
  throw new ProgramTextError(number, `"${name} ${operand}" is no instruction`);
}

/** The constant in an operand of this form, 0 if the form has none; undefined if it is another. */
function parseOperand({ form }: Mnemonic, operand: string): number | undefined {
  const at = form === "#pktlen" ? -1 : form.indexOf("k");
  if (at < 0) return operand === form ? 0 : undefined;
  const [before, after] = [form.slice(0, at), form.slice(at + 1)];
  if (!operand.startsWith(before) || !operand.endsWith(after)) return undefined;
  const digits = operand.slice(before.length, operand.length - after.length);
  if (form === "#0xk") {
    return /^[\da-f]+$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
  }
  const number = /^-?\d+$/.test(digits) ? Number(digits) : NaN;
  return number >= -(2 ** 31) && number < 2 ** 32 ? number >>> 0 : undefined;
}
