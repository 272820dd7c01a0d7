/**
 * The settings of kernels that scripts change, carried out on the settings of this stack.
 *
 * A name of Linux that the stack has too is set as it stands, unless settings_linux.ts knows
 * better; names of FreeBSD are translated by settings_bsd.ts. Unsupported is what the stack cannot
 * honour: names without a counterpart, values out of range, settings that the engine does not read.
 *
 * @module
 */

import type { Engine } from "../runtime/engine.ts";
import { addressOf, dotted } from "../runtime/sysctl.ts";
import { parseValue, scaleOf, type SettingField, type SysctlRow } from "../runtime/sysctl_entry.ts";
import { FASTOPEN_KEY, keyBytes, setFastOpenKey } from "../runtime/sysctl_key.ts";
import { CONGESTION_ALGORITHMS } from "../runtime/socket/congestion.ts";
import { SYSCTLS } from "../runtime/sysctl_table.ts";
import { SETTINGS_READ } from "../runtime/wasm/settings.gen.ts";
import { Unsupported } from "./errors.ts";
import { BSD_ANY, BSD_SETTINGS } from "./settings_bsd.ts";
import { LINUX_SETTINGS } from "./settings_linux.ts";
import type { Fields } from "./settings_t.ts";

/** Congestion control algorithms of the stack, by the names kernels have for them. */
export const CONGESTION_NAMES: Readonly<Record<string, number>> = {
  ...Object.fromEntries(CONGESTION_ALGORITHMS.map((name, i) => [name, i])),
  newreno: CONGESTION_ALGORITHMS.indexOf("reno"),
};

/** What the settings are written to. */
export interface SettingsHost {
  readonly engine: Engine;
  setU32(at: number, value: number): void;
}

const BY_NAME: ReadonlyMap<string, SysctlRow> = new Map(SYSCTLS.map((row) => [row.name, row]));
const BY_FIELD: ReadonlyMap<SettingField, SysctlRow> = new Map(
  SYSCTLS.flatMap((row) => row.fields.map((name) => [name, row] as const)),
);

/** What scripts have set, by the kernels' names. */
const SEEN = new WeakMap<SettingsHost, Map<string, string>>();

/** Sets `key` to `value`. Throws `Unsupported` if the stack has no such setting or value. */
export function setSysctl(host: SettingsHost, key: string, value: string): void {
  const name = dotted(key);
  if (name === FASTOPEN_KEY && keyBytes(value)) return setFastOpenKey(host.engine, value);
  const fault = new Unsupported(`sysctl ${name}=${value}`);
  const seen = SEEN.get(host) ?? new Map<string, string>();
  SEEN.set(host, seen.set(name, value));
  const fields = fieldsFor(name, value, (other) => seen.get(other));
  if (fields === undefined) throw fault;
  for (const [field, number] of Object.entries(fields)) {
    if (!honoured(field as SettingField, number)) throw fault;
  }
  write(host, fields);
}

/** What a setting means to the engine; undefined for a value that the stack does not have. */
function fieldsFor(
  name: string,
  value: string,
  seen: (name: string) => string | undefined,
): Fields | undefined {
  const setting = LINUX_SETTINGS[name] ?? BSD_SETTINGS[name];
  const values = value.trim().split(/[\s,]+/);
  if (setting !== undefined) {
    if ("accepts" in setting && setting.accepts && !setting.accepts.includes(values[0])) {
      return undefined;
    }
    return "apply" in setting ? setting.apply(values, seen) : {};
  }
  const row = BY_NAME.get(name);
  if (row === undefined) {
    if (BSD_ANY.test(name)) return {};
    throw new Unsupported(`sysctl ${name}`);
  }
  const numbers = parseValue(row, value);
  return numbers && Object.fromEntries(row.fields.map((field, i) => [field, numbers[i]]));
}

/** Can the engine do what this says? */
function honoured(field: SettingField, number: number): boolean {
  const row = BY_FIELD.get(field)!;
  const scale = scaleOf(row);
  if (!(number >= row.min * scale && number <= row.max * scale)) return false;
  return SETTINGS_READ.has(field.replace(/^net\./, ""));
}

/** Writes fields without a question. */
export function write(host: SettingsHost, fields: Fields): void {
  for (const [field, value] of Object.entries(fields)) {
    host.setU32(addressOf(host.engine, field as SettingField), value);
  }
}
