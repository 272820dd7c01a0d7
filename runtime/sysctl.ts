/**
 * The settings of a stack by name, as Linux's sysctl has them.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import type { Engine } from "./engine.ts";
import { SocketError } from "./errors.ts";
import * as field from "./layout.ts";
import { table } from "./netstat_text.ts";
import {
  allowed,
  parseValue,
  type Profile,
  type SettingField,
  showValue,
  type SysctlEntry,
  type SysctlRow,
  type SysctlValue,
  type TcpField,
} from "./sysctl_entry.ts";
import { findConf } from "./sysctl_conf.ts";
import { FASTOPEN_KEY, setFastOpenKey } from "./sysctl_key.ts";
import { SYSCTLS } from "./sysctl_table.ts";
import * as layout from "./wasm/layout.gen.ts";

export type { Profile, SysctlEntry, SysctlValue } from "./sysctl_entry.ts";

const BY_NAME: ReadonlyMap<string, SysctlRow> = new Map(SYSCTLS.map((row) => [row.name, row]));
const BY_FIELD: ReadonlyMap<SettingField, SysctlRow> = new Map(
  SYSCTLS.flatMap((row) => row.fields.map((name) => [name, row] as const)),
);
/** Profiles by name. */
export const PROFILES: readonly Profile[] = ["linux", "strict"];

/** Fields of which the first must not be above the second. */
const ORDERED: readonly (readonly [low: SettingField, high: SettingField])[] = [
  ["rto_min_us", "rto_max_us"],
  ["rto_initial_us", "rto_max_us"],
  ["persist_min_us", "persist_max_us"],
  ["delack_min_us", "delack_max_us"],
  ["mtu_probe_floor", "base_mss"],
];

/** A name with dots, without the folders in front: `/proc/sys/net/ipv4/x` is `net.ipv4.x`. */
export function dotted(name: string): string {
  return name.trim().replace(/^(\/?proc\/sys)?\//, "").replaceAll("/", ".");
}

/**
 * The settings of a stack, by Linux's names where Linux has them (`net.ipv4.tcp_ecn`, or with
 * slashes, `net/ipv4/tcp_ecn`), else under `net.godwit`. They lie in the engine's memory and are
 * part of a snapshot. What is set holds from then on; sizes of buffers, options of handshakes and
 * congestion control hold for connections made afterwards. docs/sysctl.md lists them all.
 *
 * ```ts
 * import { createStack } from "@godwit/godwit";
 *
 * await using stack = await createStack({ profile: "strict" });
 * stack.sysctl.get("net.ipv4.tcp_rto_min_us"); // 1000000
 * stack.sysctl.set("net.ipv4.tcp_ecn", 2);
 * stack.sysctl.set("net.ipv4.tcp_wmem", "4096 65536 4194304");
 * ```
 */
export class Sysctl implements Iterable<readonly [name: string, value: SysctlValue]> {
  readonly #engine: Engine;

  /** The settings of `engine`. */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The value of a sysctl: a number, or text. `SocketError` ENOENT if there is none such. */
  get(name: string): SysctlValue {
    const conf = findConf(this.#engine, dotted(name));
    if (conf !== undefined) return this.#engine.memory[conf.at];
    return this.#read(find(name));
  }

  /**
   * Sets a sysctl. Takes what `get` answers, numbers as text too (also `0x…`), several numbers as
   * an array, and booleans for switches. `net.ipv4.tcp_fastopen_key` can only be set: one or two
   * keys of cookies, `a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4`.
   *
   * @throws SocketError ENOENT if there is none such, EINVAL for a value that it does not take; the
   * message says what it takes
   */
  set(name: string, value: SysctlValue | boolean | readonly number[]): void {
    if (dotted(name) === FASTOPEN_KEY) return setFastOpenKey(this.#engine, value);
    const conf = findConf(this.#engine, dotted(name));
    const row = conf?.row ?? find(name);
    const values = parseValue(row, value);
    if (values === undefined) {
      throw new SocketError(
        Errno.EINVAL,
        "sysctl",
        `${row.name} takes ${allowed(row)}, not ${JSON.stringify(value)}`,
      );
    }
    if (conf !== undefined) {
      this.#engine.memory[conf.at] = values[0];
      return;
    }
    this.#mustBeOrdered(row, values);
    this.#write(row, values);
  }

  /** What there is to know of a sysctl beside its value. `SocketError` ENOENT. */
  describe(name: string): SysctlEntry {
    return describe(findConf(this.#engine, dotted(name))?.row ?? find(name));
  }

  /** All sysctls whose names begin with `prefix`, in the order of the documentation. */
  list(prefix = ""): SysctlEntry[] {
    return SYSCTLS.filter(({ name }) => name.startsWith(dotted(prefix))).map(describe);
  }

  /**
   * Sets the sysctls to their values in a profile; whether the stack forwards stays as it is. A
   * `RangeError` if there is no such profile.
   */
  apply(profile: Profile): void {
    if (!PROFILES.includes(profile)) {
      throw new RangeError(`the profile must be one of ${PROFILES.join(", ")}, not ${profile}`);
    }
    for (const row of SYSCTLS) if (!row.role) this.#write(row, parseValue(row, row[profile])!);
  }

  /** Names and values. */
  *[Symbol.iterator](): IterableIterator<readonly [name: string, value: SysctlValue]> {
    for (const row of SYSCTLS) yield [row.name, this.#read(row)];
  }

  /** A table of names and values, with those of the profiles beside them. */
  toString(): string {
    const rows = SYSCTLS.map((row) => [
      row.name,
      String(this.#read(row)),
      row.unit,
      String(row.linux),
      String(row.strict),
    ]);
    return table(["name", "value", "unit", "linux", "strict"], rows) + "\n";
  }

  #field(name: SettingField): number {
    return field.getU32(this.#engine, addressOf(this.#engine, name), 0);
  }

  #read(row: SysctlRow): SysctlValue {
    return showValue(row, row.fields.map((name) => this.#field(name)));
  }

  #write({ fields }: SysctlRow, values: readonly number[]): void {
    fields.forEach((name, i) =>
      field.setU32(this.#engine, addressOf(this.#engine, name), 0, values[i])
    );
  }

  /** Refuses a least value above the largest one, which another sysctl has. */
  #mustBeOrdered(row: SysctlRow, values: readonly number[]): void {
    for (const [low, high] of ORDERED) {
      const [lowest, highest] = [low, high].map((name) => {
        const own = row.fields.indexOf(name);
        return own < 0 ? this.#field(name) : values[own];
      });
      if (lowest <= highest || !row.fields.some((name) => name === low || name === high)) continue;
      const upper = row.fields.includes(low);
      const other = BY_FIELD.get(upper ? high : low)!;
      throw new SocketError(
        Errno.EINVAL,
        "sysctl",
        `${row.name} must not be ${upper ? "above" : "below"} ${other.name}, ` +
          `which is ${this.#read(other)} ${other.unit}`.trimEnd(),
      );
    }
  }
}

/** What decides on the settings of a new stack. */
export interface SettingsOptions {
  /** The profile; `linux` unless told. */
  readonly profile?: Profile;
  /** Settings that differ from it. */
  readonly sysctl?: Readonly<Record<string, SysctlValue | boolean | readonly number[]>>;
  /** What the stack goes on from: it brings its own settings. */
  readonly snapshot?: Uint8Array;
}

/** The settings of a stack that begins. */
export function firstSettings(engine: Engine, options: SettingsOptions): Sysctl {
  const sysctl = new Sysctl(engine);
  if (options.snapshot === undefined) sysctl.apply(options.profile ?? "linux");
  for (const [name, value] of Object.entries(options.sysctl ?? {})) sysctl.set(name, value);
  return sysctl;
}

/** Where a field of the engine's settings lies. */
export function addressOf({ calls }: Engine, name: SettingField): number {
  const { NetSettings, TcpSettings } = layout;
  if (name in TcpSettings) return calls.tcp_settings() + TcpSettings[name as TcpField];
  return calls.net_settings() + NetSettings[name.slice(4) as keyof typeof NetSettings];
}

function describe({ fields, role: _, ...entry }: SysctlRow): SysctlEntry {
  return { ...entry, count: fields.length };
}

/** The row of a name. */
function find(name: string): SysctlRow {
  const row = BY_NAME.get(dotted(name));
  if (row !== undefined) return row;
  const near = nearest(dotted(name));
  const hint = near === undefined ? "" : `; there is ${near}`;
  throw new SocketError(Errno.ENOENT, "sysctl", `there is no ${dotted(name)}${hint}`);
}

/** A name that ends the same, or begins with the same letters. */
function nearest(name: string): string | undefined {
  const last = name.split(".").at(-1)!;
  if (last === "") return undefined;
  const names = SYSCTLS.map((row) => row.name);
  return names.find((known) => known.endsWith(`.${last}`) || known.endsWith(`_${last}`)) ??
    names.find((known) => known.startsWith(name)) ??
    names.find((known) => known.includes(last.replace(/^tcp_/, "").split("_")[0]));
}
