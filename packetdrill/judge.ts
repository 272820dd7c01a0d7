/**
 * Judges scripts: reads one, runs it in a fresh stack, and says how it went.
 *
 * @module
 */

import type { Script } from "./ast.ts";
import { Mismatch, ScriptError, Unsupported } from "./errors.ts";
import { Host } from "./host.ts";
import { knownWrong } from "./known_wrong.ts";
import { parseScript } from "./parser.ts";
import { lineOf, Run, type RunNotes } from "./run.ts";
import { type Mode, readScriptOptions, type ScriptOptions } from "./script_options.ts";
import { beginAs, type Kernel } from "./settings_profile.ts";
import { World } from "./world.ts";

/** How a script went in one mode. */
export interface Verdict {
  readonly file: string;
  readonly mode: Mode;
  readonly verdict: "pass" | "fail" | "unsupported";
  /** Line of the event at which it ended; 0 for a pass. */
  readonly line: number;
  /** What the script expects, in script notation. */
  readonly expected: string;
  /** What the stack did, in script notation. */
  readonly got: string;
  readonly reason: string;
}

/** A verdict and what else a run showed. */
export interface Judgment extends Verdict {
  readonly notes?: RunNotes;
}

/** How scripts are judged. */
export interface JudgeOptions {
  /** The engine, compiled once for all. */
  readonly engine: WebAssembly.Module;
  readonly lenient?: boolean;
  /** Symbols that override those of scripts. */
  readonly defines?: ReadonlyMap<string, string>;
  /** Options that override those of scripts. */
  readonly overrides?: readonly (readonly [name: string, value: string])[];
}

/** Is a file made for a mode? Its name and its options may leave some out. */
export function suits(file: string, source: string, mode: Mode): boolean {
  const version = /^\s*--ip_version\s*=\s*(\S+)/m.exec(source)?.[1].replaceAll("_", "-");
  if (version !== undefined) return mode === version;
  if (/v6\.pkt$/.test(file)) return mode === "ipv6";
  if (/v4\.pkt$/.test(file)) return mode !== "ipv6";
  return true;
}

/** Judges the text of a script in one mode. Never throws for what a script does. */
export async function judge(
  file: string,
  source: string,
  mode: Mode,
  options: JudgeOptions,
): Promise<Judgment> {
  const verdict = (
    verdict: Verdict["verdict"],
    line: number,
    reason: string,
    expected = "",
    got = "",
  ): Verdict => ({ file, mode, verdict, line, expected, got, reason });
  let run: Run | undefined;
  try {
    if (!suits(file, source, mode)) throw new Unsupported(`a script for another mode than ${mode}`);
    if (mode === "ipv6") throw new Unsupported("IPv6");
    const script = parseScript(source, { defines: options.defines });
    const wanted = readScriptOptions([...script.options, ...options.overrides ?? []]);
    if (wanted.mode === "ipv6") throw new Unsupported("IPv6");
    run = await prepare(source, script, wanted, mode, options);
    if (mode !== "ipv4" && !run.world.hasInet6()) throw new Unsupported("AF_INET6 sockets");
    run.run();
    const left = run.notes.leftOver;
    const reason = left > 0 ? `${left} packets came that the script does not list` : "";
    return { ...verdict("pass", 0, reason), notes: run.notes };
  } catch (error) {
    const line = run ? lineOf(error, run) : (error as { line?: number }).line ?? 0;
    if (error instanceof Unsupported) return verdict("unsupported", line, error.feature);
    const notes = run ? { notes: run.notes } : {};
    if (error instanceof Mismatch) {
      const wrong = knownWrong(file);
      const reason = wrong ? `${error.reason} (the script is wrong: ${wrong})` : error.reason;
      return { ...verdict("fail", line, reason, error.expected, error.got), ...notes };
    }
    if (error instanceof ScriptError) {
      const column = error.column ? ` (column ${error.column})` : "";
      return { ...verdict("fail", line, error.message + column), ...notes };
    }
    const words = error instanceof Error ? error.message : String(error);
    return { ...verdict("fail", line, `the run broke off: ${words}`), ...notes };
  }
}

async function prepare(
  source: string,
  script: Script,
  options: ScriptOptions,
  mode: "ipv4" | "ipv4-mapped-ipv6",
  { engine, lenient = false }: JudgeOptions,
): Promise<Run> {
  const { localIp, remoteIp, prefix, mtu } = options;
  const host = await Host.boot({ engine, ip: localIp, prefix, mtu });
  const kernel = kernelOf(script, source);
  beginAs(host, kernel);
  const dialect = kernel === "freebsd" ? "freebsd" : "linux";
  const config = { mode, dialect, localIp, remoteIp, lenient } as const;
  return new Run(new World(host, config), script, options);
}

/** Which kernel a script was written for: it shows in its commands, and in its directives. */
function kernelOf(script: Script, source: string): Kernel {
  if (/^\s*#\s*ifn?def\s+(FreeBSD|STANDARD)\b/m.test(source)) return "freebsd";
  const commands = script.events.map(({ action }) => action.kind === "command" ? action.text : "");
  const text = [script.setup?.text, ...commands, script.cleanup?.text].join("\n");
  if (/\bnet\.inet\.|\bkern\.|\bsockstat\b|\bkldload\b/.test(text)) return "freebsd";
  return /\bdefaults\.sh\b|\bnet[./](ipv[46]|core)[./]/.test(text) ? "linux" : "none";
}
