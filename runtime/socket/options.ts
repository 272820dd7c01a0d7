/**
 * Values of socket options: numbers, booleans and records for programs, bytes for the engine.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Af, RawOpt, So as Opt, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { STAGING_BYTES } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import { algorithmBy, CONGESTION_ALGORITHMS } from "./congestion.ts";
import { parseIpv4 } from "./inet_addr.ts";
import { ifIndexBy } from "./ioctl.ts";
import type { So } from "./so.ts";
import { TCP_INFO_FIELDS, type TcpInfo } from "./tcp_info.ts";

/** Value of SO_LINGER. */
export interface Linger {
  /** True if close waits until the peer has everything. */
  readonly onoff: boolean;
  /** How long it waits at most, in seconds; 0 drops the connection with a reset instead. */
  readonly linger: number;
}

/** Value of IP_ADD_MEMBERSHIP and of the options about a source (struct ip_mreq_source). */
export interface Membership {
  /** The group, `224.0.0.251`. */
  readonly multiaddr: string;
  /** Name, address or index of the interface; the one of the route to the group unless told. */
  readonly interface?: string | number;
  /** The sender that IP_ADD_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE and their opposites are about. */
  readonly sourceaddr?: string;
}

/**
 * What setsockopt takes. Timeouts are microseconds; text names an interface, for TCP_CONGESTION an
 * algorithm.
 */
export type OptionValue = number | boolean | string | Linger | Membership | Uint8Array;

/** Longest option value in bytes that fits the scratch area; longer ones pass as data does. */
const VALUE_BYTES = 512;

function isTimeout(level: number, name: number): boolean {
  return level === Sol.SOCKET && (name === Opt.SNDTIMEO || name === Opt.RCVTIMEO);
}

function isCongestion(level: number, name: number): boolean {
  return level === IpProto.TCP && name === TcpOpt.CONGESTION;
}

/** SO_MAX_PACING_RATE, bytes a second: its numbers have no sign. */
function isRate(level: number, name: number): boolean {
  return level === Sol.SOCKET && name === Opt.MAX_PACING_RATE;
}

/** The options about filters: what runs those comes with packet sockets. */
function isFilter(level: number, name: number): boolean {
  return level === Sol.SOCKET && name >= Opt.ATTACH_FILTER && name <= Opt.LOCK_FILTER;
}

/** TCP_NOTSENT_LOWAT, whose largest number says that there is no limit, and ICMP_FILTER. */
function isUnsigned(level: number, name: number): boolean {
  if (level === IpProto.RAW) return name === RawOpt.ICMP_FILTER;
  return level === IpProto.TCP && name === TcpOpt.NOTSENT_LOWAT;
}

/** Writes a value of at most VALUE_BYTES to the scratch area; answers its length. */
function writeValue(so: So, level: number, name: number, value: OptionValue): number {
  const { view, memory, scratch: at } = so.layer.engine;
  if (typeof value === "boolean") value = value ? 1 : 0;
  if (typeof value === "number") {
    if (isTimeout(level, name)) {
      view.setFloat64(at, value, true);
      return 8;
    }
    if (isRate(level, name)) {
      if (!Number.isSafeInteger(value) || value < 0) {
        throw new SocketError(Errno.EINVAL, "setsockopt", `${value} is not a rate`);
      }
      view.setBigUint64(at, BigInt(value), true);
      return 8;
    }
    const whole = isUnsigned(level, name) ? value >>> 0 : value | 0;
    if (value !== whole) {
      throw new SocketError(Errno.EINVAL, "setsockopt", `${value} is not a 32-bit whole number`);
    }
    view.setInt32(at, value, true);
    return 4;
  }
  if (typeof value === "string") {
    const named = isCongestion(level, name);
    view.setInt32(at, named ? algorithmBy(value) : ifIndexBy(so.layer.engine, value), true);
    return 4;
  }
  if (value instanceof Uint8Array) {
    memory.set(value, at);
    return value.length;
  }
  if ("onoff" in value) {
    view.setInt32(at, value.onoff ? 1 : 0, true);
    view.setInt32(at + 4, value.linger, true);
    return 8;
  }
  const group = parseIpv4(value.multiaddr);
  if (group === undefined) {
    throw new SocketError(Errno.EINVAL, "setsockopt", `"${value.multiaddr}" is not an address`);
  }
  const index = ifIndexBy(so.layer.engine, value.interface ?? 0);
  view.setUint32(at, group, true);
  view.setUint32(at + 4, index, true);
  if (value.sourceaddr === undefined) return 8;
  const source = parseIpv4(value.sourceaddr);
  if (source === undefined) {
    throw new SocketError(Errno.EINVAL, "setsockopt", `"${value.sourceaddr}" is not an address`);
  }
  view.setUint32(at + 8, source, true);
  return 12;
}

/** Writes a value that is too long for the scratch area; answers where. */
function writeLong(so: So, value: Uint8Array): number {
  const { memory, staging } = so.layer.engine;
  if (value.length > STAGING_BYTES) throw new SocketError(Errno.EINVAL, "setsockopt");
  memory.set(value, staging);
  return staging;
}

function writeOption(so: So, level: number, name: number, value: OptionValue): number {
  const { calls, scratch } = so.layer.engine;
  const long = value instanceof Uint8Array && value.length > VALUE_BYTES;
  const at = long ? writeLong(so, value) : scratch;
  const length = long ? value.length : writeValue(so, level, name, value);
  return calls.so_setopt(so.ptr, level, name, at, length);
}

/** Sets an option; throws `SocketError`. */
export function setOption(so: So, level: number, name: number, value: OptionValue): void {
  so.layer.waits.scheduler.enter();
  let result = writeOption(so, level, name, value);
  if (result === -Errno.ENOPROTOOPT && isFilter(level, name) && so.layer.demand(Af.NDD)) {
    result = writeOption(so, level, name, value);
  }
  if (result < 0) throw new SocketError(-result, "setsockopt");
  so.layer.waits.scheduler.sent();
}

/** Reads an option: a number, or what those have that are none; throws `SocketError`. */
export function getOption(
  so: So,
  level: number,
  name: number,
): number | string | Linger | TcpInfo {
  readValue(so, level, name, VALUE_BYTES, so.layer.engine.scratch);
  const { view, scratch: at } = so.layer.engine;
  if (isTimeout(level, name)) return view.getFloat64(at, true);
  if (level === Sol.SOCKET && name === Opt.LINGER) {
    return { onoff: view.getInt32(at, true) !== 0, linger: view.getInt32(at + 4, true) };
  }
  if (level === IpProto.TCP && name === TcpOpt.INFO) return readTcpInfo(so, at);
  if (isCongestion(level, name)) return CONGESTION_ALGORITHMS[view.getInt32(at, true)];
  if (isRate(level, name) || isUnsigned(level, name)) return view.getUint32(at, true);
  return view.getInt32(at, true);
}

/** Reads an option as the bytes it has; throws `SocketError`. */
export function getOptionBytes(
  so: So,
  level: number,
  name: number,
  room: number,
): Uint8Array<ArrayBuffer> {
  const { memory, scratch, staging } = so.layer.engine;
  const at = room > VALUE_BYTES ? staging : scratch;
  const length = readValue(so, level, name, Math.min(room, STAGING_BYTES), at);
  return memory.slice(at, at + length);
}

function readValue(so: So, level: number, name: number, room: number, at: number): number {
  const { calls } = so.layer.engine;
  const length = calls.so_getopt(so.ptr, level, name, at, room);
  if (length < 0) throw new SocketError(-length, "getsockopt");
  return length;
}

function readTcpInfo(so: So, at: number): TcpInfo {
  const info: Record<string, number> = {};
  for (const [name, offset] of Object.entries(TCP_INFO_FIELDS)) {
    if (name !== "size") info[name] = field.getU32(so.layer.engine, at, offset);
  }
  return info as unknown as TcpInfo;
}
