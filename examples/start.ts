/**
 * The main job, `deno task start`: see `deno task start --help`, or examples/start/help.ts.
 *
 * @module
 */

import { HELP } from "./start/help.ts";
import { parseOptions, type StartOptions, UsageError } from "./start/options.ts";
import { stderrOutput } from "./start/progress.ts";
import { runReplay } from "./start/replay.ts";
import { runFileClient, runFileServer } from "./start/socket_file.ts";
import { runTapServer } from "./start/tap_server.ts";
import { type JobOutput, runTwoHosts } from "./start/two_hosts.ts";

/** Does what the options say; answers true if it went well. */
async function run(options: StartOptions, output: JobOutput): Promise<boolean> {
  switch (options.job) {
    case "help":
      output.log(HELP);
      return true;
    case "two-hosts":
      return await runTwoHosts(options, output);
    case "tap":
      return await runTapServer(options, output);
    case "replay":
      return await runReplay(options, output);
    case "serve":
      return await runFileServer(options, output);
    case "get":
      return await runFileClient(options, output);
  }
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    const good = await run(options, { log: console.log, progress: stderrOutput() });
    return good ? 0 : 1;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`start: ${error.message}\nTry: deno task start --help`);
      return 2;
    }
    console.error(`start: ${error instanceof Error ? error.message : error}`);
    // A fault of the program, not of the world: show where.
    const ours = error instanceof TypeError || error instanceof ReferenceError;
    if (ours) console.error(error.stack);
    return 1;
  }
}

Deno.exit(await main(Deno.args));
