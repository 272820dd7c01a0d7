/**
 * Options of the commands in this folder: what makes no sense ends the program with status 2.
 *
 * @module
 */

import { parseArgs, type ParseArgsConfig } from "node:util";

/** The options of one command, `bench` or `bench:impaired`. */
export class Arguments {
  /** Of the task whose name messages begin with. */
  constructor(readonly task: string) {}

  /** Ends the program: the options make no sense. */
  refuse(words: string): never {
    console.error(`${this.task}: ${words}\nTry: deno task ${this.task} --help`);
    Deno.exit(2);
  }

  /** Parses the program's arguments as `config` says. */
  parse<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
    try {
      return parseArgs<T>({ strict: true, args: Deno.args, ...config });
    } catch (error) {
      if (error instanceof TypeError) this.refuse(error.message.split(". ")[0]);
      throw error;
    }
  }

  /** The value of `--name`, which must be a whole number from 1 to `most`. */
  whole(name: string, text: string | undefined, most: number, otherwise: number): number {
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= most) return value;
    return this.refuse(`--${name} takes a whole number from 1 to ${most}, not "${text}"`);
  }
}
