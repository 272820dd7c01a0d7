/**
 * Judges the stack by scripts: `deno task packetdrill FILE… | DIR… [options]`.
 *
 * | option | meaning |
 * | --- | --- |
 * | `--mode LIST` | by commas, of `ipv4` (the default), `ipv4-mapped-ipv6`, `ipv6`; or `all` |
 * | `--lenient` | lenient reading: see docs/packetdrill.md |
 * | `--define NAME=value`, `-D` | a symbol; overrides those of scripts |
 * | `--json` | an array of verdicts on standard output instead of the table |
 * | `--verbose` | also what code blocks print, and packets that scripts do not list |
 * | `--NAME=value` | an option of scripts; overrides theirs |
 *
 * The exit status is 0 if nothing failed, 1 if something did, 2 for arguments that make no sense.
 *
 * @module
 */

import engine from "../runtime/wasm/engine_module.js";
import { ScriptError, Unsupported } from "./errors.ts";
import { findScripts } from "./files.ts";
import { judge, type JudgeOptions, type Judgment, type Verdict } from "./judge.ts";
import { addDefine } from "./parser.ts";
import { report } from "./report.ts";
import { type Mode, MODES, readScriptOptions } from "./script_options.ts";

const USAGE = "usage: deno task packetdrill FILE... | DIR... [--mode LIST] [--lenient] " +
  "[--define NAME=value] [--json] [--verbose] [--OPTION=value]";

/** What the arguments say. */
interface Arguments {
  readonly paths: string[];
  readonly modes: readonly Mode[];
  readonly lenient: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly defines: Map<string, string>;
  readonly overrides: [string, string][];
}

/** Reads the arguments; throws a `ScriptError` for those that make no sense. */
function readArguments(args: readonly string[]): Arguments {
  const paths: string[] = [];
  const defines = new Map<string, string>();
  const overrides: [string, string][] = [];
  const flags = new Set<string>();
  let modes: readonly Mode[] = ["ipv4"];
  for (let i = 0; i < args.length; i++) {
    const match = /^(-D)([^=][^]*)$/.exec(args[i]) ?? /^(-D|--[\w-]+)(?:=([^]*))?$/.exec(args[i]);
    if (!match) {
      if (args[i].startsWith("-")) throw new ScriptError(`there is no option ${args[i]}`);
      paths.push(args[i]);
      continue;
    }
    const [, name, own] = match;
    const value = () => own ?? args[++i] ?? "";
    if (name === "--define" || name === "-D") addDefine(defines, value());
    else if (name === "--mode") modes = readModes(value());
    else if (["--lenient", "--json", "--verbose"].includes(name)) flags.add(name);
    else overrides.push([name.slice(2), own ?? ""]);
  }
  if (paths.length === 0) throw new ScriptError("no scripts are named");
  readScriptOptions(overrides);
  return {
    paths,
    modes,
    lenient: flags.has("--lenient"),
    json: flags.has("--json"),
    verbose: flags.has("--verbose"),
    defines,
    overrides,
  };
}

function readModes(list: string): Mode[] {
  if (list === "all") return [...MODES];
  return list.split(",").map((name) => {
    const mode = MODES.find((known) => known === name.replaceAll("_", "-"));
    if (!mode) throw new ScriptError(`there is no mode ${name}`);
    return mode;
  });
}

async function judgeAll(args: Arguments, files: readonly string[]): Promise<Judgment[]> {
  const judgments: Judgment[] = [];
  const options: JudgeOptions = { engine, ...args };
  for (const file of files) {
    const source = await Deno.readTextFile(file).catch((error: Error) => error);
    for (const mode of args.modes) {
      judgments.push(
        source instanceof Error
          ? unreadable(file, mode, source)
          : await judge(file, source, mode, options),
      );
    }
  }
  return judgments;
}

/** The verdict on a file that cannot be read. */
function unreadable(file: string, mode: Mode, error: Error): Judgment {
  const reason = `the file cannot be read: ${error.message}`;
  return { file, mode, verdict: "fail", line: 0, expected: "", got: "", reason };
}

function verdictOf({ notes: _, ...verdict }: Judgment): Verdict {
  return verdict;
}

/** What `--verbose` adds. */
function details(judgments: readonly Judgment[]): string[] {
  return judgments.flatMap(({ file, mode, verdict, reason, notes }) => [
    ...notes?.printed.map((line) => `${file} [${mode}] prints ${line}`) ?? [],
    ...verdict === "pass" && reason ? [`${file} [${mode}] passed, but ${reason}`] : [],
  ]);
}

async function main(): Promise<number> {
  let args: Arguments;
  let files: string[];
  try {
    args = readArguments(Deno.args);
    files = await findScripts(args.paths);
    if (files.length === 0) throw new ScriptError(`no scripts in ${args.paths.join(" ")}`);
  } catch (error) {
    if (!(error instanceof ScriptError || error instanceof Unsupported)) throw error;
    console.error(`${error.message}\n${USAGE}`);
    return 2;
  }
  const judgments = await judgeAll(args, files);
  if (args.json) console.log(JSON.stringify(judgments.map(verdictOf), null, 1));
  else {
    for (const line of args.verbose ? details(judgments) : []) console.log(line);
    console.log(report(judgments));
  }
  return judgments.some(({ verdict }) => verdict === "fail") ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
