/**
 * `deno task bench:profile ROW`: the functions that a row of the benchmark spends its time in, in
 * TypeScript and in the engine, as V8's sampling profiler sees them.
 *
 * @module
 */

import binaryen from "binaryen";
import { type InspectorNotification, Session } from "node:inspector";
import { compile, readSources } from "../build.ts";
import { Arguments } from "./arguments.ts";
import { GROUPS } from "./groups.ts";
import type { Row } from "./row.ts";
import { textTable } from "./table.ts";

const ROOT = new URL("../", import.meta.url).href;
const WARMUPS = 2;
const RUNS = 3;
const INTERVAL_US = 200;
const SHOWN = 30;
const COLUMNS = [
  { title: "function", alignment: "left" },
  { title: "share", alignment: "right" },
] as const;
const PROFILER = "/inspector.js";

const HELP = `deno task bench:profile ROW
    Runs this stack's side of a row of the benchmark ${RUNS} times and shows the ${SHOWN} functions
    that the time is spent in. A function that the compiler has put into its caller counts there.`;

/** What V8 answers, as far as it is used here. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Names of the engine's functions by their number: a build with names has the same code. */
async function engineNames(): Promise<(number: number) => string> {
  const { wasm } = await compile(await readSources(), { named: true });
  const module = binaryen.readBinary(wasm);
  const names: string[] = [];
  for (let i = 0; i < module.getNumFunctions(); i++) {
    names.push(binaryen.getFunctionInfo(module.getFunctionByIndex(i)).name);
  }
  module.dispose();
  return (number) => names[number] ?? `wasm-function[${number}]`;
}

async function profile(work: () => Promise<void>): Promise<Profile> {
  const session = new Session();
  session.connect();
  const post = (method: string, params: object = {}) =>
    new Promise<InspectorNotification<object>["params"]>((resolve, reject) => {
      session.post(
        method,
        params,
        (error, answer) => error ? reject(error) : resolve(answer ?? {}),
      );
    });
  try {
    await post("Profiler.enable");
    await post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
    await post("Profiler.start");
    await work();
    return (await post("Profiler.stop") as { profile: Profile }).profile;
  } finally {
    session.disconnect();
  }
}

/** Share of the time by function, most first. */
function shares(
  { nodes, samples, timeDeltas }: Profile,
  engineName: (number: number) => string,
): [name: string, share: number][] {
  const names = new Map(nodes.map(({ id, callFrame: { functionName, url } }) => {
    const number = /^wasm-function\[(\d+)\]$/.exec(functionName)?.[1];
    // What the profiler does itself, above all to begin, is no part of the work.
    if (url.endsWith(PROFILER)) return [id, ""];
    const file = url.startsWith(ROOT) ? url.slice(ROOT.length) : url.split("/").at(-1)!;
    const name = functionName || "(anonymous)";
    return [id, number ? engineName(Number(number)) : file ? `${name}  ${file}` : name];
  }));
  const times = new Map<string, number>();
  let all = 0;
  samples.forEach((id, i) => {
    const name = names.get(id)!;
    if (name === "") return;
    times.set(name, (times.get(name) ?? 0) + timeDeltas[i]);
    all += timeDeltas[i];
  });
  return [...times].map(([name, time]): [string, number] => [name, time / all])
    .toSorted(([, a], [, b]) => b - a);
}

async function show(row: Row): Promise<void> {
  const engineName = await engineNames();
  const subject = await row.ours(1);
  try {
    for (let i = 0; i < WARMUPS; i++) await subject.measure();
    const seen = await profile(async () => {
      for (let i = 0; i < RUNS; i++) await subject.measure();
    });
    const rows = shares(seen, engineName).slice(0, SHOWN)
      .map(([name, share]) => [name, `${(100 * share).toFixed(1)} %`]);
    console.log(textTable(COLUMNS, rows));
  } finally {
    await subject.close();
  }
}

const args = new Arguments("bench:profile");
const { values, positionals } = args.parse({
  options: { help: { type: "boolean", short: "h" } },
  allowPositionals: true,
});
if (values.help) {
  console.log(HELP);
} else {
  const [name] = positionals.length === 1 ? positionals : args.refuse("which row?");
  const row = GROUPS.flatMap(({ rows }) => rows).find((row) => row.name === name);
  await show(row ?? args.refuse(`there is no row "${name}"`));
}
