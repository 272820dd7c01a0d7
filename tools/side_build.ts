/**
 * Builds side modules: finds their sources, compiles them if something has changed, and writes them
 * with what they say of themselves.
 *
 * @module
 */

import { sha256 } from "./layout.ts";
import { compileSide, type Side, type SideHeader, type SideSources } from "./side.ts";

/** Where a side module is and where it goes. */
export interface SidePlan {
  /** Name of the protocol. */
  readonly name: string;
  /** Paths and texts of the engine's sources and its own. */
  readonly sources: SideSources;
  /** Path of its first file in `sources`. */
  readonly entry: string;
  /** Where the module is written. */
  readonly output: URL;
  /** Identity of the engine's structs. */
  readonly layout: string;
}

/** Builds one side module; answers its size in bytes, or undefined if it was up to date. */
export async function buildSide(plan: SidePlan, force = false): Promise<number | undefined> {
  const { name, sources, entry, output, layout } = plan;
  const hash = await sha256(JSON.stringify([...sources, layout]));
  if (!force && await sourcesOf(output) === hash) return undefined;
  const bytes = sideBytes(name, layout, await compileSide(sources, entry), hash);
  await replaceModule(output, bytes);
  return bytes.length;
}

/** Writes beside the file and renames, so that a reader sees the old or the new one, whole. */
export async function replaceModule(output: URL, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const temporary = new URL(`.stamp-${crypto.randomUUID()}`, output);
  await Deno.writeFile(temporary, bytes);
  await Deno.rename(temporary, output);
}

/** A side module with its custom sections. */
export function sideBytes(
  name: string,
  layout: string,
  side: Side,
  hash: string,
): Uint8Array<ArrayBuffer> {
  const { wasm, memory_bytes, table_entries } = side;
  const header: SideHeader = { name, layout, memory_bytes, table_entries };
  return new Uint8Array([
    ...wasm,
    ...customSection("name", [0, ...leb(sized(name).length), ...sized(name)]),
    ...customSection("godwit.side", JSON.stringify(header)),
    ...customSection("godwit.sources", hash),
  ]);
}

/** Sources below a folder, with paths that begin with `prefix`. */
export async function readFolder(folder: URL, prefix: string): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for await (const entry of Deno.readDir(folder)) {
    const at = new URL(entry.isDirectory ? `${entry.name}/` : entry.name, folder);
    const path = `${prefix}/${entry.name}`;
    if (entry.isDirectory) { for (const pair of await readFolder(at, path)) sources.set(...pair); }
    else if (path.endsWith(".ts")) sources.set(path, await Deno.readTextFile(at));
  }
  return sources;
}

/** Names of the protocols that are compiled: protocols/NAME/assembly/index.ts. */
export async function findSides(root: URL): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(new URL("protocols/", root))) {
      const entry = new URL(`protocols/${name}/assembly/index.ts`, root);
      if (isDirectory && await Deno.stat(entry).then(() => true, () => false)) names.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

/** The hash of the sources that a module was built from. */
export async function sourcesOf(output: URL): Promise<string | undefined> {
  try {
    const module = await WebAssembly.compile(await Deno.readFile(output));
    const [section] = WebAssembly.Module.customSections(module, "godwit.sources");
    return section && new TextDecoder().decode(section);
  } catch {
    return undefined; // it is not there, or no module
  }
}

/** A custom section (WebAssembly core specification, 5.5.3). */
export function customSection(
  name: string,
  content: string | number[],
): Uint8Array<ArrayBuffer> {
  const bytes = typeof content === "string" ? [...new TextEncoder().encode(content)] : content;
  const body = [...sized(name), ...bytes];
  return new Uint8Array([0, ...leb(body.length), ...body]);
}

/** For the section `name`: 0 is the module's name; a text and its length. */
function sized(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return [...leb(bytes.length), ...bytes];
}

/** An unsigned number in LEB128. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [value & 127 | 128, ...leb(value >>> 7)];
}
