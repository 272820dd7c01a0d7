/**
 * Costs beside those that were written down: what must not become worse unseen.
 *
 * @module
 */

import { type Cost, KINDS } from "./count.ts";

/** Costs by the name of the work. */
export type Costs = Readonly<Record<string, Cost>>;

/** What was written down; `deno task bench:cost --write` writes it. */
export const EXPECTED = new URL("./expected.json", import.meta.url);
/** So much more than was written down is worse, as a fraction. */
export const TOLERANCE = 0.05;
/** Averages are told with so many decimals, and less than one of the last is no difference. */
const DECIMALS = 2;

/** The costs that were written down. */
export async function readExpected(): Promise<Costs> {
  return JSON.parse(await Deno.readTextFile(EXPECTED));
}

/** Writes costs down. */
export async function writeExpected(costs: Costs): Promise<void> {
  const rounded = (_: string, value: unknown) =>
    typeof value === "number" ? Number(value.toFixed(DECIMALS)) : value;
  await Deno.writeTextFile(EXPECTED, JSON.stringify(costs, rounded, 2) + "\n");
}

/** One line for each cost that is worse than it should be, or that only one side knows. */
export function worse(expected: Costs, found: Costs): string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...names].flatMap((name) => {
    if (!(name in found)) return [`${name}: is written down, and counted no more`];
    if (!(name in expected)) return [`${name}: is not written down`];
    return KINDS.filter((kind) => isWorse(expected[name][kind], found[name][kind])).map((kind) => {
      const [from, to] = [expected[name][kind], found[name][kind]];
      return `${name}: ${kind} ${to.toFixed(DECIMALS)}, where ${from} is written down`;
    });
  });
}

function isWorse(expected: number, found: number): boolean {
  return found > expected * (1 + TOLERANCE) + 10 ** -DECIMALS;
}
