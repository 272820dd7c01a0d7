/**
 * What a setting of a kernel is to this stack.
 *
 * @module
 */

import type { SettingField } from "../runtime/sysctl_entry.ts";

/** Values for fields of the engine's settings, in their units. */
export type Fields = Partial<Record<SettingField, number>>;

/** What the script has set before, by the kernel's names. */
export type Seen = (name: string) => string | undefined;

/**
 * A setting is carried out (`apply`), if need be for some values only; or the stack does what some
 * values of it say anyway (`accepts`); or it makes no difference to what is seen on the wire
 * (`any`).
 */
export type Setting =
  | { readonly any: true }
  | { readonly accepts: readonly string[] }
  | {
    readonly apply: (values: readonly string[], seen: Seen) => Fields;
    /** The only values that the stack has. */
    readonly accepts?: readonly string[];
  };

/** Makes no difference. */
export const ANY: Setting = { any: true };

/** A whole number of some unit, into one field. */
export function field(name: SettingField, unit = 1): Setting {
  return { apply: ([value]) => ({ [name]: Number(value) * unit }) };
}

/** On or off. */
export function flag(name: SettingField): Setting {
  return { apply: ([value]) => ({ [name]: Number(value) === 0 ? 0 : 1 }) };
}

/** The stack behaves as these values say. */
export function only(...accepts: string[]): Setting {
  return { accepts };
}
