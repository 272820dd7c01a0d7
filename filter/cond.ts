/**
 * Conditions: comparisons of two values, joined by and, or and not.
 *
 * @module
 */

import { compare } from "./run.ts";
import { Op, type Value, Values } from "./value.ts";

/** How two values are compared, as the bits of the instruction. */
export const Cmp = { EQ: 0x10, GT: 0x20, GE: 0x30, SET: 0x40 } as const;

/** One of the comparisons. */
export type CmpBits = typeof Cmp[keyof typeof Cmp];

/** A comparison; equal ones are one object. */
export interface Test {
  readonly cmp: CmpBits;
  readonly left: Value;
  readonly right: Value;
}

/** Something that is true or false of a packet. */
export type Cond =
  | { readonly kind: "constant"; readonly value: boolean }
  | { readonly kind: "test"; readonly test: Test }
  | { readonly kind: "not"; readonly of: Cond }
  | { readonly kind: "and" | "or"; readonly parts: readonly Cond[] };

/** True of every packet. */
export const TRUE: Cond = { kind: "constant", value: true };
/** True of no packet. */
export const FALSE: Cond = { kind: "constant", value: false };

/** All of these, asked in this order. */
export function and(...parts: Cond[]): Cond {
  return { kind: "and", parts };
}

/** One of these, asked in this order. */
export function or(...parts: Cond[]): Cond {
  return { kind: "or", parts };
}

/** The contrary. */
export function not(of: Cond): Cond {
  return { kind: "not", of };
}

/** Makes the conditions of one filter, over its values. */
export class Conds {
  readonly values: Values = new Values();
  readonly #known = new Map<string, Test>();

  /** Whether two values are equal. */
  eq(left: Value, right: Value | number): Cond {
    return this.test(Cmp.EQ, left, this.#value(right));
  }

  /** Whether the first is larger, unsigned. */
  gt(left: Value, right: Value | number): Cond {
    return this.test(Cmp.GT, left, this.#value(right));
  }

  /** Whether the first is at least as large, unsigned. */
  ge(left: Value, right: Value | number): Cond {
    return this.test(Cmp.GE, left, this.#value(right));
  }

  /** Whether they have a bit in common. */
  set(left: Value, right: Value | number): Cond {
    return this.test(Cmp.SET, left, this.#value(right));
  }

  /** Whether the bits of a mask are those of a number; all are, if there are none. */
  masked(left: Value, mask: number, k: number): Cond {
    if (mask === 0) return TRUE;
    return this.eq(this.values.operation(Op.AND, left, this.values.constant(mask)), k);
  }

  #value(value: Value | number): Value {
    return typeof value === "number" ? this.values.constant(value) : value;
  }

  /** A comparison in its shortest form. */
  test(cmp: CmpBits, left: Value, right: Value): Cond {
    if (left.kind === "constant" && right.kind === "constant") {
      return compare(cmp, left.k, right.k) ? TRUE : FALSE;
    }
    if (left.kind === "constant") return this.#turned(cmp, left, right);
    if (right.kind === "constant") {
      const shorter = cmp === Cmp.EQ
        ? this.#equalsConstant(left, right.k)
        : this.#comparesConstant(cmp, left, right.k);
      if (shorter) return shorter;
    }
    const key = `${cmp},${left.id},${right.id}`;
    let test = this.#known.get(key);
    if (!test) this.#known.set(key, test = { cmp, left, right });
    return { kind: "test", test };
  }

  /** A comparison whose constant stands at the left. */
  #turned(cmp: CmpBits, left: Value, right: Value): Cond {
    if (cmp === Cmp.GT) return not(this.test(Cmp.GE, right, left));
    if (cmp === Cmp.GE) return not(this.test(Cmp.GT, right, left));
    return this.test(cmp, right, left);
  }

  /** What an operation with a constant does can as well be undone on the other side. */
  #equalsConstant(left: Value, k: number): Cond | undefined {
    if (left.kind !== "operation") return undefined;
    const { op, right } = left;
    if (right.kind !== "constant") {
      return op === Op.SUB && k === 0 ? this.test(Cmp.EQ, left.left, right) : undefined;
    }
    if (op === Op.ADD) return this.eq(left.left, (k - right.k) >>> 0);
    if (op === Op.SUB) return this.eq(left.left, (k + right.k) >>> 0);
    if (op === Op.XOR) return this.eq(left.left, (k ^ right.k) >>> 0);
    if (op !== Op.AND) return undefined;
    if (k === 0) return not(this.set(left.left, right));
    const single = (k & (k - 1)) === 0 && k === right.k;
    return single ? this.set(left.left, right) : undefined;
  }

  #comparesConstant(cmp: CmpBits, left: Value, k: number): Cond | undefined {
    if (cmp === Cmp.GE && k === 0) return TRUE;
    if (cmp === Cmp.SET && k === 0) return FALSE;
    if (cmp === Cmp.SET && k === 0xffffffff) return not(this.eq(left, 0));
    const masks = left.kind === "operation" && left.op === Op.AND;
    if (cmp !== Cmp.SET || !masks || left.right.kind !== "constant") return undefined;
    return this.set(left.left, (left.right.k & k) >>> 0);
  }
}
