/**
 * Options, from the top of a script or from the command line.
 *
 * @module
 */

import { ScriptError, Unsupported } from "./errors.ts";
import { unquote } from "./preprocess.ts";

/** Modes in which a script can be run. */
export const MODES = ["ipv4", "ipv4-mapped-ipv6", "ipv6"] as const;
/** One of them. */
export type Mode = typeof MODES[number];

/** What options decide. */
export interface ScriptOptions {
  readonly tolerance_us: number;
  /** Part of the time since the event before, in percent. */
  readonly tolerancePercent: number;
  readonly localIp: string;
  readonly prefix: number;
  readonly remoteIp: string;
  readonly mtu: number;
  /** Segment size for packets that come in larger than the MTU; 0: what fits. */
  readonly mss: number;
  readonly strictSegments: boolean;
  readonly tsTick_us: number;
  readonly ecrScaled: boolean;
  /** A pure ACK that the script does not list may come. */
  readonly tolerateAcks: boolean;
  /** The only mode the script is made for. */
  readonly mode?: Mode;
}

/** What holds without options. */
export const DEFAULTS: ScriptOptions = {
  tolerance_us: 4000,
  tolerancePercent: 12.5,
  localIp: "192.168.0.1",
  prefix: 16,
  remoteIp: "192.0.2.1",
  mtu: 1500,
  mss: 0,
  strictSegments: false,
  tsTick_us: 0,
  ecrScaled: false,
  tolerateAcks: false,
};

/** Options without meaning for a stack inside the interpreter. */
const IGNORED = new Set([
  "define",
  "send_omit_free",
  "speed",
  "gateway_ip",
  "netmask_ip",
  "live_bind_ip",
  "live_connect_ip",
  "live_remote_ip",
  "live_local_ip",
  "live_gateway_ip",
  "live_netmask_ip",
  "live_remote_prefix",
  "non_fatal",
  "init_scripts",
  "dry_run",
  "verbose",
  "debug",
  "tun_dev",
  "persistent_tun_dev",
]);
const IGNORED_PREFIX = /^(wire_|so_|code_)/;

/** Options beyond those of the interpreter: what a script needs for other protocols. */
const FOREIGN: Readonly<Record<string, string>> = {
  udp_encapsulation: "UDP encapsulation",
  tcp_md5_secret: "TCP MD5 signatures",
  tcp_ao_secret: "TCP-AO",
};

/** Reads a list of options; later ones win. */
export function readScriptOptions(
  list: readonly (readonly [name: string, value: string])[],
): ScriptOptions {
  return list.reduce((options, [name, value]) => apply(options, name, unquote(value)), DEFAULTS);
}

function apply(options: ScriptOptions, name: string, value: string): ScriptOptions {
  switch (name) {
    case "tolerance_usecs":
      return { ...options, tolerance_us: count(name, value) };
    case "tolerance_percent":
      return { ...options, tolerancePercent: count(name, value) };
    case "local_ip":
      return { ...options, ...address(value, options.prefix) };
    case "remote_ip":
    case "connect_ip":
      return { ...options, remoteIp: address(value, 32).localIp };
    case "mtu":
      return { ...options, mtu: count(name, value) };
    case "mss":
      return { ...options, mss: count(name, value) };
    case "strict_segments":
      return { ...options, strictSegments: true };
    case "tcp_ts_tick_usecs":
      return { ...options, tsTick_us: count(name, value) };
    case "tcp_ts_ecr_scaled":
      return { ...options, ecrScaled: true };
    case "tolerate_acks":
      return { ...options, tolerateAcks: true };
    case "ip_version":
      return { ...options, mode: modeOf(value) };
  }
  if (FOREIGN[name]) throw new Unsupported(FOREIGN[name]);
  if (IGNORED.has(name) || IGNORED_PREFIX.test(name)) return options;
  throw new Unsupported(`the option --${name}`);
}

function modeOf(value: string): Mode {
  const mode = MODES.find((name) => name === value.replaceAll("_", "-"));
  if (!mode) throw new ScriptError(`there is no IP version ${value}`);
  return mode;
}

function count(name: string, value: string): number {
  const number = Number(value);
  if (value === "" || !(number >= 0)) throw new ScriptError(`--${name} takes a number`);
  return number;
}

/** `a.b.c.d` or `a.b.c.d/n`. */
function address(value: string, prefix: number): { localIp: string; prefix: number } {
  if (value.includes(":")) throw new Unsupported("IPv6");
  const match = /^(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?$/.exec(value);
  const bytes = match?.[1].split(".").map(Number) ?? [];
  if (!match || bytes.some((byte) => byte > 255)) {
    throw new ScriptError(`"${value}" is no address`);
  }
  return { localIp: match[1], prefix: match[2] === undefined ? prefix : Number(match[2]) };
}
