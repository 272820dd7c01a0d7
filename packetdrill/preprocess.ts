/**
 * What happens to the text before it is cut into tokens: `#ifdef` branches, `#define`, and the
 * options at the top. Line numbers stay what they were.
 *
 * @module
 */

import { ScriptError } from "./errors.ts";

/** What directives look up and change. */
export interface Definitions {
  has(name: string): boolean;
  set(name: string, value: string): void;
  delete(name: string): void;
}

const DIRECTIVE = /^\s*#\s*(ifdef|ifndef|else|endif|define|undef)\b\s*(\w*)\s*(.*)$/;

/** Blanks out the branches of `#ifdef`, `#ifndef` and `#else` that are not meant. */
export function chooseBranches(text: string, definitions: Definitions): string {
  const open: { active: boolean; line: number }[] = [];
  const lines = text.split("\n").map((line, i) => {
    const directive = DIRECTIVE.exec(line);
    const active = open.every((branch) => branch.active);
    if (!directive) return active ? line : "";
    const [, what, name, rest] = directive;
    const value = rest.replace(/\s*(\/\/.*)?$/, "");
    if (name === "" && what !== "else" && what !== "endif") {
      throw new ScriptError(`#${what} without a name`, i + 1);
    }
    if (what === "ifdef") open.push({ active: definitions.has(name), line: i + 1 });
    else if (what === "ifndef") open.push({ active: !definitions.has(name), line: i + 1 });
    else if (what === "else" || what === "endif") {
      const top = open.at(-1);
      if (!top) throw new ScriptError(`#${what} without #ifdef`, i + 1);
      if (what === "else") top.active = !top.active;
      else open.pop();
    } else if (active && what === "define") definitions.set(name, value === "" ? "1" : value);
    else if (active) definitions.delete(name);
    return "";
  });
  if (open.length > 0) throw new ScriptError("#ifdef without #endif", open[0].line);
  return lines.join("\n");
}

const BLANKS = /(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)*/y;
const OPTION = /--([A-Za-z_][\w-]*)(?:[ \t]*=[ \t]*((?:"[^"]*"|`[^`]*`|[^\s"`])+))?/y;

/** The options that stand before everything else, and where the rest begins. */
export function readOptions(text: string): {
  options: [name: string, value: string][];
  end: number;
} {
  const options: [string, string][] = [];
  let at = 0;
  for (;;) {
    BLANKS.lastIndex = at;
    BLANKS.exec(text);
    at = BLANKS.lastIndex;
    OPTION.lastIndex = at;
    const match = OPTION.exec(text);
    if (!match) return { options, end: at };
    options.push([match[1], match[2] ?? ""]);
    at = OPTION.lastIndex;
  }
}

/** Strips the quotes around a value. */
export function unquote(value: string): string {
  return /^(["`]).*\1$/s.test(value) ? value.slice(1, -1) : value;
}
