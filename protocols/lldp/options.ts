/**
 * What LLDP announces, and how often.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../../runtime/errors.ts";

/** Bits of what a system can do (IEEE 802.1AB-2016 table 8-4). */
export const Capability = {
  OTHER: 1 << 0,
  REPEATER: 1 << 1,
  BRIDGE: 1 << 2,
  WLAN_ACCESS_POINT: 1 << 3,
  ROUTER: 1 << 4,
  TELEPHONE: 1 << 5,
  DOCSIS: 1 << 6,
  STATION_ONLY: 1 << 7,
} as const;

/** How LLDP is set up; everything has a default. */
export interface LldpOptions {
  /** Who we are; the hardware address of the first Ethernet interface unless told. */
  readonly chassis?: string;
  /** Name of the system; not announced unless told. */
  readonly systemName?: string;
  /** What it is, in words; not announced unless told. */
  readonly systemDescription?: string;
  /** What it can do, as {@link Capability} bits; a station only, unless told. */
  readonly capabilities?: number;
  /** Seconds between announcements, 1 to 3600; 30 unless told (msgTxInterval). */
  readonly interval_s?: number;
  /** How many intervals an announcement is good for, 1 to 100; 4 unless told (msgTxHold). */
  readonly hold?: number;
}

const INTERVAL_S = 30;
const INTERVAL_MAX_S = 3600;
const HOLD = 4;
const HOLD_MAX = 100;
const TEXT_MAX = 255;

/** The bytes that the module is started with (assembly/config.ts); `SocketError` EINVAL. */
export function encodeOptions(options: LldpOptions): Uint8Array<ArrayBuffer> {
  const { chassis = "", systemName = "", systemDescription = "" } = options;
  const interval_s = number("interval_s", options.interval_s ?? INTERVAL_S, INTERVAL_MAX_S);
  const hold = number("hold", options.hold ?? HOLD, HOLD_MAX);
  const capabilities = number(
    "capabilities",
    options.capabilities ?? Capability.STATION_ONLY,
    0xffff,
  );
  const texts = [
    text("chassis", chassis, TEXT_MAX),
    text("systemName", systemName, TEXT_MAX),
    text("systemDescription", systemDescription, TEXT_MAX),
  ];
  const words = [interval_s, hold, capabilities].flatMap((n) => [n & 255, n >> 8]);
  const lengths = texts.map(({ length }) => length);
  return new Uint8Array([...words, ...lengths, ...texts.flatMap((bytes) => [...bytes])]);
}

function number(name: string, n: number, most: number): number {
  if (Number.isInteger(n) && n >= 1 && n <= most) return n;
  throw refuse(`${name} is a whole number from 1 to ${most}, not ${n}`);
}

function text(name: string, words: string, most: number): Uint8Array {
  const bytes = new TextEncoder().encode(words);
  if (bytes.length <= most) return bytes;
  throw refuse(`${name} has at most ${most} bytes, not ${bytes.length}`);
}

function refuse(words: string): SocketError {
  return new SocketError(Errno.EINVAL, "protocols.load", `lldp: ${words}`);
}
