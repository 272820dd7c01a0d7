/**
 * Shell commands of scripts. None is ever run: those that are known change the stack under test or
 * ask it something, and all others are unsupported.
 *
 * @module
 */

import { counterLines, counterNames } from "./counters.ts";
import { Mismatch, Unsupported } from "./errors.ts";
import { filter, grep, grepArguments, type Output } from "./filters.ts";
import { netCommand, queueDiscipline } from "./net_commands.ts";
import { setSysctl } from "./settings.ts";
import { setLinuxDefaults } from "./settings_profile.ts";
import { type Pipeline, readShell, type SimpleCommand } from "./shell.ts";
import { netstatLines, procLines, sockstatLines, ssLines } from "./socket_table.ts";
import type { World } from "./world.ts";

/** Longest that a command may sleep, seconds. */
const SLEEP_MAX_S = 86_400;
/** Switch of a kernel's CUBIC: bits 1 and 2 choose how slow start is left early. */
const HYSTART = /\/tcp_cubic\/parameters\/hystart(_detect)?$/;

/** Programs that prepare or watch a machine and mean nothing to this stack. */
const HARMLESS: readonly RegExp[] = [
  /^ethtool -K\b/,
  /^(true|sync|tcpdump|pkill|killall|set|export|ulimit|umask|modprobe|date)\b/,
  /^kld(un)?load( -\w)* cc_\w+/,
  /^\S*sysctl_restore_/,
  /^(mkdir|chmod) /,
];

const NOTHING: Output = { lines: [], ok: true };

/** Carries out the text of a command. Throws `Unsupported` for what is not known. */
export function runCommand(world: World, text: string): void {
  for (const pipeline of readShell(text)) {
    const output = runPipeline(world, pipeline);
    if (output.ok !== pipeline.negated) continue;
    const got = output.lines.join(" | ") || `it ${output.ok ? "succeeds" : "fails"}`;
    throw new Mismatch("the command fails", pipeline.text, got);
  }
}

function runPipeline(world: World, { commands }: Pipeline): Output {
  const [first, ...rest] = commands;
  if (/(^|\/)nstat$/.test(first.words[0])) mustBeCounted(rest);
  return rest.reduce((output, { words }) => filter(words, output), runOne(world, first));
}

/** `nstat | grep NAME`: a counter that the stack does not have is not one that is 0. */
function mustBeCounted(rest: readonly SimpleCommand[]): void {
  const search = rest.find(({ words }) => /grep$/.test(words[0]));
  if (!search) return;
  const { pattern } = grepArguments(search.words);
  const asked = pattern.match(/[A-Za-z]\w{3,}/)?.[0];
  if (asked === undefined || counterNames().some((name) => name.includes(asked))) return;
  throw new Unsupported(`the counter ${asked}`);
}

function runOne(world: World, command: SimpleCommand): Output {
  const { words } = command;
  const text = words.join(" ");
  if (HARMLESS.some((known) => known.test(text))) return NOTHING;
  const program = words[0].split("/").at(-1) ?? "";
  switch (program) {
    case "defaults.sh":
      setLinuxDefaults(world.host);
      return NOTHING;
    case "set_sysctls.py":
    case "sysctl":
      return setAll(world, words.slice(1).filter((word) => !word.startsWith("-")));
    case "sleep":
    case "usleep":
      return pass(world, Number(words[1]) / (program === "sleep" ? 1 : 1e6));
    case "echo":
    case "printf":
      return echo(world, command);
    case "tc":
      queueDiscipline(world, words);
      return NOTHING;
    case "ip":
    case "ifconfig":
      netCommand(world, words);
      return NOTHING;
    case "grep":
    case "cat":
      return readFile(world, command);
    case "nstat":
      return { lines: counterLines(world, words), ok: true };
    case "sockstat":
      return { lines: sockstatLines(world), ok: true };
    case "netstat":
      return { lines: netstatLines(world), ok: true };
    case "ss":
      return { lines: socketStatistics(world, words), ok: true };
    case "rm":
    case "dd":
    case "truncate":
    case "touch":
    case "head":
      return makeFile(world, command, program);
  }
  throw new Unsupported(`the command ${text}`);
}

/** A command that takes its time: the clock goes on. */
function pass(world: World, seconds: number): Output {
  if (!(seconds >= 0 && seconds <= SLEEP_MAX_S)) throw new Unsupported(`sleep ${seconds}`);
  world.host.advance(world.host.now_us + Math.round(seconds * 1e6));
  return NOTHING;
}

function setAll(world: World, settings: readonly string[]): Output {
  for (const setting of settings) {
    const at = setting.indexOf("=");
    if (at > 0) setSysctl(world.host, setting.slice(0, at).trim(), setting.slice(at + 1));
  }
  return NOTHING;
}

/** `echo` may write to a setting. */
function echo(world: World, { words, target }: SimpleCommand): Output {
  const text = words.slice(1).filter((word) => !/^-[neE]+$/.test(word)).join(" ");
  if (target === undefined || target.startsWith("/dev/")) return { lines: [text], ok: true };
  if (target.startsWith("/proc/sys/")) {
    setSysctl(world.host, target, text);
  } else if (HYSTART.test(target)) {
    setSysctl(world.host, "net.godwit.tcp_hystart", Number(text) ? "1" : "0");
  } else if (target.startsWith("/sys/") || target.startsWith("/proc/")) {
    throw new Unsupported(`the setting ${target}`);
  } else world.files.set(target, text.length + 1);
  return NOTHING;
}

/** `grep … /proc/net/tcp` and `cat` of the same. */
function readFile(world: World, { words }: SimpleCommand): Output {
  const searching = words[0].endsWith("grep");
  const files = searching ? grepArguments(words).files : words.slice(1);
  const lines = files.flatMap((file) => {
    if (!/^\/proc\/net\/tcp6?$/.test(file)) throw new Unsupported(`the command ${words.join(" ")}`);
    return file.endsWith("6") ? [] : procLines(world);
  });
  if (files.length === 0) throw new Unsupported(`the command ${words.join(" ")}`);
  return searching ? grep(words, lines) : { lines, ok: true };
}

/** `ss`: without `-a` what listens or is over is left out. */
function socketStatistics(world: World, words: readonly string[]): string[] {
  const flags = words.filter((word) => /^-[a-z]+$/.test(word)).join("");
  if (/[imxuw]/.test(flags)) throw new Unsupported(`the command ${words.join(" ")}`);
  const at = words.indexOf("state");
  const wanted = at < 0 ? undefined : words[at + 1];
  return ssLines(world, (state) => {
    if (wanted !== undefined && wanted !== "all") {
      const name = wanted === "established" ? "estab" : wanted;
      return state.toLowerCase() === name.toLowerCase().replaceAll("_", "-");
    }
    if (flags.includes("a") || wanted === "all") return true;
    if (flags.includes("l")) return state === "LISTEN";
    return !["LISTEN", "UNCONN", "TIME-WAIT", "SYN-RECV"].includes(state);
  });
}

/** Bytes of a size such as `64k`. */
function sizeOf(text: string | undefined): number {
  const match = /^(\d+)([kKMG]?)(?:i?B)?$/.exec(text ?? "");
  if (!match) return NaN;
  const unit = { "": 1, k: 1024, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[match[2]] ?? NaN;
  return Number(match[1]) * unit;
}

/** Test files are in memory; what is in them does not matter. */
function makeFile(world: World, { words, target }: SimpleCommand, program: string): Output {
  const unknown = () => new Unsupported(`the command ${words.join(" ")}`);
  const names = words.slice(1).filter((word) => !word.startsWith("-"));
  if (program === "rm") { for (const name of names) world.files.delete(name); }
  else if (program === "touch") {
    for (const name of names) world.files.set(name, sizeIn(world, name));
  } else if (program === "dd") {
    const value = (key: string) =>
      words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
    const size = sizeOf(value("bs") ?? "512") * sizeOf(value("count"));
    const name = value("of");
    if (name === undefined || !(size >= 0)) throw unknown();
    world.files.set(name, size);
  } else {
    const flag = program === "truncate" ? "-s" : "-c";
    const at = words.findIndex((word) => word.startsWith(flag));
    const size = sizeOf(words[at]?.slice(2) || words[at + 1]);
    const name = program === "truncate" ? names.at(-1) : target;
    if (at < 0 || name === undefined || !(size >= 0)) throw unknown();
    world.files.set(name, size);
  }
  return NOTHING;
}

function sizeIn(world: World, name: string): number {
  return world.files.get(name) ?? 0;
}
