/**
 * What is looked at before an untrusted module is started: its manifest, and that it can reach
 * nothing.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { UntrustedLimit } from "../../assembly/abi/untrusted.ts";
import { SocketError } from "../errors.ts";
import { type Manifest, ManifestError, readManifest } from "./manifest.ts";
import type { UntrustedModule } from "./module.ts";
import { Untrusted } from "./untrusted.ts";

const SECTION = "godwit.protocol";
/** What it must export. */
const EXPORTS = [
  ["memory", "memory"],
  ["input", "function"],
  ["output", "function"],
  ["handle", "function"],
] as const;
/** Longest time slice, milliseconds. */
const SLICE_MAX_MS = 60_000;

/** True if a module says that it is an untrusted protocol. */
export function isUntrusted(module: WebAssembly.Module): boolean {
  return WebAssembly.Module.customSections(module, SECTION).length > 0;
}

/** Makes a protocol of a module; `SocketError` EINVAL says what is wrong with it. */
export function makeUntrusted(
  given: Partial<UntrustedModule>,
  wasm: WebAssembly.Module,
  config: Uint8Array = new Uint8Array(),
): Untrusted {
  const name = given.name ?? "without a name";
  const manifest = manifestOf(wasm, name);
  checkShape(wasm, name);
  const { slice_ms = UntrustedLimit.SLICE_MS, memory_bytes = UntrustedLimit.MEMORY_BYTES } = given;
  if (!(slice_ms >= 1 && slice_ms <= SLICE_MAX_MS)) {
    throw refuse(name, `slice_ms is from 1 to ${SLICE_MAX_MS}, not ${slice_ms}`);
  }
  if (!(memory_bytes >= 1 && memory_bytes <= 2 ** 32)) {
    throw refuse(name, `memory_bytes is from 1 to ${2 ** 32}, not ${memory_bytes}`);
  }
  const own = given.name ?? manifest.name;
  if (!/^[\w.-]{1,32}$/.test(own)) {
    throw refuse(own, 'a name has 1 to 32 letters, digits, "_", "-" or "."');
  }
  // `given` may be an object with a state of its own
  const report = given.report === undefined
    ? undefined
    : (bytes: Uint8Array<ArrayBuffer>) => given.report?.(bytes);
  return new Untrusted({ name: own, wasm, manifest, config, slice_ms, memory_bytes, report });
}

function manifestOf(wasm: WebAssembly.Module, name: string): Manifest {
  const [section] = WebAssembly.Module.customSections(wasm, SECTION);
  if (section === undefined) {
    throw refuse(name, `it has no section ${SECTION}: build it with deno task protocol:build`);
  }
  try {
    return readManifest(new TextDecoder().decode(section));
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw refuse(name, `its section ${SECTION}: ${error.message}`);
  }
}

function checkShape(wasm: WebAssembly.Module, name: string): void {
  const [wanted] = WebAssembly.Module.imports(wasm);
  if (wanted !== undefined) {
    throw refuse(name, `it imports ${wanted.module}.${wanted.name}, and may import nothing`);
  }
  const exports = WebAssembly.Module.exports(wasm);
  for (const [wanted, kind] of EXPORTS) {
    if (!exports.some((it) => it.name === wanted && it.kind === kind)) {
      throw refuse(name, `it exports no ${kind} "${wanted}"`);
    }
  }
}

function refuse(name: string, words: string): SocketError {
  return new SocketError(Errno.EINVAL, "protocols.load", `untrusted module ${name}: ${words}`);
}
