/**
 * `deno task bench:plot FOLDER`: draws the run that `deno task bench --plots FOLDER` has written.
 *
 * @module
 */

import { Arguments } from "../arguments.ts";
import { redraw } from "./write.ts";

const HELP = `deno task bench:plot FOLDER
    Draws the run that deno task bench --plots FOLDER has written there, once more.`;

const args = new Arguments("bench:plot");
const { values, positionals } = args.parse({
  options: { help: { type: "boolean", short: "h" } },
  allowPositionals: true,
});
if (values.help) console.log(HELP);
else if (positionals.length === 1) await redraw(positionals[0]);
else args.refuse("which folder?");
