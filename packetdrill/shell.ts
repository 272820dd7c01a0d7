/**
 * Reads the shell text of commands: lists of pipelines of simple commands. Nothing of it is ever
 * run.
 *
 * @module
 */

import { Unsupported } from "./errors.ts";

/** One simple command. */
export interface SimpleCommand {
  readonly words: readonly string[];
  /** The file that its output goes to; undefined if none. */
  readonly target?: string;
}

/** Commands that hand their output on. */
export interface Pipeline {
  /** With `!` in front: it is to fail. */
  readonly negated: boolean;
  readonly commands: readonly SimpleCommand[];
  readonly text: string;
}

const TOKEN = new RegExp(
  [
    String.raw`(?<space>(?:[ \t\r]|\\\n)+)`,
    String.raw`(?<comment>(?<![^\s;&|])#[^\n]*)`,
    String.raw`(?<separator>&&|\|\||[\n;&])`,
    String.raw`(?<pipe>\|)`,
    String.raw`(?<redirect>\d*(?:>>|>&|>|<))`,
    String.raw`(?<word>(?:"(?:[^"\\]|\\[^])*"|'[^']*'|\\[^\n]|[^\s"'\\;&|<>])+)`,
  ].join("|"),
  "y",
);

/** A word without its quotes. */
function unquoted(word: string): string {
  return word.replaceAll(
    /"((?:[^"\\]|\\[^])*)"|'([^']*)'|\\([^])/g,
    (_all, double: string | undefined, single: string | undefined, escaped: string | undefined) =>
      double?.replaceAll(/\\(["\\$`])/g, "$1") ?? single ?? escaped ?? "",
  );
}

/** Collects words into commands, commands into pipelines. */
class Collector {
  readonly pipelines: Pipeline[] = [];
  #commands: SimpleCommand[] = [];
  #words: string[] = [];
  #target: string | undefined;
  #text = "";

  word(raw: string): void {
    this.#words.push(unquoted(raw));
    this.#text += `${this.#text ? " " : ""}${raw}`;
  }

  /** Output to a number is output to another stream: it changes nothing here. */
  redirect(operator: string, raw: string): void {
    if (operator === ">" || operator === "1>" || operator === ">>") this.#target = unquoted(raw);
  }

  endCommand(): void {
    if (this.#words.length === 0) return;
    const target = this.#target;
    this.#commands.push({ words: this.#words, ...(target === undefined ? {} : { target }) });
    this.#words = [];
    this.#target = undefined;
  }

  pipe(): void {
    this.endCommand();
    this.#text += " |";
  }

  endPipeline(): void {
    this.endCommand();
    if (this.#commands.length > 0) {
      const [first, ...rest] = this.#commands;
      const negated = first.words[0] === "!";
      const commands = negated
        ? [{ ...first, words: first.words.slice(1) }, ...rest]
        : [first, ...rest];
      const named = commands.every(({ words }) => words.length > 0);
      if (named) this.pipelines.push({ negated, commands, text: this.#text });
    }
    this.#commands = [];
    this.#text = "";
  }
}

/** The pipelines of a command's text, in order. */
export function readShell(text: string): Pipeline[] {
  const out = new Collector();
  let redirect = "";
  for (let at = 0; at < text.length;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) throw new Unsupported(`the shell text ${text.slice(at, at + 20).trim()}`);
    at = TOKEN.lastIndex;
    const groups = match.groups!;
    if (groups.word !== undefined) {
      if (redirect) out.redirect(redirect, groups.word);
      else out.word(groups.word);
      redirect = "";
    } else if (groups.redirect !== undefined) redirect = groups.redirect;
    else if (groups.pipe !== undefined) out.pipe();
    else if (groups.separator === "||") throw new Unsupported("|| in a command");
    else if (groups.separator === "&" && redirect !== "") redirect += "&";
    else if (groups.separator !== undefined) out.endPipeline();
  }
  out.endPipeline();
  return out.pipelines;
}
