/**
 * What `deno task start` can be told.
 *
 * @module
 */

import { isIPv4 } from "node:net";
import { parseArgs } from "node:util";
import { MbufSize } from "../../assembly/abi/mbuf.ts";
import type { Profile } from "../../mod.ts";
import { parseBytes } from "./format.ts";

/** An address and the length of its prefix. */
export interface Prefix {
  /** `10.9.0.2` */
  readonly address: string;
  /** Bits of the network part, 0 to 32. */
  readonly bits: number;
}

/** Settings of the stacks, as `createStack` takes them. */
export interface Settings {
  /** The profile to begin with. */
  readonly profile?: Profile;
  /** Settings that differ from it, by name. */
  readonly sysctl: Readonly<Record<string, string>>;
}

/** What every job needs. */
interface JobOptions {
  /** Settings of the stacks. */
  readonly settings: Settings;
  /** Socket file that commands reach the stack through; a replay has none. */
  readonly control?: string;
}

/** Two hosts in this process. */
export interface TwoHostsOptions extends JobOptions {
  readonly job: "two-hosts";
  /** Bytes to download. */
  readonly size: number;
  /** Seed of the content and of both stacks. */
  readonly seed: number;
  /** Bytes of the largest IP packet on the cable. */
  readonly mtu: number;
  /** Where the capture goes; undefined for none. */
  readonly capture: string | undefined;
  /** Bytes kept of each frame; undefined: all of small frames, and the headers of others. */
  readonly snaplen: number | undefined;
}

/** The server on a TAP device. */
export interface TapOptions extends JobOptions {
  readonly job: "tap";
  /** Name of the device. */
  readonly device: string;
  /** Address of the stack. */
  readonly address: Prefix;
  /** Address that the machine gets on the device. */
  readonly hostAddress: Prefix;
  /** Port of the server. */
  readonly port: number;
  /** Seed of the content. */
  readonly seed: number;
}

/** A capture file played to a stack. */
export interface ReplayOptions extends JobOptions {
  readonly job: "replay";
  /** The capture file. */
  readonly file: string;
  /** Address of the stack; undefined to guess it. */
  readonly address: Prefix | undefined;
  /** Ports to listen on, so that frames find a socket. */
  readonly listen: readonly ListenPort[];
  /** Leave out the line for each frame. */
  readonly totals: boolean;
}

/** A port that somebody listens on. */
export interface ListenPort {
  /** Protocol. */
  readonly protocol: "tcp" | "udp";
  /** 1 to 65535. */
  readonly port: number;
}

/** The server behind a socket file. */
export interface ServeOptions extends JobOptions {
  readonly job: "serve";
  /** The socket file. */
  readonly file: string;
  /** Seed of the content. */
  readonly seed: number;
}

/** A download through a socket file. */
export interface GetOptions extends JobOptions {
  readonly job: "get";
  /** The socket file. */
  readonly file: string;
  /** Bytes to download. */
  readonly size: number;
  /** Seed of the content that is expected. */
  readonly seed: number;
}

/** Show the help and stop. */
export interface HelpOptions {
  readonly job: "help";
}

/** One of the jobs and what it needs. */
export type StartOptions =
  | TwoHostsOptions
  | TapOptions
  | ReplayOptions
  | ServeOptions
  | GetOptions
  | HelpOptions;

/** The command line makes no sense; the message says why. */
export class UsageError extends Error {
  /** `UsageError` */
  override readonly name = "UsageError";
}

const OPTIONS = {
  "help": { type: "boolean", short: "h" },
  "size": { type: "string" },
  "mtu": { type: "string" },
  "seed": { type: "string" },
  "capture": { type: "string" },
  "no-capture": { type: "boolean" },
  "snaplen": { type: "string" },
  "tap": { type: "string" },
  "address": { type: "string" },
  "host-address": { type: "string" },
  "port": { type: "string" },
  "replay": { type: "string" },
  "listen": { type: "string", multiple: true },
  "serve": { type: "string" },
  "get": { type: "string" },
  "totals": { type: "boolean" },
  "control": { type: "string" },
  "profile": { type: "string" },
  "sysctl": { type: "string", multiple: true },
} as const;

type OptionName = keyof typeof OPTIONS;

/** Options that say which job is wanted. */
const JOBS = ["tap", "replay", "serve", "get"] as const;
const SETTINGS: readonly OptionName[] = ["profile", "sysctl"];
/** Options that each job understands. */
const UNDERSTOOD: Readonly<Record<string, readonly OptionName[]>> = {
  "two-hosts": ["size", "mtu", "seed", "capture", "no-capture", "snaplen", "control", ...SETTINGS],
  "tap": ["tap", "address", "host-address", "port", "seed", "control", ...SETTINGS],
  "replay": ["replay", "address", "listen", "totals", ...SETTINGS],
  "serve": ["serve", "seed", "control", ...SETTINGS],
  "get": ["get", "size", "seed", "control", ...SETTINGS],
};

/** What one mbuf holds beside the link header. */
const MTU_MAX = MbufSize.MCLBYTES - MbufSize.MAX_LINKHDR;
const SNAPLEN_ALL = 262_144;
const MIB = 1024 * 1024;

/** Reads the command line; throws a `UsageError` that says what is wrong with it. */
export function parseOptions(args: readonly string[]): StartOptions {
  const values = parse(args);
  if (values.help) return { job: "help" };
  const job = JOBS.find((name) => values[name] !== undefined);
  refuseStrangers(job ?? "two-hosts", Object.keys(values) as OptionName[]);
  const seed = integer("seed", values.seed, 1, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const settings = readSettings(values.profile, values.sysctl ?? []);
  const control = values.control === undefined
    ? {}
    : { control: fileName("control", values.control) };
  if (job === "tap") {
    const address = prefix("address", values.address ?? "10.9.0.2/24");
    const hostAddress = prefix("host-address", values["host-address"] ?? "10.9.0.1/24");
    if (address.address === hostAddress.address) {
      throw new UsageError(`--address and --host-address are both ${address.address}`);
    }
    const port = integer("port", values.port, 80, 1, 65535);
    const device = deviceName(values.tap!);
    return { job, device, address, hostAddress, port, seed, settings, ...control };
  }
  if (job === "replay") {
    return {
      job,
      file: fileName("replay", values.replay!),
      address: values.address === undefined ? undefined : prefix("address", values.address),
      listen: (values.listen ?? []).map(listenPort),
      totals: values.totals ?? false,
      settings,
    };
  }
  if (job === "serve") {
    return { job, file: fileName(job, values.serve!), seed, settings, ...control };
  }
  if (job === "get") {
    const file = fileName(job, values.get!);
    return { job, file, size: size(values.size), seed, settings, ...control };
  }
  const snaplen = integer("snaplen", values.snaplen, 0, 0, SNAPLEN_ALL) || SNAPLEN_ALL;
  if (values["no-capture"] && values.capture !== undefined) {
    throw new UsageError("--capture and --no-capture exclude each other");
  }
  return {
    job: "two-hosts",
    size: size(values.size),
    seed,
    mtu: integer("mtu", values.mtu, 1500, 68, MTU_MAX),
    capture: values["no-capture"]
      ? undefined
      : fileName("capture", values.capture ?? "out/start.pcapng"),
    snaplen: values.snaplen === undefined ? undefined : snaplen,
    settings,
    ...control,
  };
}

/** The stack itself says which names and values there are. */
function readSettings(profile: string | undefined, list: readonly string[]): Settings {
  if (profile !== undefined && profile !== "linux" && profile !== "strict") {
    throw new UsageError(`--profile takes linux or strict, not "${profile}"`);
  }
  const pairs = list.map((text) => {
    const at = text.indexOf("=");
    if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
    throw new UsageError(`--sysctl takes NAME=VALUE, such as net.ipv4.tcp_ecn=1, not "${text}"`);
  });
  return { ...profile && { profile }, sysctl: Object.fromEntries(pairs) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false })
      .values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node adds advice about positional arguments, of which there are none here.
    throw new UsageError(error.message.split(". ")[0].replace(/\.$/, ""));
  }
}

function refuseStrangers(job: string, given: readonly OptionName[]): void {
  const stranger = given.find((name) => !UNDERSTOOD[job].includes(name));
  if (stranger === undefined) return;
  const jobs = Object.keys(UNDERSTOOD).filter((other) => UNDERSTOOD[other].includes(stranger));
  const where = jobs.map((other) => other === "two-hosts" ? "the two hosts" : `--${other}`);
  const what = job === "two-hosts" ? "the two hosts" : `--${job}`;
  throw new UsageError(`--${stranger} belongs to ${where.join(" and ")}, not to ${what}`);
}

function integer(
  name: string,
  text: string | undefined,
  otherwise: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return otherwise;
  const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  const range = Number.isSafeInteger(min) && max < Number.MAX_SAFE_INTEGER
    ? ` from ${min} to ${max}`
    : "";
  throw new UsageError(`--${name} takes a whole number${range}, not "${text}"`);
}

function size(text: string | undefined): number {
  const value = text === undefined ? 64 * MIB : parseBytes(text);
  if (value !== undefined && Number.isSafeInteger(value)) return value;
  throw new UsageError(`--size takes a number of bytes such as 64MiB, not "${text}"`);
}

/** `10.0.0.2/24`; without a slash, 24 bits. */
export function prefix(name: string, text: string): Prefix {
  const [address, bits = "24", ...more] = text.split("/");
  if (more.length === 0 && isIPv4(address) && /^\d{1,2}$/.test(bits) && Number(bits) <= 32) {
    if (!isHost(address, Number(bits))) throw new UsageError(`--${name}: ${text} is no host`);
    return { address, bits: Number(bits) };
  }
  throw new UsageError(`--${name} takes an IPv4 address such as 10.9.0.2/24, not "${text}"`);
}

/** Not a network or broadcast, nor this host, loopback, a group or reserved (RFC 1122 3.2.1.3). */
function isHost(address: string, bits: number): boolean {
  const [first, ...rest] = address.split(".").map(Number);
  if (first === 0 || first === 127 || first >= 224) return false;
  const number = rest.reduce((sum, byte) => sum * 256 + byte, first);
  const hosts = 2 ** (32 - bits);
  return bits >= 31 || (number % hosts !== 0 && number % hosts !== hosts - 1);
}

function listenPort(text: string): ListenPort {
  const match = /^(tcp|udp)\/(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match !== null && port >= 1 && port <= 65535) {
    return { protocol: match[1] as "tcp" | "udp", port };
  }
  throw new UsageError(`--listen takes a protocol and port such as udp/53, not "${text}"`);
}

function fileName(name: string, text: string): string {
  if (text === "") throw new UsageError(`--${name} takes the name of a file`);
  return text;
}

function deviceName(text: string): string {
  if (/^[^\s/:%]{1,15}$/.test(text)) return text;
  throw new UsageError(
    `--tap takes the name of a device, 1 to 15 characters without space, colon, slash and ` +
      `per cent, not "${text}"`,
  );
}
