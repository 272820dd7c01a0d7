/**
 * Makes a program of a graph: where its values are computed, which registers hold them, and where
 * jumps lead.
 *
 * @module
 */

import { BpfCode, BpfLimit } from "../assembly/abi/bpf.ts";
import { type Branch, inOrder, type Node } from "./graph.ts";
import type { Insn } from "./program.ts";
import { Op, type Value } from "./value.ts";

const SRC_X = 8;
const JMP = 5;
const ALU = 4;
const JUMP_MAX = 255;
const LOAD = {
  1: { abs: BpfCode.LD_B_ABS, ind: BpfCode.LD_B_IND },
  2: { abs: BpfCode.LD_H_ABS, ind: BpfCode.LD_H_IND },
  4: { abs: BpfCode.LD_W_ABS, ind: BpfCode.LD_W_IND },
} as const;

/** The filter needs more of something than there is. */
export class TooComplex extends Error {
  /** `TooComplex` */
  override readonly name = "TooComplex";
}

/** What the registers hold; undefined for something that is not known. */
interface Registers {
  readonly a: Value | undefined;
  readonly x: Value | undefined;
}

/** One branch as instructions: those that compute, and the comparison behind them. */
interface Block {
  readonly branch: Branch;
  readonly insns: readonly Insn[];
  readonly compare: number;
  readonly k: number;
  /** Whether an outcome is too far for a conditional jump, and needs another jump. */
  far: { yes: boolean; no: boolean };
  at: number;
}

/** The program of a graph; a verdict of true answers `keep`. */
export function emit(root: Node, keep: number): Insn[] {
  const order = inOrder(root);
  const entries = new Map<Branch, Registers>();
  const blocks = order.map((branch) => {
    const { block, after } = compute(branch, entries.get(branch) ?? { a: undefined, x: undefined });
    for (const next of [branch.yes, branch.no]) {
      if (typeof next === "boolean") continue;
      const before = entries.get(next);
      entries.set(next, before ? agreed(before, after) : after);
    }
    return block;
  });
  return link(root, joined(blocks), keep);
}

/**
 * Joins blocks that have come out equal: those that compare what is in A already, whatever it is.
 * What follows them was computed for registers that hold the same on both ways.
 */
function joined(blocks: readonly Block[]): Block[] {
  const known = new Map<string, Branch>();
  const instead = new Map<Node, Branch>();
  const numbers = new Map<Node, number>([[true, -1], [false, -2]]);
  blocks.forEach(({ branch }, i) => numbers.set(branch, i));
  const left: Block[] = [];
  for (const block of blocks.toReversed()) {
    const { branch, insns, compare, k } = block;
    branch.yes = instead.get(branch.yes) ?? branch.yes;
    branch.no = instead.get(branch.no) ?? branch.no;
    const targets = [numbers.get(branch.yes), numbers.get(branch.no)];
    const code = insns.map((insn) => `${insn.code} ${insn.k}`);
    const key = [...code, compare, k, ...targets].join();
    const same = known.get(key);
    if (same) instead.set(branch, same);
    else {
      known.set(key, branch);
      left.push(block);
    }
  }
  return left.reverse();
}

function agreed(one: Registers, other: Registers): Registers {
  return {
    a: one.a === other.a ? one.a : undefined,
    x: one.x === other.x ? one.x : undefined,
  };
}

function compute(branch: Branch, entry: Registers): { block: Block; after: Registers } {
  const code = new Code(entry);
  const { cmp, left, right } = branch.test;
  const constant = right.kind === "constant";
  if (constant) code.toA(left);
  else code.toAandX(left, right);
  const block = {
    branch,
    insns: code.insns,
    compare: JMP | cmp | (constant ? 0 : SRC_X),
    k: constant ? right.k : 0,
    far: { yes: false, no: false },
    at: 0,
  };
  return { block, after: { a: code.a, x: code.x } };
}

/** Instructions that compute values. */
class Code {
  readonly insns: Insn[] = [];
  a: Value | undefined;
  x: Value | undefined;
  #words = 0;

  constructor({ a, x }: Registers) {
    this.a = a;
    this.x = x;
  }

  #add(code: number, k = 0): void {
    this.insns.push({ code, jt: 0, jf: 0, k });
  }

  /** Computes a value into A; X may be lost. */
  toA(value: Value): void {
    if (this.a === value) return;
    switch (value.kind) {
      case "constant":
        this.#add(BpfCode.LD_IMM, value.k);
        break;
      case "length":
        this.#add(BpfCode.LD_LEN);
        break;
      case "load":
        if (value.x) this.toX(value.x);
        this.#add(value.x ? LOAD[value.bytes].ind : LOAD[value.bytes].abs, value.k);
        break;
      case "header":
        this.toX(value);
        this.#add(BpfCode.TXA);
        break;
      case "negate":
        this.toA(value.of);
        this.#add(BpfCode.NEG);
        break;
      default:
        this.#operate(value);
    }
    this.a = value;
  }

  #operate({ op, left, right }: Value & { kind: "operation" }): void {
    if (right.kind === "constant") {
      this.toA(left);
      this.#add(ALU | op, right.k);
      return;
    }
    // X holds the left operand often enough: a length that an offset is added to
    const turned = this.x === left && (op === Op.ADD || op === Op.MUL);
    if (turned) this.toAandX(right, left);
    else this.toAandX(left, right);
    this.#add(ALU | op | SRC_X);
  }

  /** Computes one value into A and another into X. */
  toAandX(a: Value, x: Value): void {
    if (a === x) {
      this.toA(a);
      this.#moveToX();
    } else if (isSimple(x) || this.x === x && !losesX(a)) {
      this.toA(a);
      this.toX(x);
    } else if (!losesX(a)) {
      this.toX(x);
      this.toA(a);
    } else if (rightFirst(a, x) <= leftFirst(a, x)) {
      this.toA(x);
      const word = this.#store();
      this.toA(a);
      this.#add(BpfCode.LDX_MEM, word);
      this.x = x;
      this.#words--;
    } else {
      this.toA(a);
      const word = this.#store();
      this.toX(x);
      this.#add(BpfCode.LD_MEM, word);
      this.a = a;
      this.#words--;
    }
  }

  /** Keeps A in a word of scratch memory; answers which. */
  #store(): number {
    if (this.#words === BpfLimit.MEMWORDS) {
      throw new TooComplex(`it needs more than ${BpfLimit.MEMWORDS} words of memory`);
    }
    this.#add(BpfCode.ST, this.#words);
    return this.#words++;
  }

  /** Computes a value into X; A may be lost unless the value is simple. */
  toX(value: Value): void {
    if (this.x === value) return;
    if (value.kind === "constant") this.#add(BpfCode.LDX_IMM, value.k);
    else if (value.kind === "length") this.#add(BpfCode.LDX_LEN);
    else if (value.kind === "header") this.#add(BpfCode.LDX_MSH, value.k);
    else {
      this.toA(value);
      this.#moveToX();
    }
    this.x = value;
  }

  #moveToX(): void {
    this.#add(BpfCode.TAX);
    this.x = this.a;
  }
}

/** Words of scratch memory for two operands, if the right one is computed first and kept. */
function rightFirst(left: Value, right: Value): number {
  return Math.max(words(right), 1 + words(left));
}

/** The same if it is the left one. */
function leftFirst(left: Value, right: Value): number {
  return Math.max(words(left), 1 + words(right));
}

const WORDS = new WeakMap<Value, number>();

/** Words of scratch memory that a value needs to be computed. */
function words(value: Value): number {
  let count = WORDS.get(value);
  if (count === undefined) WORDS.set(value, count = countWords(value));
  return count;
}

function countWords(value: Value): number {
  if (value.kind === "load") return value.x ? words(value.x) : 0;
  if (value.kind === "negate") return words(value.of);
  if (value.kind !== "operation") return 0;
  const { left, right } = value;
  if (left === right || isSimple(right)) return words(left);
  if (!losesX(left)) return Math.max(words(left), words(right));
  return Math.min(rightFirst(left, right), leftFirst(left, right));
}

/** Whether a value comes into X without A. */
function isSimple(value: Value): boolean {
  return value.kind === "constant" || value.kind === "length" || value.kind === "header";
}

/** Whether computing a value needs X. */
function losesX(value: Value): boolean {
  switch (value.kind) {
    case "load":
      return value.x !== undefined;
    case "header":
      return true;
    case "negate":
      return losesX(value.of);
    case "operation":
      return value.right.kind !== "constant" || losesX(value.left);
    default:
      return false;
  }
}

/** Puts the blocks in a row, with the verdicts behind them. */
function link(root: Node, blocks: Block[], keep: number): Insn[] {
  const blockOf = new Map(blocks.map((block) => [block.branch, block]));
  const ends = verdicts(root, blocks);
  const place = new Map<Node, number>();
  for (let again = true; again;) {
    let at = 0;
    for (const block of blocks) {
      place.set(block.branch, at);
      block.at = at + block.insns.length;
      at = block.at + 1 + Number(block.far.yes) + Number(block.far.no);
    }
    ends.forEach((end, i) => place.set(end, at + i));
    if (at + ends.length > BpfLimit.INSNS) {
      throw new TooComplex(`it needs more than ${BpfLimit.INSNS} instructions`);
    }
    again = false;
    for (const { branch, far, at } of blockOf.values()) {
      for (const side of ["yes", "no"] as const) {
        if (far[side] || place.get(branch[side])! - at - 1 <= JUMP_MAX) continue;
        far[side] = true;
        again = true;
      }
    }
  }
  const program = blocks.flatMap((block) => [...block.insns, ...jumps(block, place)]);
  for (const end of ends) program.push({ code: BpfCode.RET_K, jt: 0, jf: 0, k: end ? keep : 0 });
  return program;
}

/** The verdicts that occur, those of the last branch first. */
function verdicts(root: Node, blocks: readonly Block[]): boolean[] {
  if (typeof root === "boolean") return [root];
  const targets = blocks.toReversed().flatMap(({ branch }) => [branch.yes, branch.no]);
  return [...new Set(targets.filter((target) => typeof target === "boolean"))];
}

/** The comparison of a block, and jumps behind it to what is too far away. */
function jumps({ branch, compare, k, far, at }: Block, place: ReadonlyMap<Node, number>): Insn[] {
  const to = (side: "yes" | "no") => place.get(branch[side])!;
  const near = {
    yes: far.yes ? 0 : to("yes") - at - 1,
    no: far.no ? Number(far.yes) : to("no") - at - 1,
  };
  const insns = [{ code: compare, jt: near.yes, jf: near.no, k }];
  for (const side of ["yes", "no"] as const) {
    if (!far[side]) continue;
    insns.push({ code: BpfCode.JA, jt: 0, jf: 0, k: to(side) - at - insns.length - 1 });
  }
  return insns;
}
