/**
 * What an untrusted protocol says of itself: JSON in its custom section `godwit.protocol`. It gets
 * what it asks for here, and may send nothing else.
 *
 * @module
 */

import { UntrustedLimit } from "../../assembly/abi/untrusted.ts";

/** What an untrusted protocol asks for. */
export interface Manifest {
  /** Version of the records: `UntrustedLimit.ABI`. */
  readonly abi: number;
  /** Name of the protocol. */
  readonly name: string;
  /** Ethertypes whose frames it gets and sends. */
  readonly ethertypes: readonly number[];
  /** IP protocol numbers whose packets it gets and sends. */
  readonly protocols: readonly number[];
  /** UDP ports whose datagrams it gets and sends. */
  readonly ports: readonly number[];
  /** Whether there are datagram sockets of its protocol numbers. */
  readonly sockets: boolean;
  /** Whether it is told of interfaces: before the first tick, and before each if they changed. */
  readonly interfaces: boolean;
  /** Whether it says what it wants back after a snapshot; without, there can be none. */
  readonly state: boolean;
  /** How often it is called without a packet, milliseconds; 0: never. */
  readonly tick_ms: number;
  /** Most packets that it may send in a second. */
  readonly sends_per_s: number;
  /** Most memory that it grows to, for the build. */
  readonly memory_bytes?: number;
}

/** The manifest cannot be used; the message is for a person. */
export class ManifestError extends Error {
  /** The kind of error. */
  override name = "ManifestError";
}

/** Lists, and the numbers that each may have. */
const LISTS = [
  ["ethertypes", 0x0600, 0xffff],
  ["protocols", 1, 255],
  ["ports", 1, 0xffff],
] as const;
const FLAGS = ["sockets", "interfaces", "state"] as const;
/** Numbers: least, most, and what one that is not there is. */
const NUMBERS = [
  ["tick_ms", 0, 86_400_000, 0],
  ["sends_per_s", 1, UntrustedLimit.SENDS_MAX, UntrustedLimit.SENDS],
  ["memory_bytes", 65536, 2 ** 32, undefined],
] as const;
const KEYS = new Set<string>(
  ["abi", "name", ...LISTS.map(([key]) => key), ...FLAGS, ...NUMBERS.map(([key]) => key)],
);

/** Reads a manifest; throws {@link ManifestError}. */
export function readManifest(text: string): Manifest {
  let given: Record<string, unknown>;
  try {
    given = JSON.parse(text);
  } catch {
    throw new ManifestError("it is not JSON");
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new ManifestError("it is not an object");
  }
  const unknown = Object.keys(given).find((key) => !KEYS.has(key));
  if (unknown !== undefined) throw new ManifestError(`nothing is called "${unknown}"`);
  const { abi, name } = given;
  if (abi !== UntrustedLimit.ABI) {
    throw new ManifestError(`abi is ${abi}, and this stack has ${UntrustedLimit.ABI}`);
  }
  if (typeof name !== "string" || !/^[\w.-]{1,32}$/.test(name)) {
    throw new ManifestError('a name has 1 to 32 letters, digits, "_", "-" or "."');
  }
  const manifest: Record<string, unknown> = { abi, name };
  for (const [key, least, most] of LISTS) manifest[key] = readList(given, key, least, most);
  for (const key of FLAGS) manifest[key] = readFlag(given, key);
  for (const [key, least, most, otherwise] of NUMBERS) {
    const n = given[key] ?? otherwise;
    if (n !== undefined && !whole(n, least, most)) {
      throw new ManifestError(`${key} is a whole number from ${least} to ${most}, not ${n}`);
    }
    if (n !== undefined) manifest[key] = n;
  }
  if (manifest.interfaces === true && manifest.tick_ms === 0) {
    throw new ManifestError("interfaces are looked at with each tick: it needs tick_ms");
  }
  return manifest as unknown as Manifest;
}

function readList(given: Record<string, unknown>, key: string, least: number, most: number) {
  const list = given[key] ?? [];
  const good = Array.isArray(list) && list.every((n) => whole(n, least, most)) &&
    new Set(list).size === list.length;
  if (!good) {
    throw new ManifestError(`${key} is a list of different numbers from ${least} to ${most}`);
  }
  return list;
}

function readFlag(given: Record<string, unknown>, key: string): boolean {
  const flag = given[key] ?? false;
  if (typeof flag !== "boolean") throw new ManifestError(`${key} is true or false`);
  return flag;
}

function whole(n: unknown, least: number, most: number): n is number {
  return Number.isInteger(n) && n as number >= least && n as number <= most;
}
