/** The command `deno task bench`: exit status, messages, and the shape of what it prints. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { GROUPS } from "../../../bench/groups.ts";
import type { Result } from "../../../bench/row.ts";

const MAIN = new URL("../../../bench/main.ts", import.meta.url).pathname;
const PROFILE = new URL("../../../bench/profile.ts", import.meta.url).pathname;

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(program: string, args: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--unstable-net", program, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

function bench(...args: string[]): Promise<Ended> {
  return run(MAIN, args);
}

Deno.test("bench: help names the rows, and what makes no sense is refused", async () => {
  const { code, out } = await bench("--help");
  assertEquals(code, 0);
  assertStringIncludes(out, "tcp-bulk-pipe-1500");
  const wrong = await bench("--only", "nothing");
  assertEquals([wrong.code, wrong.out], [2, ""]);
  assertStringIncludes(wrong.err, 'there is no row "nothing"');
  assertEquals((await bench("--repeats", "0")).code, 2);
  assertEquals((await bench("tcp-bulk-pipe-1500")).code, 2);
});

Deno.test("bench: no two rows or groups have one name", () => {
  const names = GROUPS.flatMap(({ name, rows }) => [name, ...rows.map((row) => row.name)]);
  assertEquals(names.length, new Set(names).size);
});

Deno.test("bench: rows are chosen by name and by group, several at once and repeated", async () => {
  const only = ["--only", "engine-size", "engine-size-gzip", "--only", "connections"];
  const { out, err } = await bench("--short", "--repeats", "1", ...only, "--json");
  const rows = (JSON.parse(out) as Result[]).map(({ row }) => row);
  const connections = ["tcp-connections-pipe", "tcp-connections-loopback"];
  assertEquals(rows, [...connections, "engine-size", "engine-size-gzip"], err);
});

Deno.test("bench: every row of the table can be measured, and its JSON has the shape", async () => {
  const { code, out, err } = await bench("--short", "--repeats", "1", "--json");
  assertEquals(code, 0, err);
  const results: Result[] = JSON.parse(out);
  const known = GROUPS.filter(({ long }) => !long).flatMap(({ rows }) => rows);
  const leftOut = [...err.matchAll(/^([\w-]+): left out: ./gm)].map(([, name]) => name);
  assertEquals(results.length + leftOut.length, known.length, err);
  for (const { row, unit, ours, spread, reference, ratio } of results) {
    assertEquals(known.find(({ name }) => name === row)?.unit, unit, row);
    assert(Number.isFinite(ours) && ours >= 0 && spread >= 0, row);
    assertEquals(reference === null, ratio === null, row);
    if (reference === null || ratio === null) continue;
    assert(reference.name !== "" && reference.value > 0 && ratio > 0, row);
  }
  const bulk = results.find(({ row }) => row === "tcp-bulk-pipe-1500")!;
  assertEquals(bulk.unit, "Gbit/s");
  assertEquals(bulk.ratio, bulk.ours / bulk.reference!.value);
});

Deno.test("bench: groups that take long are measured only if asked for", async () => {
  const { code, out, err } = await bench("--short", "--only", "soak", "--json");
  assertEquals(code, 0, err);
  const [{ row, detail }]: Result[] = JSON.parse(out);
  assertEquals([row, detail?.["mbufs before"]], ["tcp-soak-16g", detail?.["mbufs after"]]);
});

Deno.test("bench: the table is for people, and alone on standard output", async () => {
  const { out } = await bench("--short", "--repeats", "1", "--only", "engine-size-gzip");
  assertStringIncludes(out, "engine-size-gzip");
  assertStringIncludes(out, "less is good");
});

Deno.test("bench: a profile names functions of the engine and of the runtime", async () => {
  const { code, out, err } = await run(PROFILE, ["tcp-connections-loopback"]);
  assertEquals(code, 0, err);
  assert(/│ assembly\/\w+\/\w+/.test(out) && /│ \S+ {2}runtime\/[\w/]+\.ts/.test(out), out);
  assertEquals((await run(PROFILE, ["nothing"])).code, 2);
});
