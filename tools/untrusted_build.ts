/**
 * Builds untrusted protocols written in AssemblyScript: modules with a memory of their own that
 * import nothing. What they say of themselves stands in protocol.json beside their sources, and
 * goes into their custom section `godwit.protocol`.
 *
 * @module
 */

import { UntrustedLimit } from "../assembly/abi/untrusted.ts";
import { type Manifest, ManifestError, readManifest } from "../runtime/protocol/manifest.ts";
import { sha256 } from "./layout.ts";
import { SideError, type SideSources } from "./side.ts";
import { customSection, replaceModule, sourcesOf } from "./side_build.ts";

/** The file that makes a protocol an untrusted one. */
export const MANIFEST = "protocol.json";
const ABORT = "assembly/untrusted/abort.ts";
const PAGE_BYTES = 65536;
const ASC_FLAGS = [
  ..."--runtime stub --enable simd --use abort=assembly/untrusted/abort/abort".split(" "),
  ..."-O3s --outFile out.wasm".split(" "),
];

/** Where an untrusted module is and where it goes. */
export interface UntrustedPlan {
  /** Text of its protocol.json. */
  readonly manifest: string;
  /** Paths and texts of the engine's sources and its own. */
  readonly sources: SideSources;
  /** Path of its first file in `sources`. */
  readonly entry: string;
  /** Where the module is written. */
  readonly output: URL;
}

/** Text of the manifest in a folder; undefined if the protocol there is no untrusted one. */
export async function manifestIn(folder: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(new URL(MANIFEST, folder));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Builds one module; answers its size in bytes, or undefined if it was up to date. */
export async function buildUntrusted(
  plan: UntrustedPlan,
  force = false,
): Promise<number | undefined> {
  const { sources, entry, output } = plan;
  const hash = await sha256(JSON.stringify([...sources, plan.manifest]));
  if (!force && await sourcesOf(output) === hash) return undefined;
  const manifest = parse(plan.manifest, entry);
  const bytes = new Uint8Array([
    ...await compileUntrusted(sources, entry, manifest),
    ...customSection("godwit.protocol", JSON.stringify(manifest)),
    ...customSection("godwit.sources", hash),
  ]);
  await replaceModule(output, bytes);
  return bytes.length;
}

function parse(text: string, entry: string): Manifest {
  try {
    return readManifest(text);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    throw new SideError(`${entry}: ${MANIFEST}: ${error.message}`);
  }
}

/** Compiles the module whose first file is `entry`; throws {@link SideError}. */
export async function compileUntrusted(
  sources: SideSources,
  entry: string,
  { memory_bytes = UntrustedLimit.MEMORY_BYTES }: Pick<Manifest, "memory_bytes"> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  let diagnostics = "";
  let wasm = new Uint8Array(0);
  // @ts-types="../types/asc.d.ts"
  const { main: asc } = await import("assemblyscript/asc");
  const most = ["--maximumMemory", `${Math.floor(memory_bytes / PAGE_BYTES)}`];
  const { error } = await asc([entry, ABORT, ...ASC_FLAGS, ...most], {
    stdout: { write: () => {} },
    stderr: { write: (text) => void (diagnostics += text) },
    readFile: (name) => {
      // sources outside of the engine's name its files `godwit/...`
      const path = name.replaceAll("\\", "/").replace(/^\.\//, "")
        .replace(/^node_modules\/godwit\//, "assembly/");
      return sources.get(path) ?? null;
    },
    writeFile: (_name, contents) => void (wasm = new Uint8Array(contents as Uint8Array)),
    listFiles: () => [],
    transforms: [],
  });
  if (error) throw new SideError(`${entry}: ${error.message}\n${diagnostics}`.trimEnd());
  return wasm;
}
