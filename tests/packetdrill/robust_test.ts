/** Whatever a script says, it gets a verdict with a reason: nothing breaks off, nothing hangs. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { findScripts } from "../../packetdrill/files.ts";
import { judge, type Judgment } from "../../packetdrill/judge.ts";
import { knownWrong } from "../../packetdrill/known_wrong.ts";
import engine from "../engine_checked_module.js";

const FOLDER = new URL("./", import.meta.url).pathname;
const SEED = 20_261_122;
/** What is put in the place of a piece of a script. */
const PIECES = ["", "0", "-1", "1:2(1)", "4294967295", "...", "[", "{}", "<", ">", "*", "|", "1~2"];

const sources = await Promise.all((await findScripts([FOLDER])).map((f) => Deno.readTextFile(f)));

/** A change: which piece of the script, and what stands there instead. */
const change = fc.tuple(fc.nat(), fc.oneof(fc.constantFrom(...PIECES), fc.nat().map(String)));

function mutate(source: string, changes: readonly (readonly [number, string])[]): string {
  const pieces = source.replaceAll(/\/\/.*/g, "").split(/(\s+|[(),<>[\]{}=:|])/);
  for (const [at, text] of changes) pieces[at % pieces.length] = text;
  return pieces.join("");
}

function check({ verdict, reason }: Judgment, text: string): void {
  assert(!/broke off/.test(reason), `${reason}\n${text}`);
  if (verdict !== "pass") assert(reason.length > 0, text);
}

Deno.test("property: any change to a script ends in a verdict", async () => {
  const cases = fc.tuple(fc.nat(), fc.array(change, { minLength: 1, maxLength: 3 }));
  await fc.assert(
    fc.asyncProperty(cases, async ([which, changes]) => {
      const text = mutate(sources[which % sources.length], changes);
      check(await judge("a.pkt", text, "ipv4", { engine }), text);
    }),
    { seed: SEED, numRuns: 600 },
  );
});

Deno.test("property: any text ends in a verdict", async () => {
  const token = fc.constantFrom(
    ...'0 +0 > < . S 1:1(0) ack win 1 ` " %{ }% close ( ) = 3 -- # /*'.split(" "),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(token, { maxLength: 30 }), async (tokens) => {
      const text = tokens.join(" ");
      check(await judge("a.pkt", text, "ipv4", { engine }), text);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("scripts known to be wrong are known by the end of their path", () => {
  assertEquals(knownWrong("x/ts_recent/invalid_ack.pkt") !== undefined, true);
  assertEquals(knownWrong("x/ts_recent/invalid_ack_2.pkt"), undefined);
});
