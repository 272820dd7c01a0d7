/**
 * Shell commands of scripts. None is ever run: those that are known change the stack under test or
 * ask it something, and all others are unsupported.
 *
 * @module
 */

import { TcpState } from "../assembly/abi/tcp.ts";
import { Mismatch, Unsupported } from "./errors.ts";
import { setSysctl } from "./settings.ts";
import { setLinuxDefaults } from "./settings_profile.ts";
import { stackCounter } from "./counters.ts";
import type { World } from "./world.ts";

/** States by the names that `sockstat` and `/proc/net/tcp` have for them. */
const STATES: Readonly<Record<string, TcpState>> = {
  CLOSED: TcpState.CLOSED,
  LISTEN: TcpState.LISTEN,
  SYN_SENT: TcpState.SYN_SENT,
  SYN_RCVD: TcpState.SYN_RECEIVED,
  SYN_RECV: TcpState.SYN_RECEIVED,
  ESTABLISHED: TcpState.ESTABLISHED,
  CLOSE_WAIT: TcpState.CLOSE_WAIT,
  FIN_WAIT_1: TcpState.FIN_WAIT_1,
  FIN_WAIT1: TcpState.FIN_WAIT_1,
  CLOSING: TcpState.CLOSING,
  LAST_ACK: TcpState.LAST_ACK,
  FIN_WAIT_2: TcpState.FIN_WAIT_2,
  FIN_WAIT2: TcpState.FIN_WAIT_2,
  TIME_WAIT: TcpState.TIME_WAIT,
};

/** Numbers of states in `/proc/net/tcp`. */
const PROC_STATES: Readonly<Record<string, TcpState>> = {
  "01": TcpState.ESTABLISHED,
  "02": TcpState.SYN_SENT,
  "03": TcpState.SYN_RECEIVED,
  "04": TcpState.FIN_WAIT_1,
  "05": TcpState.FIN_WAIT_2,
  "06": TcpState.TIME_WAIT,
  "07": TcpState.CLOSED,
  "08": TcpState.CLOSE_WAIT,
  "09": TcpState.LAST_ACK,
  "0A": TcpState.LISTEN,
  "0B": TcpState.CLOSING,
};

/** Longest that a command may sleep, seconds. */
const SLEEP_MAX_S = 86_400;

/** Programs that prepare or watch a machine and mean nothing to this stack. */
const HARMLESS: readonly RegExp[] = [
  /^ethtool\s+-K/,
  /^(true|sync|tcpdump|pkill)\b/,
  /^echo\s+["']/,
  /^kld(un)?load\s+(-\w\s+)*cc_\w+/,
];

/** Carries out the text of a command. Throws `Unsupported` for what is not known. */
export function runCommand(world: World, text: string): void {
  for (const command of splitCommands(text)) runOne(world, command);
}

/** Simple commands, without redirections. */
export function splitCommands(text: string): string[] {
  return text.replaceAll("\\\n", " ").split(/\n|;|&&/).map((command) =>
    command.replaceAll(/\s*\d?>>?\s*(&\d|\S+)/g, "").replace(/(^|\s)#.*$/, "").trim()
  ).filter((command) => command !== "");
}

function runOne(world: World, command: string): void {
  const words = shellWords(command);
  const program = words[0].split("/").at(-1) ?? "";
  if (program === "defaults.sh") return setLinuxDefaults(world.host);
  if (program === "set_sysctls.py") return setAll(world, words.slice(1));
  if (/^sysctl_restore_/.test(program) || HARMLESS.some((known) => known.test(command))) return;
  if (program === "sysctl") {
    return setAll(world, words.slice(1).filter((word) => !word.startsWith("-")));
  }
  if (program === "sleep") return pass(world, Number(words[1]));
  if (program === "tc") return queueDiscipline(world, command);
  if (program === "ip") return ipCommand(world, command);
  if (program === "nstat") return nstat(world, command);
  if (program === "sockstat" || program === "netstat") return countSockets(world, command);
  if (program === "grep" || program === "cat") return procNetTcp(world, command);
  throw new Unsupported(`the command ${command}`);
}

/** A command that takes its time: the clock goes on. */
function pass(world: World, seconds: number): void {
  if (!(seconds >= 0 && seconds <= SLEEP_MAX_S)) throw new Unsupported(`sleep ${seconds}`);
  world.host.advance(world.host.now_us + Math.round(seconds * 1e6));
}

/** Words of a simple command; quotes group. */
function shellWords(command: string): string[] {
  const words = command.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [command];
  return words.map((word) => word.replaceAll(/["']/g, ""));
}

function setAll(world: World, settings: readonly string[]): void {
  for (const setting of settings) {
    const at = setting.indexOf("=");
    if (at > 0) setSysctl(world.host, setting.slice(0, at), setting.slice(at + 1));
  }
}

function queueDiscipline(world: World, command: string): void {
  if (/\bfq\b/.test(command)) throw new Unsupported("pacing by the queue discipline fq");
  if (!/\bpfifo(_fast)?\b/.test(command)) throw new Unsupported(`the command ${command}`);
  const limit = /\blimit\s+(\d+)/.exec(command);
  world.host.dropping = limit?.[1] === "0";
}

function ipCommand(world: World, command: string): void {
  if (/\btcp_metrics\s+flush\b/.test(command)) {
    world.host.calls.tcp_metrics_flush();
    return;
  }
  throw new Unsupported(`the command ${command}`);
}

/** `nstat | grep Name`: fails unless the counter is above zero; plain `nstat` forgets. */
function nstat(world: World, command: string): void {
  const name = /\|\s*grep\s+(?:-\S+\s+)*(\w+)/.exec(command)?.[1];
  if (name === undefined) return;
  const value = stackCounter(world.host, name);
  if (value === undefined) throw new Unsupported(`the counter ${name}`);
  if (value === 0) throw new Mismatch(`the counter ${name} is 0`, `${name} > 0`, `${name} = 0`);
}

/** `sockstat … | grep -c STATE | grep N`: how many connections are in a state. */
function countSockets(world: World, command: string): void {
  const match = /grep\s+-c\s+["']?(\w+)["']?\s*\|\s*grep\s+(?:-\S+\s+)*["']?\^?(\d+)\$?["']?/.exec(
    command,
  );
  const plain = /grep\s+(?:-q\s+)?["']?([A-Z_\d]+)["']?\s*$/.exec(command);
  const state = STATES[match?.[1] ?? plain?.[1] ?? ""];
  if (state === undefined) throw new Unsupported(`the command ${command}`);
  const got = world.host.calls.tcp_count(state);
  const name = match?.[1] ?? plain?.[1];
  const right = match ? String(got).includes(match[2]) : got > 0;
  if (right) return;
  const wanted = match ? match[2] : "at least 1";
  throw new Mismatch(`sockets in state ${name}`, `${wanted} in ${name}`, `${got} in ${name}`);
}

/** `grep … /proc/net/tcp`: fails unless a socket is in that state. */
function procNetTcp(world: World, command: string): void {
  if (!/\/proc\/net\/tcp\b/.test(command)) throw new Unsupported(`the command ${command}`);
  const number = /[\s"']([\dA-F]{2})[\s"']/.exec(command.replace(/\/proc\/net\/tcp/, " "))?.[1];
  const state = PROC_STATES[number ?? ""];
  if (state === undefined) throw new Unsupported(`the command ${command}`);
  if (world.host.calls.tcp_count(state) > 0) return;
  throw new Mismatch(`sockets in state ${number}`, "at least 1", "0");
}
