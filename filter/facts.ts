/**
 * What is known on a way through a graph of comparisons: their outcomes.
 *
 * @module
 */

import { Cmp, type Test } from "./cond.ts";
import { compare } from "./run.ts";
import { evaluate, type Value } from "./value.ts";

/** An outcome, and those that were known before it. */
interface Fact {
  readonly test: Test;
  readonly outcome: boolean;
  readonly before: Facts;
  /** How many facts there are, this one included. */
  readonly depth: number;
  /** A fact further back, so that any can be reached in a logarithmic number of steps. */
  readonly jump: Facts;
  /** The nearest fact, from this one on back, that a value is equal to a constant. */
  readonly equal: Facts;
}

/** All that is known on a way: its last fact, with those before it. */
export type Facts = Fact | undefined;

/** Facts that belong to one graph. */
export class FactBook {
  /** All facts about a comparison, on whatever way. */
  readonly #about = new Map<Test, Fact[]>();

  /** The facts with one more. */
  learn(test: Test, outcome: boolean, before: Facts): Fact {
    const { jump } = before ?? {};
    const even = before && jump &&
      before.depth - jump.depth === jump.depth - (jump.jump?.depth ?? 0);
    const equals = outcome && test.cmp === Cmp.EQ && test.right.kind === "constant";
    const fact: { -readonly [K in keyof Fact]: Fact[K] } = {
      test,
      outcome,
      before,
      depth: (before?.depth ?? 0) + 1,
      jump: even ? jump.jump : before,
      equal: before?.equal,
    };
    if (equals) fact.equal = fact;
    const about = this.#about.get(test);
    if (about) about.push(fact);
    else this.#about.set(test, [fact]);
    return fact;
  }

  /** The outcome of a comparison, as far as the facts tell. */
  decide(test: Test, facts: Facts): boolean | undefined {
    for (const fact of this.#about.get(test) ?? []) {
      if (at(facts, fact.depth) === fact) return fact.outcome;
    }
    let known: Map<number, number> | undefined;
    for (let fact = facts?.equal; fact; fact = fact.before?.equal) {
      const { left, right } = fact.test;
      if (right.kind !== "constant") continue;
      if (!mentions(test.left, left) && !mentions(test.right, left)) continue;
      known ??= new Map();
      known.set(left.id, right.k);
    }
    if (!known) return undefined;
    const left = evaluate(test.left, known);
    const right = evaluate(test.right, known);
    if (left === undefined || right === undefined) return undefined;
    return compare(test.cmp, left, right);
  }

  /** The facts that hold on either of two ways. */
  common(a: Facts, b: Facts): Facts {
    const [ownA, ownB]: [Fact[], Fact[]] = [[], []];
    let [x, y] = [a, b];
    while (x !== y) {
      if ((x?.depth ?? 0) >= (y?.depth ?? 0)) {
        ownA.push(x!);
        x = x!.before;
      } else {
        ownB.push(y!);
        y = y!.before;
      }
    }
    let both = x;
    for (const [own, other] of [[ownA, b], [ownB, a]] as const) {
      for (const { test, outcome } of own.reverse()) {
        const holds = this.decide(test, other) === outcome;
        if (holds && this.decide(test, both) === undefined) both = this.learn(test, outcome, both);
      }
    }
    return both;
  }
}

/** The fact that is so deep among the facts. */
function at(facts: Facts, depth: number): Facts {
  let fact = facts;
  while (fact && fact.depth > depth) {
    fact = fact.jump && fact.jump.depth >= depth ? fact.jump : fact.before;
  }
  return fact;
}

/** Whether a value is computed from another one. */
function mentions(value: Value, part: Value): boolean {
  if (value === part) return true;
  if (value.kind === "operation") return mentions(value.left, part) || mentions(value.right, part);
  return value.kind === "negate" && mentions(value.of, part);
}
