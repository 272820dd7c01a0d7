/**
 * Compiles assembly/ to WebAssembly: `deno run -A build.ts [--checked] [--force]`. To see whether
 * single files compile, writing nothing: `deno run -A build.ts --only assembly/tcp/input.ts`.
 *
 * | output | from | for |
 * | --- | --- | --- |
 * | runtime/wasm/engine.wasm | assembly/index.ts | everybody; asserts stay in |
 * | runtime/wasm/engine_checked.wasm (--checked) | the same and assembly/probes/ | tests |
 * | runtime/wasm/layout.gen.ts | the `@unmanaged` classes | runtime/, tests/ |
 * | runtime/wasm/names.gen.ts | the enums of assembly/abi/ | messages, netstat, tests |
 * | runtime/wasm/settings.gen.ts | where assembly/ reads settings | packetdrill/, tests/ |
 * | protocols/NAME/NAME.wasm | protocols/NAME/assembly/ | the protocol loader |
 *
 * The checked build is compiled with `--use GODWIT_CHECKED=1`. assembly/sys/config.ts turns that
 * into a constant, `export const CHECKED: bool = isDefined(GODWIT_CHECKED)`, so that the compiler
 * drops what stands behind `if (CHECKED)` from the release build. Struct layout must be the same in
 * both; that is checked here. Beside the exports of assembly/index_checked.ts (which re-exports
 * index.ts), or of index.ts if there is no such file, the checked engine exports what each file of
 * assembly/probes/ exports: functions that let tests call and look at internals.
 *
 * Every output carries a hash of all it was made from in a custom section, `godwit.sources`, and
 * the hash of the struct layout in `godwit.layout`. Outputs that are up to date are left alone. The
 * sources are read once, before compiling, and outputs are renamed into place, so two builds may
 * run at the same time.
 *
 * @module
 */

// @ts-types="./types/asc.d.ts"
import type { Program } from "assemblyscript/asc";
import {
  formatLayout,
  type Layout,
  layoutDifferences,
  layoutHash,
  parseLayout,
  readLayout,
  sha256,
} from "./tools/layout.ts";
import { formatNames } from "./tools/names.ts";
import { formatSettings } from "./tools/settings.ts";
import { SideError } from "./tools/side.ts";
import { buildSide, findSides, readFolder } from "./tools/side_build.ts";
import { buildUntrusted, manifestIn } from "./tools/untrusted_build.ts";

const ROOT = new URL("./", import.meta.url);
const WASM_DIR = "runtime/wasm";
const TOOL_FILES = [
  ...["hot", "layout", "names", "optimize", "settings", "side", "side_build", "side_link"]
    .map((name) => `tools/${name}.ts`),
  "tools/untrusted_build.ts",
  "build.ts",
];
const PANIC = "assembly/sys/panic.ts";
const ASC_FLAGS = [
  ..."--runtime stub --importMemory --noExportMemory --zeroFilledMemory".split(" "),
  ..."--initialMemory 1 --maximumMemory 65536 --memoryBase 1024 --exportTable".split(" "),
  ..."--enable simd --use abort=assembly/sys/panic/panic".split(" "),
];

/** What to build. */
export interface BuildOptions {
  /** Also build the checked engine. */
  checked?: boolean;
  /** Build even if the outputs are up to date. */
  force?: boolean;
  /** Where the project is; this file's folder by default. */
  root?: URL;
  /** Takes a line of progress; prints it by default. */
  log?: (line: string) => void;
}

/** The compiler refused the sources, or the structs clash; the message is for a person. */
export class BuildError extends Error {
  override name = "BuildError";
}

/** A compiled engine. */
export interface Compiled {
  /** The module, without the custom sections that build() adds; empty if not asked for. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** Its structs. */
  readonly layout: Layout;
}

/** Paths below the root and texts of all that an output depends on. */
export type Sources = ReadonlyMap<string, string>;

/** Reads assembly/ and the files that decide how it is compiled. */
export async function readSources(root: URL = ROOT): Promise<Sources> {
  const sources = new Map<string, string>();
  async function walk(folder: string): Promise<void> {
    for await (const entry of Deno.readDir(new URL(folder + "/", root))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) await walk(path);
      else if (path.endsWith(".ts")) sources.set(path, await readText(path, root));
    }
  }
  await walk("assembly");
  for (const path of TOOL_FILES) {
    sources.set(path, await Deno.readTextFile(new URL(path, ROOT)));
  }
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  sources.set("compiler", config.imports["assemblyscript/asc"]);
  sources.set("optimizer", config.imports["binaryen"]);
  return new Map([...sources].sort(([a], [b]) => a < b ? -1 : 1));
}

/** A file that vanished since the folder was listed is somebody's edit: it reads as empty. */
async function readText(path: string, root: URL): Promise<string> {
  try {
    return await Deno.readTextFile(new URL(path, root));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** Compiles the sources in memory; throws {@link BuildError} with the compiler's diagnostics. */
export async function compile(
  sources: Sources,
  options: { checked?: boolean; emit?: boolean; entry?: string; named?: boolean } = {},
): Promise<Compiled> {
  const entries = options.entry ? [options.entry, PANIC] : entryFiles(sources, options.checked);
  const entry = entries[0];
  if (!sources.has(entry)) throw new BuildError(`${entry} does not exist`);
  // With names of functions: they tell which are to be fast.
  const output = options.emit === false
    ? ["--noEmit"]
    : ["--outFile", "out.wasm", "--optimizeLevel", "0", "--debug"];
  const define = options.checked ? ["--use", "GODWIT_CHECKED=1"] : [];
  let diagnostics = "";
  let wasm = new Uint8Array(0);
  let layout: Layout | undefined;
  class LayoutTransform {
    // Set on the prototype by the compiler: a field here would hide it.
    declare program: Program;
    afterCompile() {
      layout = readLayout(this.program);
    }
  }
  // loaded only when something is to be compiled: that takes longer than all the rest
  // @ts-types="./types/asc.d.ts"
  const { main: asc } = await import("assemblyscript/asc");
  const { error } = await asc([...entries, ...output, ...define, ...ASC_FLAGS], {
    stdout: { write: () => {} },
    stderr: { write: (text) => void (diagnostics += text) },
    readFile: (name) => sources.get(name.replaceAll("\\", "/").replace(/^\.\//, "")) ?? null,
    writeFile: (_name, contents) => void (wasm = new Uint8Array(contents as Uint8Array)),
    listFiles: () => [],
    transforms: [LayoutTransform],
  });
  if (error) throw new BuildError(`${entry}: ${error.message}\n${diagnostics}`.trimEnd());
  if (!layout) throw new BuildError(`${entry}: the compiler did not report the structs`);
  if (options.emit === false) return { wasm, layout };
  const { optimize } = await import("./tools/optimize.ts");
  return { wasm: optimize(wasm, options.named), layout };
}

/** Files whose exports become the module's. */
function entryFiles(sources: Sources, checked = false): string[] {
  if (!checked) return ["assembly/index.ts"];
  const index = "assembly/index_checked.ts";
  const probes = [...sources.keys()].filter((path) => path.startsWith("assembly/probes/"));
  return [sources.has(index) ? index : "assembly/index.ts", ...probes];
}

/** Builds what is out of date. Throws {@link BuildError} if the sources do not compile. */
export async function build(options: BuildOptions = {}): Promise<void> {
  const root = options.root ?? ROOT;
  const log = options.log ?? console.log;
  const sources = await readSources(root);
  const hash = await sha256(JSON.stringify([...sources]));
  await Deno.mkdir(new URL(WASM_DIR, root), { recursive: true });
  await writeIfChanged(`${WASM_DIR}/names.gen.ts`, namesText(sources), root);
  await writeIfChanged(`${WASM_DIR}/settings.gen.ts`, formatSettings(sources), root);

  const layoutPath = `${WASM_DIR}/layout.gen.ts`;
  let layout = await parseLayout(await readText(layoutPath, root));
  const upToDate = async (output: string) =>
    !options.force && layout !== undefined &&
    await readSection(output, "godwit.sources", root) === hash &&
    await readSection(output, "godwit.layout", root) === await layoutHash(layout);

  const release = `${WASM_DIR}/engine.wasm`;
  if (!await upToDate(release)) {
    const begin = performance.now();
    const compiled = await compile(sources);
    layout = compiled.layout;
    await writeIfChanged(layoutPath, await formatLayout(layout), root);
    await writeEngine(release, compiled.wasm, begin);
  }
  const checked = `${WASM_DIR}/engine_checked.wasm`;
  if (options.checked && !await upToDate(checked)) {
    const begin = performance.now();
    const compiled = await compile(sources, { checked: true });
    const differing = layoutDifferences(layout!, compiled.layout);
    if (differing.length > 0) {
      throw new BuildError(`the checked build lays these structs out otherwise: ${differing}`);
    }
    await writeEngine(checked, compiled.wasm, begin);
  }

  await buildSides(sources, await layoutHash(layout!), root, options.force ?? false, log);

  async function writeEngine(path: string, wasm: Uint8Array<ArrayBuffer>, begin: number) {
    const sections = [
      customSection("godwit.sources", hash),
      customSection("godwit.layout", await layoutHash(layout!)),
    ];
    await replaceFile(new URL(path, root), await new Blob([wasm, ...sections]).bytes());
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    log(`built ${path}: ${wasm.length} bytes in ${seconds} s`);
  }
}

/** Builds the protocols that are side modules, and those that are not trusted. */
async function buildSides(
  engine: Sources,
  layout: string,
  root: URL,
  force: boolean,
  log: (line: string) => void,
): Promise<void> {
  for (const name of await findSides(root)) {
    const folder = `protocols/${name}`;
    const own = await readFolder(new URL(`${folder}/assembly/`, root), `${folder}/assembly`);
    const sources = new Map([...engine, ...own]);
    const output = new URL(`${folder}/${name}.wasm`, root);
    const entry = `${folder}/assembly/index.ts`;
    const manifest = await manifestIn(new URL(`${folder}/`, root));
    const bytes = manifest === undefined
      ? await buildSide({ name, sources, entry, output, layout }, force)
      : await buildUntrusted({ manifest, sources, entry, output }, force);
    if (bytes !== undefined) log(`built ${folder}/${name}.wasm: ${bytes} bytes`);
  }
}

/** Text of names.gen.ts for these sources. */
export function namesText(sources: Sources): string {
  return formatNames([...sources].filter(([path]) => path.startsWith("assembly/abi/")));
}

/** Text of a custom section of a built module; undefined if there is no module or no section. */
async function readSection(path: string, name: string, root: URL): Promise<string | undefined> {
  try {
    const module = await WebAssembly.compile(await Deno.readFile(new URL(path, root)));
    const [section] = WebAssembly.Module.customSections(module, name);
    return section && new TextDecoder().decode(section);
  } catch (error) {
    const stale = error instanceof Deno.errors.NotFound ||
      error instanceof WebAssembly.CompileError;
    if (!stale) throw error;
  }
}

/** A custom section (WebAssembly core specification, 5.5.3) of less than 128 bytes. */
function customSection(name: string, text: string): Uint8Array<ArrayBuffer> {
  const nameBytes = new TextEncoder().encode(name);
  const textBytes = new TextEncoder().encode(text);
  const size = 1 + nameBytes.length + textBytes.length;
  return new Uint8Array([0, size, nameBytes.length, ...nameBytes, ...textBytes]);
}

async function writeIfChanged(path: string, text: string, root: URL): Promise<void> {
  if (await readText(path, root) === text) return;
  await replaceFile(new URL(path, root), new TextEncoder().encode(text));
}

/** Writes beside the file and renames, so that a reader sees the old or the new one, whole. */
async function replaceFile(path: URL, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const temporary = new URL(`.stamp-${crypto.randomUUID()}`, path);
  try {
    await Deno.writeFile(temporary, bytes);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}

async function runCommand(args: string[]): Promise<void> {
  const [first, ...rest] = args;
  if (first === "--only" && rest.length > 0) {
    const sources = await readSources();
    for (const entry of rest) await compile(sources, { entry, checked: true, emit: false });
    return;
  }
  const unknown = args.find((arg) => arg !== "--checked" && arg !== "--force");
  if (unknown !== undefined) {
    throw new BuildError("usage: build.ts [--checked] [--force] | --only FILE...");
  }
  await build({ checked: args.includes("--checked"), force: args.includes("--force") });
}

if (import.meta.main) {
  try {
    await runCommand(Deno.args);
  } catch (error) {
    if (!(error instanceof BuildError || error instanceof SideError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
