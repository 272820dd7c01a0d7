/**
 * The settings of kernels that scripts change, and what they are to this stack.
 *
 * A setting is carried out (`apply`), or the stack does what one value of it says anyway
 * (`accepts`), or it makes no difference to what is seen on the wire (`any`). Everything else the
 * stack does not have.
 *
 * @module
 */

import type { EngineCalls } from "../runtime/engine_calls.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import { BSD_SETTINGS } from "./settings_bsd.ts";
import { LINUX_DEFAULTS, LINUX_SETTINGS } from "./settings_linux.ts";
import { Unsupported } from "./errors.ts";

/** Fields of the engine's struct TcpSettings. */
export type SettingField = Exclude<keyof typeof layout.TcpSettings, "size">;

/** What a setting is to this stack. */
export type Setting =
  | { readonly any: true }
  | { readonly accepts: readonly string[] }
  | {
    readonly apply: (values: readonly string[]) => Partial<Record<SettingField, number>>;
    /** The only values that the stack has. */
    readonly accepts?: readonly string[];
  };

/** Congestion control algorithms of the stack, by the names kernels have for them. */
export const CONGESTION_NAMES: Readonly<Record<string, number>> = { reno: 0, newreno: 0 };

/** What the settings are written to. */
export interface SettingsHost {
  readonly calls: EngineCalls;
  setU32(at: number, value: number): void;
}

/** A key with dots, without the folders in front. */
function normal(key: string): string {
  return key.replace(/^\/?(proc\/sys\/)?/, "").replaceAll("/", ".");
}

/** The part of a key that is TCP's own. */
function shortName(key: string): string {
  return key.replace(/^net\.(ipv4|ipv6|inet)\.tcp[_.]/, "").replaceAll(".", "_");
}

function isField(name: string): name is SettingField {
  return name !== "size" && name in layout.TcpSettings;
}

/** Sets `key` to `value`. Throws `Unsupported` if the stack has no such setting. */
export function setSysctl(host: SettingsHost, key: string, value: string): void {
  const name = normal(key);
  const setting = LINUX_SETTINGS[name] ?? BSD_SETTINGS[name];
  const values = value.trim().split(/\s+/);
  if (setting === undefined) {
    const field = shortName(name);
    if (!isField(field)) throw new Unsupported(`sysctl ${name}`);
    write(host, { [field]: Number(values[0]) });
    return;
  }
  if ("accepts" in setting && setting.accepts && !setting.accepts.includes(values[0])) {
    throw new Unsupported(`sysctl ${name}=${value}`);
  }
  if ("apply" in setting) write(host, setting.apply(values));
}

function write(host: SettingsHost, fields: Partial<Record<SettingField, number>>): void {
  const at = host.calls.tcp_settings();
  for (const [field, value] of Object.entries(fields)) {
    if (!Number.isFinite(value)) throw new Unsupported(`a setting that is no number`);
    host.setU32(at + layout.TcpSettings[field as SettingField], value);
  }
}

/** What `defaults.sh` sets; what the stack does not have of it is left as it is. */
export function setLinuxDefaults(host: SettingsHost): void {
  for (const [key, value] of Object.entries(LINUX_DEFAULTS)) {
    try {
      setSysctl(host, key, value);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
    }
  }
}
