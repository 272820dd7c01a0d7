/**
 * `deno task driver:new NAME [--dir FOLDER]`: makes a project with a working driver and a test that
 * runs the contract of all drivers over it. See docs/writing-a-driver.md.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { runCommand, scaffold, ScaffoldError } from "./scaffold.ts";

const USAGE = `usage: deno task driver:new NAME [--dir FOLDER]

  --dir FOLDER   where the project goes; ./NAME unless told`;

/** Runs the command; answers what it says. Throws a ScaffoldError for a wrong use. */
export async function driverNew(args: string[], cwd: string = Deno.cwd()): Promise<string> {
  const options = { dir: { type: "string" } } as const;
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new ScaffoldError(`${(error as Error).message}\n\n${USAGE}`);
  }
  const { values, positionals: [name, ...rest] } = parsed;
  if (name === undefined || rest.length > 0) throw new ScaffoldError(USAGE);
  const folder = new URL(`${values.dir ?? name}/`, pathToFileURL(cwd + "/"));
  const tasks = { test: "deno test -A" };
  const files = await scaffold({ name, template: "driver", folder, tasks });
  return [`made ${folder.pathname}`, ...files.map((file) => `  ${file}`)].join("\n") +
    `\n\nTry it: cd ${folder.pathname} && deno task test`;
}

if (import.meta.main) await runCommand(driverNew);
