/**
 * The rules that hold for each file alone.
 *
 * @module
 */

import { findFunctions, lineAt, type Source, topLevel } from "./source.ts";

/** Lines of a file. */
export const FILE_LINES_MAX = 350;
/** Lines of a function. */
export const FUNCTION_LINES_MAX = 70;
/** Lines of a function in a file that is exempt as a table. */
export const TABLE_FUNCTION_LINES_MAX = 5;
/** Characters of a line. */
export const COLUMNS_MAX = 100;

/** A rule answers with one line for each breach, `path:line: what is wrong`. */
export type Rule = (source: Source) => string[];

/** At most 350 lines; a file whose first line is `// tidy: table` may be longer. */
export const fileLines: Rule = ({ path, text }) => {
  const lines = text.trimEnd().split("\n").length;
  if (isTable(text) || lines <= FILE_LINES_MAX) return [];
  return [`${path}: ${lines} lines; at most ${FILE_LINES_MAX}: split it by what it does`];
};

/** A table has no logic: its functions are one-liners. */
export const tableIsPure: Rule = (source) => {
  if (!isTable(source.text)) return [];
  return findFunctions(source).filter((f) => f.lines > TABLE_FUNCTION_LINES_MAX).map((f) =>
    `${source.path}:${f.line}: ${f.name} has ${f.lines} lines in a file exempt as a table`
  );
};

/** At most 70 lines a function. */
export const functionLines: Rule = (source) =>
  findFunctions(source).filter((f) => f.lines > FUNCTION_LINES_MAX).map((f) =>
    `${source.path}:${f.line}: ${f.name} has ${f.lines} lines; at most ${FUNCTION_LINES_MAX}`
  );

/** At most 100 columns. */
export const columns: Rule = ({ path, text }) =>
  text.split("\n").flatMap((line, i) => {
    const width = [...line].length;
    return width > COLUMNS_MAX
      ? [`${path}:${i + 1}: ${width} columns; at most ${COLUMNS_MAX}`]
      : [];
  });

/** The formatter deletes decorators of top-level functions and constants: classes only. */
export const decorators: Rule = ({ path, code, text }) => {
  const isTop = topLevel(code);
  const found: string[] = [];
  for (const match of code.matchAll(/@\w+/g)) {
    if (!isTop(match.index)) continue;
    const rest = code.slice(match.index).replace(/^(\s*@\w+(\([^)]*\))?)+/, "").trimStart();
    if (/^(export\s+)?(default\s+)?(abstract\s+)?class\b/.test(rest)) continue;
    found.push(`${path}:${lineAt(text, match.index)}: ${match[0]} on something not a class`);
  }
  return found;
};

/** Module state is a struct placed by memory.data(), so that a snapshot of the memory is whole. */
export const moduleState: Rule = ({ path, code, text }) => {
  const isTop = topLevel(code);
  return [...code.matchAll(/(?:^|[;}\s])(let|var)\s/g)].filter((m) => isTop(m.index))
    .map((m) => `${path}:${lineAt(text, m.index + m[0].length)}: ${m[1]} at module level`);
};

const UNFINISHED = new RegExp(["TO" + "DO", "FIX" + "ME", "for " + "now"].join("|"), "gi");

/** Nothing is left for later. */
export const unfinished: Rule = ({ path, text, comments }) =>
  [...comments.matchAll(UNFINISHED)].filter((m) => isWord(comments, m.index, m[0].length))
    .map((m) => `${path}:${lineAt(text, m.index)}: "${m[0]}"`);

function isWord(text: string, offset: number, length: number): boolean {
  return !/\w/.test(text[offset - 1] ?? " ") && !/\w/.test(text[offset + length] ?? " ");
}

const PLACES = /(?<![\w.~-])\/(?:work|root|home)\/|file:\/\/\/\w|[A-Z]:\\Users/g;
const REGISTRIES = new RegExp("\\bregistry\\.[a-z]|npm" + "js\\.|jsr\\.io/", "g");

/** No path or host that only one machine has. */
export const places: Rule = ({ path, text }) =>
  [PLACES, REGISTRIES].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((m) =>
      `${path}:${lineAt(text, m.index)}: "${m[0]}" belongs to one machine`
    )
  );

/** Types of Deno that have no value behind them may be named anywhere. */
const DENO_VALUE =
  /\bDeno\b(?!\.(?:Addr|NetAddr|UnixAddr|Conn|TcpConn|Listener|TcpListener|DatagramConn)\b)/g;

/** assembly/ and filter/ know nothing of Deno; runtime/ touches it only in device/ and clock.ts. */
export const hostFree: Rule = ({ path, code, text }) => {
  const bound = /^(assembly|filter)\//.test(path) || (path.startsWith("runtime/") &&
    !path.startsWith("runtime/device/") && path !== "runtime/clock.ts");
  if (!bound) return [];
  return [...code.matchAll(DENO_VALUE)].map((m) =>
    `${path}:${lineAt(text, m.index)}: Deno is used outside runtime/device and runtime/clock.ts`
  );
};

function isTable(text: string): boolean {
  return text.split("\n", 1)[0].trim() === "// tidy: table";
}
