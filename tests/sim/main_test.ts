/** The command line of `deno task sim`. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

async function sim(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "sim/main.ts", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("sim: arguments that make no sense are refused, with what is wrong", async () => {
  const cases: [string[], string][] = [
    [["--seeds", "none"], '--seeds takes a whole number from 1 to 1000000000, not "none"'],
    [["--workers", "0"], '--workers takes a whole number from 1 to 64, not "0"'],
    [["--seed=1.5"], '--seed takes a whole number from 1 to 281474976710656, not "1.5"'],
    [["--seed", "1", "--seeds", "2"], "--seed and --seeds exclude each other"],
    [["--verbose"], "--verbose needs --seed"],
    [["--loss", "3"], "Unknown option '--loss'"],
    [["7"], "Unexpected argument '7'"],
  ];
  const answers = await Promise.all(cases.map(([args]) => sim(...args)));
  answers.forEach(({ code, err }, i) => {
    assertStringIncludes(err, cases[i][1]);
    assertStringIncludes(err, "Try: deno task sim --help");
    assertEquals(code, 2);
  });
});

Deno.test("sim: --json tells what happened, and nothing else is on standard output", async () => {
  const { code, out } = await sim("--from", "11", "--seeds", "3", "--workers", "1", "--json");
  const totals = JSON.parse(out);
  assertEquals(code, 0);
  assertEquals(totals.worlds, 3);
  assertEquals(totals.failures, []);
  assert(totals.frames > 0 && totals.turns > totals.frames);
});

Deno.test("sim: --seed records a world, and prints it when asked to", async () => {
  const folder = await Deno.makeTempDir({ prefix: "godwit_sim_" });
  try {
    const { code, out } = await sim("--seed", "4", "--verbose", "--out", folder);
    assertEquals(code, 0);
    assertStringIncludes(out, '"seed": 4,');
    assertStringIncludes(out, "1 passed, 0 failed");
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    for (const name of ["pcapng", "log", "plan.json", "result.json", "h0.snapshot"]) {
      assert(names.includes(`seed-4.${name}`), name);
    }
    assert(Deno.readTextFileSync(`${folder}/seed-4.log`).includes("h0/eth0 > "));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
