/**
 * Numbers that a filter computes from a packet, as trees. Equal trees are one object, so two values
 * are the same just if they are identical; what can be computed without a packet is a constant.
 *
 * @module
 */

import { arithmetic } from "./run.ts";

/** Operations with two operands, as the bits of their instructions. */
export const Op = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  MOD: 0x90,
  XOR: 0xa0,
} as const;

/** One of the operations. */
export type OpBits = typeof Op[keyof typeof Op];

/** A number of 32 bits. Each has its own number, `id`. */
export type Value =
  | { readonly kind: "constant"; readonly id: number; readonly k: number }
  | { readonly kind: "length"; readonly id: number }
  | {
    /** Bytes of the packet at k, or at x + k. */
    readonly kind: "load";
    readonly id: number;
    readonly bytes: 1 | 2 | 4;
    readonly k: number;
    readonly x: Value | undefined;
  }
  /** 4 * (the byte at k & 15): length of an IPv4 header. */
  | { readonly kind: "header"; readonly id: number; readonly k: number }
  | { readonly kind: "negate"; readonly id: number; readonly of: Value }
  | {
    readonly kind: "operation";
    readonly id: number;
    readonly op: OpBits;
    readonly left: Value;
    readonly right: Value;
  };

const COMMUTATIVE = new Set<OpBits>([Op.ADD, Op.MUL, Op.OR, Op.AND, Op.XOR]);

/** Constants that change nothing at the right of an operation. */
const NEUTRAL: ReadonlyMap<OpBits, number> = new Map<OpBits, number>([
  [Op.ADD, 0],
  [Op.SUB, 0],
  [Op.MUL, 1],
  [Op.DIV, 1],
  [Op.OR, 0],
  [Op.AND, 0xffffffff],
  [Op.LSH, 0],
  [Op.RSH, 0],
  [Op.XOR, 0],
]);

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

/** Makes the values of one filter. */
export class Values {
  readonly #known = new Map<string, Value>();

  /** A number known beforehand. */
  constant(k: number): Value {
    return this.#one(`#${k >>> 0}`, { kind: "constant", k: k >>> 0 });
  }

  /** Length of the packet on the wire. */
  length(): Value {
    return this.#one("len", { kind: "length" });
  }

  /** Bytes of the packet at k, or at x + k. */
  load(bytes: 1 | 2 | 4, k: number, x?: Value): Value {
    if (x?.kind === "constant" && x.k + k < 2 ** 31) return this.load(bytes, x.k + k);
    return this.#one(`[${x?.id ?? ""},${k},${bytes}]`, { kind: "load", bytes, k, x });
  }

  /** Length of the IPv4 header that begins at k. */
  header(k: number): Value {
    return this.#one(`msh${k}`, { kind: "header", k });
  }

  /** The value with the other sign. */
  negate(of: Value): Value {
    if (of.kind === "constant") return this.constant(-of.k);
    return this.#one(`-${of.id}`, { kind: "negate", of });
  }

  /** The result of an operation; a division by a constant 0 must not be asked for. */
  operation(op: OpBits, left: Value, right: Value): Value {
    if (left.kind === "constant" && right.kind === "constant") {
      return this.constant(arithmetic(op, left.k, right.k));
    }
    if (left.kind === "constant" && COMMUTATIVE.has(op)) return this.operation(op, right, left);
    if (right.kind === "constant") {
      if (right.k === NEUTRAL.get(op)) return left;
      const inner = left.kind === "operation" && left.op === op ? left : undefined;
      if (inner?.right.kind === "constant" && (op === Op.ADD || op === Op.AND)) {
        const both = this.constant(arithmetic(op, inner.right.k, right.k));
        return this.operation(op, inner.left, both);
      }
    }
    const key = `${left.id},${op},${right.id}`;
    return this.#one(key, { kind: "operation", op, left, right });
  }

  #one(key: string, value: WithoutId<Value>): Value {
    let known = this.#known.get(key);
    if (!known) this.#known.set(key, known = { ...value, id: this.#known.size } as Value);
    return known;
  }
}

/** The value as a number, where some values are known to be constants; undefined if it is not. */
export function evaluate(value: Value, known: ReadonlyMap<number, number>): number | undefined {
  const told = known.get(value.id);
  if (told !== undefined) return told;
  switch (value.kind) {
    case "constant":
      return value.k;
    case "negate": {
      const of = evaluate(value.of, known);
      return of === undefined ? undefined : -of >>> 0;
    }
    case "operation": {
      const left = evaluate(value.left, known);
      const right = left === undefined ? undefined : evaluate(value.right, known);
      if (left === undefined || right === undefined) return undefined;
      const result = arithmetic(value.op, left, right);
      return result < 0 ? undefined : result;
    }
    default:
      return undefined;
  }
}
