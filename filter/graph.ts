/**
 * A condition as a graph of comparisons, each of which leads to another one or to a verdict, and
 * what makes such a graph smaller.
 *
 * What a packet holds does not change while it is looked at. So where a comparison has been made on
 * every way to an edge, or its outcome follows from others, the edge can lead past it.
 *
 * @module
 */

import type { Cond, Test } from "./cond.ts";
import { FactBook, type Facts } from "./facts.ts";
import type { Value } from "./value.ts";

/** A verdict, or a comparison and where its outcomes lead. */
export type Node = boolean | Branch;

/** A comparison and where its outcomes lead. */
export interface Branch {
  readonly test: Test;
  yes: Node;
  no: Node;
}

/** More rounds than any graph needs that was seen; each makes the graph smaller. */
const ROUNDS_MAX = 20;

/** The graph of a condition that leads to `yes` or to `no`. */
export function toGraph(cond: Cond, yes: Node = true, no: Node = false): Node {
  let [rest, t, f] = [cond, yes, no];
  // Long rows stand in the first part of each other: so that part is the next round, not a call.
  while (rest.kind !== "constant" && rest.kind !== "test") {
    if (rest.kind === "not") {
      [rest, t, f] = [rest.of, f, t];
      continue;
    }
    const { kind, parts }: Cond & { kind: "and" | "or" } = rest;
    for (let i = parts.length - 1; i > 0; i--) {
      const next = toGraph(parts[i], t, f);
      if (kind === "and") t = next;
      else f = next;
    }
    rest = parts[0];
  }
  if (rest.kind === "constant") return rest.value ? t : f;
  return { test: rest.test, yes: t, no: f };
}

/** The branches that can be reached, each before those that it leads to. */
export function inOrder(root: Node): Branch[] {
  const seen = new Set<Branch>();
  const order: Branch[] = [];
  // Depth first without recursion: a branch is pushed a second time, to be listed when all that it
  // leads to has been.
  const stack: { branch: Branch; left: boolean }[] = [];
  const visit = (node: Node) => {
    if (typeof node !== "boolean" && !seen.has(node)) stack.push({ branch: node, left: false });
  };
  visit(root);
  while (stack.length > 0) {
    const top = stack.pop()!;
    if (top.left) order.push(top.branch);
    else if (!seen.has(top.branch)) {
      seen.add(top.branch);
      stack.push({ branch: top.branch, left: true });
      // what is pushed last is listed first, and so stands last
      visit(top.branch.yes);
      visit(top.branch.no);
    }
  }
  return order.reverse();
}

/** Makes a graph smaller, without changing a verdict. */
export function simplify(root: Node): Node {
  let node = merge(root);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const threaded = thread(node);
    node = merge(threaded.root);
    const grouped = group(node);
    if (!threaded.changed && !grouped) break;
  }
  return node;
}

/** Joins branches that do the same, and leaves out those whose outcomes lead to the same. */
function merge(root: Node): Node {
  const numbers = new Map<Test | Node, number>([[true, 0], [false, 1]]);
  const number = (item: Test | Node) => {
    const known = numbers.get(item);
    if (known !== undefined) return known;
    numbers.set(item, numbers.size);
    return numbers.size - 1;
  };
  const instead = new Map<Branch, Node>();
  const resolve = (node: Node) => typeof node === "boolean" ? node : instead.get(node)!;
  const known = new Map<string, Branch>();
  for (const branch of inOrder(root).reverse()) {
    branch.yes = resolve(branch.yes);
    branch.no = resolve(branch.no);
    if (branch.yes === branch.no) {
      instead.set(branch, branch.yes);
      continue;
    }
    const key = `${number(branch.test)},${number(branch.yes)},${number(branch.no)}`;
    const same = known.get(key) ?? branch;
    known.set(key, same);
    instead.set(branch, same);
  }
  return resolve(root);
}

/** Leads every edge past the branches whose outcome is known on it. */
function thread(root: Node): { root: Node; changed: boolean } {
  let changed = false;
  const book = new FactBook();
  const known = new Map<Branch, Facts>();
  /** Where an edge leads that comes with these facts; they are noted there. */
  const follow = (to: Node, facts: Facts): Node => {
    let node = to;
    while (typeof node !== "boolean") {
      const outcome = book.decide(node.test, facts);
      if (outcome === undefined) break;
      node = outcome ? node.yes : node.no;
      changed = true;
    }
    if (typeof node !== "boolean") {
      known.set(node, known.has(node) ? book.common(known.get(node), facts) : facts);
    }
    return node;
  };
  const order = inOrder(root);
  const start = follow(root, undefined);
  for (const branch of order) {
    if (!known.has(branch)) continue; // nothing leads here any more
    const before = known.get(branch);
    branch.yes = follow(branch.yes, book.learn(branch.test, true, before));
    branch.no = follow(branch.no, book.learn(branch.test, false, before));
  }
  return { root: start, changed };
}

/**
 * In rows of branches that have one outcome in common, and so may be asked in any order, brings
 * those together that look at the same value: then it is loaded once.
 */
function group(root: Node): boolean {
  const order = inOrder(root);
  const ways = new Map<Node, number>();
  for (const { yes, no } of order) {
    for (const node of [yes, no]) ways.set(node, (ways.get(node) ?? 0) + 1);
  }
  let changed = false;
  for (const side of ["yes", "no"] as const) {
    const seen = new Set<Branch>();
    for (const first of order) {
      if (seen.has(first)) continue;
      const row = rowFrom(first, side, ways);
      for (const branch of row) seen.add(branch);
      changed = regroup(row, side) || changed;
    }
  }
  return changed;
}

/** The branches that follow each other on one side, and have the other side in common. */
function rowFrom(first: Branch, side: "yes" | "no", ways: ReadonlyMap<Node, number>): Branch[] {
  const other = side === "yes" ? "no" : "yes";
  const row = [first];
  for (let node = first[side]; typeof node !== "boolean"; node = node[side]) {
    // it must be reached by the row alone, and load nothing that was not loaded before
    const free = ways.get(node) === 1 && node.test.right.kind === "constant";
    if (node[other] !== first[other] || !free) break;
    row.push(node);
  }
  return row;
}

function regroup(row: readonly Branch[], side: "yes" | "no"): boolean {
  const groups = new Map<Value, Branch[]>();
  for (const branch of row) {
    const same = groups.get(branch.test.left);
    if (same) same.push(branch);
    else groups.set(branch.test.left, [branch]);
  }
  const sorted = [...groups.values()].flat();
  if (sorted.every((branch, i) => branch === row[i])) return false;
  const after = row.at(-1)![side];
  sorted.forEach((branch, i) => branch[side] = sorted[i + 1] ?? after);
  return true;
}
