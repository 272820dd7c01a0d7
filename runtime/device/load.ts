/**
 * From what a user gives to a driver: a specifier, a URL, a module, a factory, a driver. What is
 * wrong with it is said in words, with the name of the module.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import type { NetDriver } from "./driver.ts";
import { wordsOf } from "./link.ts";

/** Makes a driver from its options; may take its time. */
export type DriverFactory = (options: never) => NetDriver | Promise<NetDriver>;

/** A class of drivers, whose constructor takes the options. */
export type DriverClass = new (options: never) => NetDriver;

/** What a module exports by default, or as `driver`. */
export type DriverExport = DriverFactory | DriverClass | NetDriver;

/** A module with a driver: it exports one by default, as `driver`, or under a name of its own. */
export type DriverModule =
  | { readonly default: DriverExport }
  | { readonly driver: DriverExport }
  | { readonly [name: string]: unknown };

/** What can be loaded: a specifier or URL of a module, the module itself, or what it exports. */
export type DriverSource = string | URL | DriverModule | DriverExport;

/** How a driver is made. */
export interface DriverOptions {
  /** What the factory, or the constructor, is given. */
  readonly options?: unknown;
  /** Which export of the module makes the driver; `default`, or else `driver`, unless told. */
  readonly factory?: string;
  /** Ends the wait for a driver that takes too long to be made or attached. */
  readonly signal?: AbortSignal;
}

/** A driver that was made. */
export interface FoundDriver {
  /** The driver. */
  readonly driver: NetDriver;
  /** The specifier it came from; `undefined` for an object. */
  readonly module: string | undefined;
  /** What to call it in messages. */
  readonly where: string;
}

const METHODS = ["attach", "start", "rx", "detach"] as const;
const OPTIONAL = ["poll", "watch"] as const;
const DEFAULTS = ["default", "driver"];

/** Makes the driver that is meant; `SocketError` EINVAL, ENOENT or EIO says what is wrong. */
export async function findDriver(
  source: DriverSource,
  config: DriverOptions,
  call: string,
): Promise<FoundDriver> {
  const refuse: Refuse = (words, cause, errno = Errno.EINVAL) => {
    throw new SocketError(errno, call, words, { cause });
  };
  if (typeof source === "string" || source instanceof URL) {
    const url = specifierOf(source, refuse);
    const namespace = await importModule(url, refuse);
    const driver = await fromModule(namespace, shortOf(url), config, refuse);
    return { driver, module: url, where: shortOf(url) };
  }
  const where = nameOf(source);
  const driver = isModule(source, config)
    ? await fromModule(source, where, config, refuse)
    : await make(source, where, config, refuse);
  return { driver, module: undefined, where };
}

type Refuse = (words: string, cause?: unknown, errno?: number) => never;

function specifierOf(source: string | URL, refuse: Refuse): string {
  const text = String(source);
  if (!/^\.{0,2}\//.test(text)) return text;
  return refuse(
    `"${text}" is relative, and to what is not known here: give import.meta.resolve("${text}")`,
  );
}

/** A module that is its own address is not told in full. */
function shortOf(url: string): string {
  return url.startsWith("data:") && url.length > 60 ? url.slice(0, 60) + "…" : url;
}

async function importModule(url: string, refuse: Refuse): Promise<Record<string, unknown>> {
  try {
    return await import(url);
  } catch (error) {
    const words = wordsOf(error);
    // Deno has one code for this and for a syntax error.
    const errno = words.includes("Module not found") ? Errno.ENOENT : Errno.EINVAL;
    return refuse(`${shortOf(url)} cannot be imported: ${words}`, error, errno);
  }
}

function nameOf(source: unknown): string {
  const kind = typeof source === "function" ? "factory" : "driver";
  try {
    const { name } = source as { readonly name?: unknown };
    if (typeof name === "string" && name !== "") return `the ${kind} ${name}`;
  } catch {
    // Something without a name, or that keeps it to itself.
  }
  return "the object given";
}

/** True for a module object; what has the calls of a driver is a driver. */
function isModule(source: unknown, { factory }: DriverOptions): source is Record<string, unknown> {
  if (typeof source !== "object" || source === null || faultsOf(source).length === 0) return false;
  return factory !== undefined || DEFAULTS.some((name) => name in source);
}

async function fromModule(
  module: Record<string, unknown>,
  where: string,
  config: DriverOptions,
  refuse: Refuse,
): Promise<NetDriver> {
  const wanted = config.factory === undefined ? DEFAULTS : [config.factory];
  const name = wanted.find((name) => name in module);
  if (name !== undefined) return await make(module[name], where, config, refuse, name);
  const exports = Object.keys(module).join(", ") || "nothing";
  const words = wanted.map((name) => name === "default" ? "default export" : `export "${name}"`);
  return refuse(`${where} has no ${words.join(" and no ")}; it exports ${exports}`);
}

/** The driver that an export is, or makes. */
async function make(
  source: unknown,
  where: string,
  config: DriverOptions,
  refuse: Refuse,
  name?: string,
): Promise<NetDriver> {
  const what = name === undefined ? where : `${where}, export "${name}"`;
  let made: unknown = source;
  if (typeof source === "function") {
    try {
      made = isClass(source)
        ? new (source as new (options: unknown) => unknown)(config.options)
        : await source(config.options);
    } catch (error) {
      const errno = error instanceof SocketError ? error.errno : Errno.EIO;
      refuse(`${what}: making the driver failed: ${wordsOf(error)}`, error, errno);
    }
  }
  const faults = faultsOf(made);
  if (faults.length === 0) return made as NetDriver;
  const subject = typeof source === "function" ? "made no driver" : "is no driver";
  return refuse(`${what} ${subject}: ${faults.join(", ")}`);
}

function isClass(source: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(source));
}

/** What an object lacks to be a driver; nothing if it is one. */
function faultsOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) {
    return [value === undefined ? "it is undefined" : `it is ${wordsOf(value)}`];
  }
  const parts = value as Record<string, unknown>;
  const faults: string[] = [];
  try {
    if (typeof parts.name !== "string" || parts.name === "") faults.push("it has no name");
    if (!("caps" in parts)) faults.push("it has no caps");
    for (const name of METHODS) {
      if (typeof parts[name] !== "function") faults.push(`it has no ${name}()`);
    }
    for (const name of OPTIONAL) {
      const is = typeof parts[name];
      if (is !== "undefined" && is !== "function") faults.push(`its ${name} is no function`);
    }
  } catch (error) {
    faults.push(`looking at it threw ${wordsOf(error)}`);
  }
  return faults;
}
