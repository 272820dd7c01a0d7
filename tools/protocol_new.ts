/**
 * `deno task protocol:new NAME [--kind typescript|side|untrusted] [--dir FOLDER]`: makes a project
 * with a working protocol and its test. See docs/protocols.md.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runCommand, scaffold, ScaffoldError } from "./scaffold.ts";

const USAGE = `usage: deno task protocol:new NAME [--kind KIND] [--dir FOLDER]

  --kind typescript   called by JavaScript, after each turn of the stack (the default)
  --kind side         WebAssembly that shares the memory of the engine
  --kind untrusted    WebAssembly with a memory of its own, in a Worker
  --dir FOLDER        where the project goes; ./NAME unless told`;

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const BUILD = `--config '${pathOf("../deno.json")}' '${pathOf("protocol_build.ts")}'`;
const COMPILED = {
  build: `deno run -A ${BUILD} .`,
  test: "deno task build && deno test -A",
};
const TASKS: Record<string, Record<string, string>> = {
  typescript: { test: "deno test -A" },
  side: COMPILED,
  untrusted: COMPILED,
};

/** Runs the command; answers what it says. Throws a ScaffoldError for a wrong use. */
export async function protocolNew(args: string[], cwd: string = Deno.cwd()): Promise<string> {
  const options = { kind: { type: "string" }, dir: { type: "string" } } as const;
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new ScaffoldError(`${(error as Error).message}\n\n${USAGE}`);
  }
  const { values, positionals: [name, ...rest] } = parsed;
  const kind = values.kind ?? "typescript";
  if (name === undefined || rest.length > 0) throw new ScaffoldError(USAGE);
  if (!(kind in TASKS)) throw new ScaffoldError(`there is no kind "${kind}"\n\n${USAGE}`);
  const folder = new URL(`${values.dir ?? name}/`, pathToFileURL(cwd + "/"));
  const tasks = TASKS[kind];
  const files = await scaffold({ name, template: `protocol_${kind}`, folder, tasks });
  return [`made ${folder.pathname}`, ...files.map((file) => `  ${file}`)].join("\n") +
    `\n\nTry it: cd ${folder.pathname} && deno task test`;
}

if (import.meta.main) await runCommand(protocolNew);
