/**
 * What a sysctl is: where it lies in the engine's memory, which values it takes, and how they read.
 *
 * @module
 */

import { Limits } from "../assembly/abi/limits.ts";
import type * as layout from "./wasm/layout.gen.ts";

/** Values of a sysctl: a number, or text for words and for several numbers in a row. */
export type SysctlValue = number | string;

/** Sets of values for all sysctls: `linux` is how Linux behaves, `strict` what the RFCs ask. */
export type Profile = "linux" | "strict";

/** A sysctl as programs see it. */
export interface SysctlEntry {
  /** `net.ipv4.tcp_ecn`; names under `net.godwit` have no counterpart in Linux. */
  readonly name: string;
  /** What it does, and what its values in the profiles rest on. */
  readonly doc: string;
  /** `us`, `ms`, `s`, `bytes`, `segments`, `%`; empty for counts and switches. */
  readonly unit: string;
  /** Least number. */
  readonly min: number;
  /** Largest number. */
  readonly max: number;
  /** The words it takes instead of numbers, if it does. */
  readonly words?: readonly string[];
  /** How many numbers it holds. */
  readonly count: number;
  /** Value in the profile `linux`. */
  readonly linux: SysctlValue;
  /** Value in the profile `strict`. */
  readonly strict: SysctlValue;
}

/** Fields of struct TcpSettings. */
export type TcpField = Exclude<keyof typeof layout.TcpSettings, "size">;
/** Fields of struct NetSettings. */
export type NetField = `net.${Exclude<keyof typeof layout.NetSettings, "size">}`;
/** Fields of the engine's settings; those of NetSettings have `net.` in front. */
export type SettingField = TcpField | NetField;

/** A sysctl as the table has it. */
export interface SysctlRow extends Omit<SysctlEntry, "count"> {
  /** Fields of the engine's settings, one for each number. */
  readonly fields: readonly SettingField[];
  /** It is a matter of what the host is for, and no profile changes it. */
  readonly role?: true;
}

/** Least and largest number. */
export type Range = readonly [min: number, max: number];
type Both = readonly [linux: SysctlValue, strict: SysctlValue];

/** A sysctl of one number. */
export function one(
  name: string,
  field: SettingField,
  unit: string,
  [min, max]: Range,
  [linux, strict]: Both,
  doc: string,
): SysctlRow {
  return { name, fields: [field], unit, min, max, linux, strict, doc };
}

/** Sizes of a buffer: under memory pressure, at first, at most. */
export function sizes(
  name: string,
  fields: readonly TcpField[],
  both: Both,
  doc: string,
): SysctlRow {
  return {
    name,
    fields,
    unit: "bytes",
    min: 1,
    max: Limits.SB_MAX,
    linux: both[0],
    strict: both[1],
    doc,
  };
}

/** A sysctl that takes words. */
export function word(
  name: string,
  field: SettingField,
  words: readonly string[],
  [linux, strict]: Both,
  doc: string,
): SysctlRow {
  const range = { min: 0, max: words.length - 1 };
  return { name, fields: [field], unit: "", ...range, words, linux, strict, doc };
}

/** A number as text. */
const NUMBER = /^(0x[\da-f]+|\d+)$/i;
/** Microseconds in the units of time. */
const TIME_US: Readonly<Record<string, number>> = { us: 1, ms: 1000, s: 1_000_000 };

/** How often the unit of the field goes into the unit of the sysctl. */
export function scaleOf({ fields, unit }: SysctlRow): number {
  const own = TIME_US[unit];
  const inner = TIME_US[/_(us|ms|s)$/.exec(fields[0])?.[1] ?? unit];
  return own === undefined || inner === undefined ? 1 : own / inner;
}

/** What values a sysctl takes, in words. */
export function allowed({ words, min, max, unit, fields }: SysctlRow): string {
  if (words !== undefined) return words.length === 1 ? words[0] : `one of ${words.join(", ")}`;
  const what = fields.length === 1
    ? "a whole number"
    : `${fields.length} whole numbers in rising order`;
  return `${what} from ${min} to ${max}${unit === "" ? "" : " " + unit}`;
}

/** The fields' values for a value; undefined if it is none that the sysctl takes. */
export function parseValue(
  row: SysctlRow,
  value: SysctlValue | boolean | readonly number[],
): number[] | undefined {
  const text = (Array.isArray(value) ? value.join(" ") : String(value)).trim();
  if (row.words !== undefined) {
    const at = row.words.indexOf(text);
    return at < 0 ? undefined : [at];
  }
  const parts = typeof value === "boolean" ? [value ? "1" : "0"] : text.split(/\s+/);
  if (parts.length !== row.fields.length) return undefined;
  const numbers = parts.map((part) => NUMBER.test(part) ? Number(part) : NaN);
  const good = numbers.every((number, i) =>
    number >= row.min && number <= row.max && (i === 0 || number >= numbers[i - 1])
  );
  return good ? numbers.map((number) => number * scaleOf(row)) : undefined;
}

/** The value that the fields hold. */
export function showValue(row: SysctlRow, fields: readonly number[]): SysctlValue {
  if (row.words !== undefined) return row.words[fields[0]] ?? fields[0];
  const numbers = fields.map((field) => field / scaleOf(row));
  return numbers.length === 1 ? numbers[0] : numbers.join(" ");
}
