/** Runs commands in this process, and keeps what they print. */

import {
  type CommandDefinition,
  type CommandIo,
  runCommand,
} from "../../../commands/cli/command.ts";
import { LocalTarget, type Target } from "../../../commands/mod.ts";
import type { Stack } from "../../../mod.ts";

/** What a command has done. */
export interface Printed {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** How a command is run. */
export interface RunOptions {
  readonly input?: string;
  readonly signal?: AbortSignal;
  readonly colour?: boolean;
  /** Called with each text that is printed. */
  readonly heard?: (text: string) => void;
}

/** Runs a command on a stack, or whatever else answers requests. */
export async function run(
  definition: CommandDefinition,
  args: readonly string[],
  on: Stack | Target,
  options: RunOptions = {},
): Promise<Printed> {
  const printed = { out: "", err: "" };
  const decoder = new TextDecoder();
  const io: CommandIo = {
    out: (text) => {
      const words = typeof text === "string" ? text : decoder.decode(text);
      printed.out += words;
      options.heard?.(words);
    },
    err: (text) => printed.err += text,
    input: new Blob(options.input === undefined ? [] : [options.input]).stream(),
    signal: options.signal ?? new AbortController().signal,
    colour: options.colour ?? false,
  };
  const target = "ask" in on ? on : new LocalTarget(on);
  const status = await runCommand(definition, args, io, () => Promise.resolve(target));
  return { status, ...printed };
}
