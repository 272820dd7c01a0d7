/**
 * Filters against the real tcpdump, on packets of all kinds: which packets of a capture it keeps
 * for an expression, and what the engine says of each with the program that was compiled here, and
 * with tcpdump's own.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { openCapture, PcapWriter } from "../../drivers/capture.ts";
import {
  compileFilter,
  FilterLinktype,
  formatAssembly,
  formatC,
  formatDecimal,
  parseProgram,
  type Program,
} from "../../filter/mod.ts";
import { EngineFilter } from "../unit/filter/engine_filter.ts";
import { ETHERNET_EXPRESSIONS, IP_EXPRESSIONS } from "../unit/filter/expressions.ts";
import { inPieces, type Packet, packetsOf } from "../unit/filter/packets.ts";
import { randomExpression } from "../unit/filter/random_expression.ts";
import { requirements } from "./require.ts";

const { ignore } = requirements({ tools: ["tcpdump"] });
const SEED = 0x70636170;
const RANDOM_EXPRESSIONS = 60;
const REJECTS_ALL = "expression rejects all packets";

const LINKS = [
  ["Ethernet", FilterLinktype.ETHERNET],
  ["raw IP", FilterLinktype.RAW],
  ["BSD loopback", FilterLinktype.NULL],
] as const;

/** A capture file of packets whose times are their numbers. */
function captureOf(packets: readonly Packet[], linktype: number): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const writer = new PcapWriter((bytes) => pieces.push(bytes), { linktype });
  packets.forEach(({ data, wireLength }, i) => {
    writer.write({ timestamp_us: i, data, originalLength: wireLength });
  });
  writer.close();
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Runs tcpdump on a capture; what it printed, or what it complained of. */
async function tcpdump(capture: Uint8Array, args: string[]) {
  const command = new Deno.Command("tcpdump", {
    args: ["-r", "-", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const fed = new Blob([capture as Uint8Array<ArrayBuffer>]).stream().pipeTo(child.stdin);
  // it may end without reading on, when the expression is wrong
  const [{ success, stdout, stderr }] = await Promise.all([child.output(), fed.catch(() => {})]);
  return { success, stdout, complaint: new TextDecoder().decode(stderr) };
}

/** Numbers of the packets that tcpdump keeps; undefined if it does not take the expression. */
async function keptByTcpdump(
  capture: Uint8Array,
  expression: string,
): Promise<number[] | undefined> {
  const { success, stdout, complaint } = await tcpdump(capture, ["-w", "-", "--", expression]);
  if (!success) return complaint.includes(REJECTS_ALL) ? [] : undefined;
  return [...openCapture(Uint8Array.from(stdout))].map(({ timestamp_us }) => timestamp_us);
}

/** Numbers of the packets that the engine keeps, each in a chain of its own. */
function keptByEngine(engine: EngineFilter, program: Program, packets: readonly Packet[]) {
  assertEquals(engine.load(program).fault, 0);
  return packets.flatMap(({ data, wireLength }, i) =>
    engine.run({ pieces: inPieces(data, i), wireLength }) > 0 ? [i] : []
  );
}

/** The packet with so many zeros behind it that no load goes beyond. */
function lengthened({ name, data }: Packet): Packet {
  const long = new Uint8Array(data.length + 140);
  long.set(data);
  return { name, data: long, wireLength: long.length };
}

/** What two verdicts differ in, in words. */
function difference(packets: readonly Packet[], found: number[], expected: number[]): string {
  const odd = [
    ...found.filter((i) => !expected.includes(i)).map((i) => `kept "${packets[i].name}"`),
    ...expected.filter((i) => !found.includes(i)).map((i) => `lost "${packets[i].name}"`),
  ];
  return odd.slice(0, 5).join(", ");
}

for (const [name, linktype] of LINKS) {
  const packets = packetsOf(linktype);
  const capture = captureOf(packets, linktype);
  const ethernet = linktype === FilterLinktype.ETHERNET;
  const expressions = ethernet ? [...IP_EXPRESSIONS, ...ETHERNET_EXPRESSIONS] : IP_EXPRESSIONS;

  Deno.test({
    name: `filters: ${expressions.length} expressions keep what tcpdump keeps, ${name}`,
    ignore,
    fn: async () => {
      const engine = new EngineFilter();
      let someKept = 0;
      for (const expression of expressions) {
        const expected = await keptByTcpdump(capture, expression);
        assert(expected, `tcpdump does not take "${expression}"`);
        const program = compileFilter(expression, { linktype });
        const found = keptByEngine(engine, program, packets);
        assertEquals(difference(packets, found, expected), "", expression);
        if (expected.length > 0 && expected.length < packets.length) someKept++;
      }
      assert(someKept > expressions.length / 2, `${someKept} expressions tell packets apart`);
    },
  });

  Deno.test({
    name: `filters: tcpdump's own programs keep what tcpdump keeps, ${name}`,
    ignore,
    fn: async () => {
      const engine = new EngineFilter();
      for (const expression of expressions) {
        const expected = await keptByTcpdump(capture, expression);
        for (const how of [[], ["-O"]]) {
          const { success, stdout } = await tcpdump(capture, [...how, "-ddd", "--", expression]);
          if (!success) continue; // it rejects all packets
          const decimal = new TextDecoder().decode(stdout);
          const program = parseProgram(decimal);
          const found = keptByEngine(engine, program, packets);
          if (how.length === 0) assertEquals(found, expected, expression);
          const printed = async (flag: string) =>
            new TextDecoder().decode(
              (await tcpdump(capture, [...how, flag, "--", expression])).stdout,
            );
          assertEquals(formatDecimal(program), decimal);
          assertEquals(formatAssembly(program), await printed("-d"));
          assertEquals(formatC(program), await printed("-dd"));
        }
      }
    },
  });

  Deno.test({
    name: `filters: expressions drawn at random keep what tcpdump keeps, ${name}`,
    ignore,
    fn: async () => {
      const engine = new EngineFilter();
      const drawn = fc.sample(randomExpression(ethernet), {
        seed: SEED,
        numRuns: RANDOM_EXPRESSIONS,
      });
      // Which bytes a program looks at, and in which order, is its own affair; packets that end too
      // early would tell.
      const long = packets.map(lengthened);
      const capture = captureOf(long, linktype);
      for (const expression of drawn) {
        const expected = await keptByTcpdump(capture, expression);
        assert(expected, `tcpdump does not take "${expression}"`);
        const found = keptByEngine(engine, compileFilter(expression, { linktype }), long);
        assertEquals(difference(long, found, expected), "", expression);
      }
    },
  });
}

Deno.test({
  name: "filters: programs are about as long as tcpdump's",
  ignore,
  fn: async () => {
    const { ETHERNET: linktype } = FilterLinktype;
    const capture = captureOf([], linktype);
    let [ours, theirs] = [0, 0];
    for (const expression of [...IP_EXPRESSIONS, ...ETHERNET_EXPRESSIONS]) {
      const { success, stdout } = await tcpdump(capture, ["-ddd", "--", expression]);
      if (!success) continue;
      const length = parseProgram(new TextDecoder().decode(stdout)).length;
      const own = compileFilter(expression, { linktype }).length;
      assert(
        own <= 1.1 * length + 3,
        `${expression}: ${own} instructions, and tcpdump's ${length}`,
      );
      ours += own;
      theirs += length;
    }
    assert(ours <= theirs * 1.02, `${ours} instructions, and tcpdump's ${theirs}`);
  },
});
