/**
 * `deno task protocol:build FOLDER`: compiles FOLDER/assembly/index.ts to FOLDER/NAME.wasm, where
 * NAME is the name of the folder or the one given: to an untrusted module if there is a
 * FOLDER/protocol.json, else to a side module.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { build, BuildError, readSources } from "../build.ts";
import { LAYOUT_HASH } from "../runtime/wasm/layout.gen.ts";
import { SideError } from "./side.ts";
import { buildSide, readFolder } from "./side_build.ts";
import { buildUntrusted, manifestIn } from "./untrusted_build.ts";

const USAGE = "usage: deno task protocol:build FOLDER [--name NAME]";
/** Where the sources stand for the compiler. */
const PREFIX = "protocol";

/** Runs the command; answers what it says. */
export async function protocolBuild(args: string[], cwd: string = Deno.cwd()): Promise<string> {
  const options = { name: { type: "string" } } as const;
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new BuildError(`${(error as Error).message}\n${USAGE}`);
  }
  const { values, positionals: [path, ...rest] } = parsed;
  if (path === undefined || rest.length > 0) throw new BuildError(USAGE);
  const folder = new URL(`${path}/`, pathToFileURL(cwd + "/"));
  const name = values.name ?? folder.pathname.split("/").at(-2) ?? "";
  const own = await sourcesIn(folder);
  // the numbers of the engine's structs are those of the engine that will be there
  await build({ log: () => {} });
  const sources = new Map([...await readSources(), ...own]);
  const output = new URL(`${name}.wasm`, folder);
  const entry = `${PREFIX}/index.ts`;
  const manifest = await manifestIn(folder);
  const bytes = manifest === undefined
    ? await buildSide({ name, sources, entry, output, layout: LAYOUT_HASH })
    : await buildUntrusted({ manifest, sources, entry, output });
  return bytes === undefined
    ? `${output.pathname} is up to date`
    : `built ${output.pathname}: ${bytes} bytes`;
}

async function sourcesIn(folder: URL): Promise<Map<string, string>> {
  try {
    return await readFolder(new URL("assembly/", folder), PREFIX);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new BuildError(`${folder.pathname} has no folder assembly/ with the sources`);
  }
}

if (import.meta.main) {
  try {
    console.log(await protocolBuild(Deno.args));
  } catch (error) {
    if (!(error instanceof BuildError || error instanceof SideError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
