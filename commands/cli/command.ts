/**
 * What all commands have in common: where the stack is, `--json`, help, and how they end.
 *
 * @module
 */

import { Command, CommanderError, InvalidArgumentError } from "commander";
import { RequestError, type Target } from "../request.ts";

/** Where a command reads and writes. */
export interface CommandIo {
  /** Text or bytes for the standard output. */
  out(text: string | Uint8Array): void;
  /** Text for the standard error output. */
  err(text: string): void;
  /** The standard input. */
  readonly input: AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Ends the command: Ctrl-C. */
  readonly signal: AbortSignal;
  /** True if the output may have colours. */
  readonly colour: boolean;
}

/** Where the stack is, as the options say. */
export interface Place {
  /** Socket file of a stack that runs. */
  readonly control?: string;
  /** File of a snapshot. */
  readonly snapshot?: string;
}

/** A run of a command. */
export interface Run extends CommandIo {
  /** Arguments that are no options. */
  readonly args: readonly string[];
  /** The options by name. */
  readonly options: Readonly<Record<string, unknown>>;
  /** True for `--json`. */
  readonly json: boolean;
  /** Asks the stack; the answers come as they are made. */
  ask<T>(name: string, params?: Record<string, unknown>): AsyncIterable<T>;
  /** Asks for one answer. */
  one<T>(name: string, params?: Record<string, unknown>): Promise<T>;
}

/** A command. */
export interface CommandDefinition {
  /** Its name. */
  readonly name: string;
  /** What it does, in a line. */
  readonly about: string;
  /** Examples: arguments, and what they do. */
  readonly examples: readonly (readonly [args: string, what: string])[];
  /** True if it can look at a snapshot. */
  readonly snapshot?: boolean;
  /** Old spellings of arguments that a parser of options would not understand. */
  readonly rewrite?: (args: readonly string[]) => string[];
  /** Adds its arguments and options. */
  readonly define: (command: Command) => Command;
  /** Does it; answers the exit status. */
  readonly run: (run: Run) => Promise<number>;
}

/** Arguments that make no sense. */
export class UsageError extends Error {
  /** `UsageError` */
  override readonly name = "UsageError";
}

/** Exit status of a command that was called wrongly. */
export const USAGE_STATUS = 2;

function build(definition: CommandDefinition): Command {
  const { name, about, examples, snapshot } = definition;
  const width = Math.max(...examples.map(([args]) => args.length));
  const lines = examples.map(([args, what]) =>
    `  deno task ${name} ${args.padEnd(width)}  ${what}`.replace(/ +$/, "")
  );
  const command = new Command(name).description(about).exitOverride().allowExcessArguments(false)
    .addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
  definition.define(command);
  command.option("--control <path>", "socket file of the stack; $GODWIT_CONTROL unless told");
  if (snapshot) command.option("--snapshot <file>", "look at a snapshot instead");
  return command.option("--json", "print objects, one a line");
}

/** Runs a command on the stack that `open` finds; answers its exit status. */
export async function runCommand(
  definition: CommandDefinition,
  args: readonly string[],
  io: CommandIo,
  open: (place: Place) => Promise<Target>,
): Promise<number> {
  const { name } = definition;
  let said = "";
  const parser = build(definition).configureOutput({
    writeOut: (text) => said += text,
    writeErr: (text) => said += text,
  });
  const misused = (words: string) => {
    const usage = parser.createHelp().commandUsage(parser);
    io.err(`${name}: ${words}\nusage: ${usage}\nTry: deno task ${name} --help\n`);
    return USAGE_STATUS;
  };
  try {
    parser.parse(definition.rewrite?.(args) ?? [...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) return misused(error.message.replace(/^error: /, ""));
    io.out(said);
    return 0;
  }
  try {
    const options = parser.opts();
    if (options.control !== undefined && options.snapshot !== undefined) {
      throw new UsageError("--control and --snapshot exclude each other");
    }
    await using target = await open(options);
    return await definition.run(makeRun(io, parser.args, options, target));
  } catch (error) {
    // nobody reads what we print: no fault of ours
    if ((error as Error)?.name === "BrokenPipe") throw error;
    if (error instanceof UsageError) return misused(error.message);
    io.err(`${name}: ${error instanceof Error ? error.message : error}\n`);
    return 1;
  }
}

function makeRun(
  io: CommandIo,
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
  target: Target,
): Run {
  const ask = <T>(name: string, params: Record<string, unknown> = {}) => {
    const given = Object.entries(params).filter(([, value]) => value !== undefined);
    return target.ask(name, Object.fromEntries(given), io) as AsyncIterable<T>;
  };
  return {
    out: (text) => io.out(text),
    err: (text) => io.err(text),
    input: io.input,
    signal: io.signal,
    colour: io.colour,
    args,
    options,
    json: options.json === true,
    ask,
    async one<T>(name: string, params?: Record<string, unknown>): Promise<T> {
      for await (const value of ask<T>(name, params)) return value;
      if (io.signal.aborted) throw new RequestError("interrupted", "EINTR");
      return undefined as T;
    },
  };
}

/** For options: a whole number in a range. */
export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`A whole number from ${min} to ${max} is wanted.`);
  };
}

/** For options: a number of seconds, a thousandth at least. */
export function seconds(text: string): number {
  const value = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (value >= 0.001 && value <= 3600) return value;
  throw new InvalidArgumentError("A number of seconds from 0.001 to 3600 is wanted.");
}

/** An object as a line of JSON. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value) + "\n";
}
