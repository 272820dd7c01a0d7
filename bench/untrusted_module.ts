/**
 * The untrusted protocol of the template, compiled: its sources are what a newcomer begins with.
 *
 * @module
 */

import { readSources } from "../build.ts";
import { customSection } from "../tools/side_build.ts";
import { compileUntrusted } from "../tools/untrusted_build.ts";

const FOLDER = new URL("../templates/protocol_untrusted/", import.meta.url);
const ENTRY = "protocol/index.ts";
let wasm: Promise<Uint8Array<ArrayBuffer>> | undefined;

async function compile(): Promise<Uint8Array<ArrayBuffer>> {
  const text = await Deno.readTextFile(new URL("assembly/index.ts", FOLDER));
  return await compileUntrusted(new Map([...await readSources(), [ENTRY, text]]), ENTRY);
}

/** The module, under a name. */
export async function templateModule(name: string): Promise<WebAssembly.Module> {
  const text = await Deno.readTextFile(new URL("protocol.json", FOLDER));
  const section = customSection("godwit.protocol", text.replaceAll("NAME", name));
  return await WebAssembly.compile(new Uint8Array([...await (wasm ??= compile()), ...section]));
}
