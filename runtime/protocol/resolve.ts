/**
 * From what a user gives to a protocol: a specifier, a URL, an object, a module.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";
import { checkModule } from "./hosted.ts";
import type { ProtocolModule, ProtocolSource, SideModule, UntrustedModule } from "./module.ts";
import { isSide } from "./side.ts";
import type { Untrusted } from "./untrusted.ts";
import { isUntrusted, makeUntrusted } from "./untrusted_check.ts";

/** What can be loaded. */
export type Loadable =
  | string
  | URL
  | WebAssembly.Module
  | ProtocolSource
  | { readonly default: ProtocolSource };

/** A side module that was found. */
export interface FoundSide {
  readonly kind: "side";
  readonly name: string;
  readonly wasm: WebAssembly.Module;
  readonly config: Uint8Array;
  readonly counters: readonly string[];
}

/** A protocol that was found. */
export type Found =
  | { readonly kind: "typescript"; readonly module: ProtocolModule }
  | FoundSide
  | { readonly kind: "untrusted"; readonly module: Untrusted };

/** Name of a protocol that was found. */
export function nameOf(found: Found): string {
  return found.kind === "side" ? found.name : found.module.name;
}

function refuse(words: string, cause?: unknown): SocketError {
  return new SocketError(Errno.EINVAL, "protocols.load", words, { cause });
}

/** Finds the protocol that is meant; `SocketError` EINVAL or ENOENT says what is wrong with it. */
export async function resolve(given: Loadable, config: unknown): Promise<Found> {
  if (given instanceof WebAssembly.Module) return fromWasm(given, undefined, config);
  if (typeof given === "string" || given instanceof URL) {
    const url = toUrl(given);
    if (url.endsWith(".wasm")) return fromWasm(await compileAt(url), baseName(url), config);
    let namespace;
    try {
      namespace = await import(url);
    } catch (error) {
      throw refuse(`${url} cannot be imported: ${wordsOf(error)}`, error);
    }
    return await fromObject(namespace, url, config);
  }
  return await fromObject(given, "the object given", config);
}

function toUrl(given: string | URL): string {
  const text = String(given);
  if (!/^\.{0,2}\//.test(text)) return text;
  throw refuse(
    `"${text}" is relative, and to what is not known here: give import.meta.resolve("${text}")`,
  );
}

async function compileAt(url: string): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(await (await fetch(url)).arrayBuffer());
  } catch (error) {
    throw refuse(`${url} is no WebAssembly that can be read: ${wordsOf(error)}`, error);
  }
}

function baseName(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1).replace(/\.wasm$/, "");
}

function fromWasm(wasm: WebAssembly.Module, name: string | undefined, config: unknown): Found {
  if (isUntrusted(wasm) || !isSide(wasm)) {
    if (config !== undefined && !(config instanceof Uint8Array)) {
      throw refuse(`${name ?? "the module"}: the configuration of a bare module is a Uint8Array`);
    }
    return { kind: "untrusted", module: makeUntrusted({ name, wasm }, wasm, config) };
  }
  const [section] = WebAssembly.Module.customSections(wasm, "godwit.side");
  const own = section && /"name":"([\w.-]{1,32})"/.exec(new TextDecoder().decode(section))?.[1];
  if (config !== undefined && !(config instanceof Uint8Array)) {
    throw refuse(`${own ?? name}: the configuration of a bare side module is a Uint8Array`);
  }
  const bytes = config ?? new Uint8Array();
  return { kind: "side", name: own ?? name ?? "side", wasm, config: bytes, counters: [] };
}

async function fromObject(given: unknown, where: string, config: unknown): Promise<Found> {
  const source = defaultOf(given);
  const made = typeof source === "function" ? make(source, where, config) : source;
  if (typeof made !== "object" || made === null || typeof (made as SideModule).name !== "string") {
    throw refuse(`${where} is no protocol: it has no name (see docs/protocols.md)`);
  }
  if ("wasm" in made) return await fromBinary(made as SideModule & UntrustedModule, where, config);
  checkModule(made as ProtocolModule, where);
  return { kind: "typescript", module: made as ProtocolModule };
}

function defaultOf(given: unknown): unknown {
  const has = typeof given === "object" && given !== null && "default" in given;
  return has ? given.default : given;
}

function make(source: CallableFunction, where: string, config: unknown): unknown {
  try {
    return source(config);
  } catch (error) {
    if (error instanceof SocketError) throw error;
    throw refuse(`${where}: making the protocol failed: ${wordsOf(error)}`, error);
  }
}

async function fromBinary(
  given: SideModule & UntrustedModule,
  where: string,
  config: unknown,
): Promise<Found> {
  const { name, wasm } = given;
  const module = wasm instanceof WebAssembly.Module
    ? wasm
    : wasm instanceof URL
    ? await compileAt(wasm.href)
    : await WebAssembly.compile(wasm).catch((error) => {
      throw refuse(`${name}: no WebAssembly that can be read: ${wordsOf(error)}`, error);
    });
  const bytes = given.encode
    ? make((it: unknown) => given.encode?.(it), where, config)
    : config ?? new Uint8Array();
  if (!(bytes instanceof Uint8Array)) {
    throw refuse(`${name}: its configuration must be bytes, or it needs an encode()`);
  }
  if (isUntrusted(module) || !isSide(module)) {
    return { kind: "untrusted", module: makeUntrusted(given, module, bytes) };
  }
  return { kind: "side", name, wasm: module, config: bytes, counters: given.counters ?? [] };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
