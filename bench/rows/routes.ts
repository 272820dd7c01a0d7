/**
 * Looking routes up in tables of several sizes, with prefixes as long as those of the internet, for
 * destinations at random, so that the cache before the table is of no use. Beside a table in plain
 * TypeScript, a Map for each length of prefix. CPU time of the process.
 *
 * @module
 */

import { NullDriver } from "../../drivers/null.ts";
import { createStack } from "../../mod.ts";
import { cpuSeconds } from "../cpu_time.ts";
import { part, type Row, type Subject } from "../row.ts";

const SIZES = [10, 1000, 100_000];
const LOOKUPS = 2_000_000;
const DESTINATIONS = 1 << 16;
/** Lengths of prefixes, each as often as it stands here. */
const LENGTHS = [8, 12, 14, 16, 16, 17, 18, 19, 20, 20, 21, 22, 22, 23, 24, 24, 24, 24, 24, 24, 32];

/** A network. */
interface Prefix {
  readonly net: number;
  readonly bits: number;
}

/** Numbers of 32 bits that are always the same (Marsaglia's xorshift). */
function random(): () => number {
  let x = 2463534242;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

function maskOf(bits: number): number {
  return (0xffffffff << (32 - bits)) >>> 0;
}

/** So many different prefixes in 1.0.0.0 to 126.255.255.255. */
function prefixes(count: number): Prefix[] {
  const next = random();
  const found = new Map<string, Prefix>();
  while (found.size < count) {
    const bits = LENGTHS[next() % LENGTHS.length];
    const net = ((1 + next() % 126) << 24 | next() >>> 8) & maskOf(bits);
    found.set(`${net}/${bits}`, { net: net >>> 0, bits });
  }
  return [...found.values()];
}

/** Destinations, each within one of the prefixes. */
function destinations(table: readonly Prefix[]): Int32Array {
  const next = random();
  return Int32Array.from({ length: DESTINATIONS }, () => {
    const { net, bits } = table[next() % table.length];
    return net | (next() & ~maskOf(bits));
  });
}

/** Nanoseconds for each lookup; every one must find something. */
async function measure(
  lookup: (destination: number) => unknown,
  wanted: Int32Array,
  lookups: number,
): Promise<number> {
  let missed = 0;
  const taken = await cpuSeconds(() => {
    for (let i = 0; i < lookups; i++) {
      if (!lookup(wanted[i & (DESTINATIONS - 1)])) missed++;
    }
  });
  if (missed > 0) throw new Error(`${missed} lookups found nothing`);
  return taken * 1e9 / lookups;
}

async function ours(size: number, share: number): Promise<Subject> {
  const stack = await createStack({
    memory: { routes: size + 100 },
    interfaces: [{ driver: new NullDriver(), addresses: ["192.0.2.1/24"] }],
  });
  const table = prefixes(size);
  const text = (net: number) => [24, 16, 8, 0].map((shift) => net >>> shift & 255).join(".");
  for (const { net, bits } of table) {
    stack.route.add(`${text(net)}/${bits}`, { gateway: "192.0.2.2" });
  }
  const lookup = stack.engine.exports.route_lookup as (destination: number) => number;
  const wanted = destinations(table);
  return {
    measure: () => measure(lookup, wanted, part(LOOKUPS, share)),
    close: () => stack.close(),
  };
}

function plain(size: number, share: number): Promise<Subject> {
  const table = prefixes(size);
  const lengths = new Map<number, Map<number, Prefix>>();
  for (const prefix of table.toSorted((a, b) => b.bits - a.bits)) {
    const { net, bits } = prefix;
    if (!lengths.has(bits)) lengths.set(bits, new Map());
    lengths.get(bits)!.set(net, prefix);
  }
  const tables = [...lengths].map(([bits, nets]) => ({ mask: maskOf(bits), nets }));
  const lookup = (destination: number) => {
    for (const { mask, nets } of tables) {
      const found = nets.get((destination & mask) >>> 0);
      if (found !== undefined) return found;
    }
  };
  const wanted = destinations(table);
  return Promise.resolve({
    measure: () => measure(lookup, wanted, part(LOOKUPS, share)),
    close: () => {},
  });
}

/** A row for each size. */
export const routeRows: readonly Row[] = SIZES.map((size): Row => ({
  name: `route-lookup-${size}`,
  unit: "ns",
  better: "less",
  about: `the route to a destination at random, among ${size.toLocaleString("en")}`,
  ours: (share) => ours(size, share),
  reference: { name: "Maps in TypeScript", start: (share) => plain(size, share) },
}));
