/**
 * The one gate: `deno task test [--static] [FILE or FOLDER...]`.
 *
 * Builds both engines, then runs the static checks and every test below tests/, and the examples in
 * doc comments. Each static check counts as a test. With `--static` only the checks run; with names
 * of files or folders only the tests in them. The last line is `N passed, N failed`, followed by
 * `, N skipped` if a test was skipped; the exit status is 0 only if none failed.
 *
 * @module
 */

import { build } from "../build.ts";
import { judgeRun, loadedFile, type TestResult } from "./run/junit.ts";

const ROOT = new URL("../", import.meta.url);
/** Longest that a step may take before it is ended and counted as failed. */
const STEP_MINUTES_MAX = 30;
const SLOW_TESTS_SHOWN = 5;

const results: TestResult[] = [];

function record(name: string, passed: boolean, begin: number): boolean {
  const seconds = (performance.now() - begin) / 1000;
  results.push({ file: "check", name, state: passed ? "passed" : "failed", seconds });
  console.log(`${name} ... ${passed ? "ok" : "FAILED"} (${seconds.toFixed(1)} s)\n`);
  return passed;
}

/** Runs deno with these arguments in the project's folder; its output goes to ours and `seen`. */
async function deno(args: readonly string[], seen?: (line: string) => void): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    stdin: "null",
    env: seen ? { NO_COLOR: "1" } : {},
    stdout: seen ? "piped" : "inherit",
    stderr: "inherit",
  }).spawn();
  const copied = seen && copyLines(child.stdout, seen);
  const timer = setTimeout(() => {
    console.log(`deno ${args[0]} took more than ${STEP_MINUTES_MAX} minutes: ended`);
    child.kill("SIGKILL");
  }, STEP_MINUTES_MAX * 60_000);
  const { success } = await child.status;
  clearTimeout(timer);
  await copied;
  return success;
}

/** Copies a stream to our output and hands its lines on. */
async function copyLines(stream: ReadableStream<Uint8Array>, seen: (line: string) => void) {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    await Deno.stdout.write(new TextEncoder().encode(text));
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(seen);
  }
}

async function check(name: string, args: readonly string[]): Promise<void> {
  const begin = performance.now();
  console.log(`${name}: deno ${args.slice(0, 4).join(" ")}${args.length > 4 ? " …" : ""}`);
  record(name, await deno(args), begin);
}

async function buildEngines(): Promise<boolean> {
  const begin = performance.now();
  let error: unknown;
  await build({ checked: true }).catch((reason) => error = reason);
  if (error !== undefined) console.log(error instanceof Error ? error.message : error);
  return record("build", error === undefined, begin);
}

/** Files below a folder whose path matches, as paths below the root, in order. */
async function find(folder: string, pattern: RegExp): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const entry of Deno.readDir(new URL(folder + "/", ROOT))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory && entry.name !== "fixtures") found.push(...await find(path, pattern));
      else if (entry.isFile && pattern.test(path)) found.push(path);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found.sort();
}

async function staticChecks(): Promise<void> {
  // Engine sources are TypeScript by syntax only: asc checks them, save what Deno imports, too.
  const folders = [
    "assembly/abi",
    "runtime",
    "drivers",
    "filter",
    "protocols",
    "examples",
    "bench",
    "commands",
    "packetdrill",
    "sim",
    "templates",
    "tools",
  ];
  const typed = ["mod.ts", "build.ts"];
  const isTyped = /^(?!(?:protocols|templates)\/\w+\/assembly\/).*\.ts$/;
  for (const folder of [...folders, "tests"]) typed.push(...await find(folder, isTyped));
  await check("format", ["fmt", "--check"]);
  await check("lint", ["lint", "--quiet"]);
  await check("types", ["check", "--quiet", ...typed]);
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const entries = Object.values<string>(config.exports);
  await check("documentation", ["doc", "--lint", "--quiet", ...entries]);
  await check("package", ["publish", "--dry-run", "--allow-dirty", "--quiet"]);
}

async function runTests(name: string, args: readonly string[], files: readonly string[]) {
  const report = await Deno.makeTempFile({ prefix: "junit_", suffix: ".xml" });
  try {
    console.log(`${name}:`);
    const loaded = new Set<string>();
    const success = await deno(
      ["test", "-A", `--junit-path=${report}`, ...args, ...files],
      (line) => {
        const file = loadedFile(line);
        if (file !== undefined) loaded.add(file);
      },
    );
    const xml = await Deno.readTextFile(report);
    results.push(...judgeRun(xml, args.includes("--doc") ? [] : files, loaded, success));
  } finally {
    await Deno.remove(report);
  }
}

function readAll(paths: readonly string[]): Promise<string[]> {
  return Promise.all(paths.map((path) => Deno.readTextFile(new URL(path, ROOT))));
}

/** Files with an example in a doc comment or a fenced block; others would fail for want of one. */
async function filesWithExamples(): Promise<string[]> {
  const files = ["mod.ts"];
  for (const folder of ["runtime", "drivers", "filter"]) {
    files.push(...await find(folder, /\.ts$/));
  }
  const texts = await readAll(files);
  return files.filter((_, i) => /^\s*\*\s*```(ts|js|typescript)$/m.test(texts[i]));
}

async function allTests(): Promise<void> {
  const files = await find("tests", /_test\.ts$/);
  const texts = await readAll(files);
  const interop = files.filter((path, i) =>
    path.startsWith("tests/interop/") || texts[i].includes("interop/require.ts")
  );
  const others = files.filter((path) => !interop.includes(path));
  await runTests("tests", ["--parallel", "--quiet"], others);
  const examples = await filesWithExamples();
  if (examples.length > 0) await runTests("examples in comments", ["--doc", "--quiet"], examples);
  // One after the other: they share the machine's network tools.
  if (interop.length > 0) await runTests("interop", ["--quiet"], interop);
}

function summarize(): number {
  const of = (state: TestResult["state"]) => results.filter((result) => result.state === state);
  const failed = of("failed");
  const skipped = of("skipped");
  const slow = results.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOW_TESTS_SHOWN);
  console.log("\nslowest:");
  for (const { file, name, seconds } of slow) {
    console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${file}: ${name}`);
  }
  for (const [title, list] of [["skipped", skipped], ["failed", failed]] as const) {
    if (list.length > 0) console.log(`${title}:`);
    for (const { file, name } of list) console.log(`  ${file}: ${name}`);
  }
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
  console.log(`\n${of("passed").length} passed, ${failed.length} failed${tail}`);
  return failed.length;
}

const unknown = Deno.args.find((arg) => arg.startsWith("-") && arg !== "--static");
if (unknown !== undefined) {
  console.error(
    `usage: deno task test [--static] [FILE or FOLDER...]; there is no option ${unknown}`,
  );
  Deno.exit(2);
}
const chosen: string[] = [];
for (const arg of Deno.args.filter((arg) => !arg.startsWith("-"))) {
  const path = arg.replace(/^\.\//, "").replace(/\/$/, "");
  chosen.push(...path.endsWith(".ts") ? [path] : await find(path, /_test\.ts$/));
}
const onlyChosen = Deno.args.some((arg) => !arg.startsWith("-"));
if (onlyChosen && chosen.length === 0) {
  console.error(`no tests in ${Deno.args.join(" ")}`);
  Deno.exit(2);
}
const built = await buildEngines();
if (!onlyChosen) await staticChecks();
if (built && !Deno.args.includes("--static")) {
  if (onlyChosen) await runTests("tests", ["--quiet"], chosen);
  else await allTests();
}
Deno.exit(summarize() === 0 ? 0 : 1);
