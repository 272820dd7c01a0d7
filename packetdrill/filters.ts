/**
 * The programs that commands of scripts pipe output through.
 *
 * @module
 */

import { Unsupported } from "./errors.ts";

/** What a command puts out, and whether it succeeds. */
export interface Output {
  readonly lines: readonly string[];
  readonly ok: boolean;
}

/** Options of `grep` that may stand together behind one dash. */
const GREP_FLAGS = "qcviwxEFPGsnHhao";

/** A pattern of `grep` as one of this language: in basic ones `+?|(){}` are plain characters. */
function pattern(text: string, flags: string): RegExp {
  let source = text;
  if (flags.includes("F")) source = text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  else if (!/[EP]/.test(flags)) {
    source = text.replaceAll(/\\?[+?|(){}]/g, (c) => c.length === 2 ? c[1] : `\\${c}`);
  }
  source = source.replaceAll("[[:space:]]", "\\s").replaceAll("[[:digit:]]", "\\d");
  if (flags.includes("w")) source = `\\b(?:${source})\\b`;
  if (flags.includes("x")) source = `^(?:${source})$`;
  try {
    return new RegExp(source, flags.includes("i") ? "i" : "");
  } catch {
    throw new Unsupported(`the pattern ${text}`);
  }
}

/** What `grep` was asked: its flags, its pattern, and the files it is to read. */
export function grepArguments(words: readonly string[]): {
  flags: string;
  pattern: string;
  files: string[];
} {
  let [flags, wanted]: [string, string | undefined] = ["", undefined];
  const files: string[] = [];
  for (let i = 1; i < words.length; i++) {
    const word = words[i];
    if (word === "-e") wanted = words[++i];
    else if (word === "--quiet" || word === "--silent") flags += "q";
    else if (word === "--count") flags += "c";
    else if (/^-[A-Za-z]+$/.test(word)) {
      const unknown = [...word.slice(1)].find((flag) => !GREP_FLAGS.includes(flag));
      if (unknown) throw new Unsupported(`grep -${unknown}`);
      flags += word.slice(1);
    } else if (wanted === undefined) wanted = word;
    else files.push(word);
  }
  if (wanted === undefined) throw new Unsupported("grep without a pattern");
  return { flags, pattern: wanted, files };
}

/** `grep` over lines. */
export function grep(words: readonly string[], lines: readonly string[]): Output {
  const { flags, pattern: text } = grepArguments(words);
  const wanted = pattern(text, flags);
  const found = lines.filter((line) => wanted.test(line) !== flags.includes("v"));
  const ok = found.length > 0;
  if (flags.includes("q")) return { lines: [], ok };
  return { lines: flags.includes("c") ? [String(found.length)] : found, ok };
}

/** Passes output through one more program. */
export function filter(words: readonly string[], { lines }: Output): Output {
  const program = words[0].split("/").at(-1);
  const count = Number(/^-n?(\d+)$/.exec(words.slice(1).join(""))?.[1] ?? 10);
  switch (program) {
    case "grep":
    case "egrep":
      return grep(program === "egrep" ? ["grep", "-E", ...words.slice(1)] : words, lines);
    case "wc":
      if (words[1] !== "-l") throw new Unsupported(words.join(" "));
      return { lines: [String(lines.length)], ok: true };
    case "head":
      return { lines: lines.slice(0, count), ok: true };
    case "tail":
      return { lines: lines.slice(-count), ok: true };
    case "sort":
      return { lines: [...lines].sort(), ok: true };
    case "cat":
    case "tee":
      return { lines, ok: true };
  }
  throw new Unsupported(`the command ${words.join(" ")} in a pipe`);
}
