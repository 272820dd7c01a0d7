/**
 * A source split into what is code, what stands in strings and what is comment, without a parser:
 * enough to find imports, functions and module-level declarations in formatted TypeScript.
 *
 * @module
 */

/** A source; each text has the length and the line breaks of the original, blanks elsewhere. */
export interface Source {
  readonly path: string;
  readonly text: string;
  /** Without comments and without what stands in strings, templates and regular expressions. */
  readonly code: string;
  /** Comments only. */
  readonly comments: string;
}

/** A function and the lines that it takes, from its name or parameters to the closing brace. */
export interface FunctionSpan {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

const REGEXP_MAY_FOLLOW = /(^|[({[,;=:!&|?+\-*%<>~^}]|\b(return|typeof|case|in|of|void|throw))$/;

/** Splits a text. */
export function parseSource(path: string, text: string): Source {
  const code = text.split("");
  const comments = text.replace(/[^\n]/g, " ").split("");
  const blank = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (text[i] !== "\n") code[i] = " ";
  };
  /** Braces open inside each `${` of a template that has begun. */
  const templates: number[] = [];
  let at = 0;
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    const char = text[at];
    if (two === "//" || two === "/*") {
      const close = two === "//" ? text.indexOf("\n", at) : text.indexOf("*/", at + 2) + 2;
      const end = close < at + 2 ? text.length : close;
      for (let i = at; i < end; i++) comments[i] = text[i];
      blank(at, end);
      at = end;
      continue;
    }
    let end = at + 1;
    if (char === '"' || char === "'") {
      end = stringEnd(text, at, char);
      blank(at + 1, end - 1);
    } else if (char === "/" && REGEXP_MAY_FOLLOW.test(codeBefore(code, at))) {
      end = regexpEnd(text, at);
      blank(at, end);
    } else if (char === "`" || (char === "}" && templates.at(-1) === 0)) {
      if (char === "}") templates.pop();
      end = templateEnd(text, at + 1);
      blank(at + 1, end - 1);
      if (text[end - 1] === "{") {
        blank(end - 2, end);
        templates.push(0);
      }
      if (char === "}") blank(at, at + 1);
    } else if (templates.length > 0 && (char === "{" || char === "}")) {
      templates[templates.length - 1] += char === "{" ? 1 : -1;
    }
    at = end;
  }
  return { path, text, code: code.join(""), comments: comments.join("") };
}

/** The last few characters of code before an offset, blanks skipped. */
function codeBefore(code: readonly string[], offset: number): string {
  let end = offset;
  while (end > 0 && !code[end - 1].trim()) end--;
  return code.slice(Math.max(0, end - 10), end).join("");
}

function stringEnd(text: string, start: number, quote: string): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === quote || text[i] === "\n") return i + 1;
  }
  return text.length;
}

/** Just past the closing backquote, or past the `${` of a substitution. */
function templateEnd(text: string, start: number): number {
  for (let i = start; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "`") return i + 1;
    else if (text[i] === "$" && text[i + 1] === "{") return i + 2;
  }
  return text.length;
}

function regexpEnd(text: string, start: number): number {
  let inClass = false;
  for (let i = start + 1; i < text.length && text[i] !== "\n"; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "[") inClass = true;
    else if (text[i] === "]") inClass = false;
    else if (text[i] === "/" && !inClass) return i + 1;
  }
  return start + 1;
}

/** Number of the line, from 1, of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < offset; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

/** For each opening bracket the offset of the closing one, and the other way round. */
export function matchBrackets(code: string): Map<number, number> {
  const pairs = new Map<number, number>();
  const open: number[] = [];
  for (let i = 0; i < code.length; i++) {
    if ("({[".includes(code[i])) open.push(i);
    else if (")}]".includes(code[i])) {
      const start = open.pop();
      if (start === undefined) continue;
      pairs.set(start, i).set(i, start);
    }
  }
  return pairs;
}

/** True for each offset that stands in no bracket. */
export function topLevel(code: string): (offset: number) => boolean {
  const spans: [number, number][] = [];
  let until = -1;
  for (const [start, end] of [...matchBrackets(code)].sort((a, b) => a[0] - b[0])) {
    if (start < end && start > until) {
      spans.push([start, end]);
      until = end;
    }
  }
  return (offset) => !spans.some(([start, end]) => start < offset && offset < end);
}

const CONTROL = /^(if|for|while|switch|catch|with|await)$/;

/** All functions, methods and arrow functions that have a body in braces. */
export function findFunctions(source: Source): FunctionSpan[] {
  const { code, text } = source;
  const pairs = matchBrackets(code);
  const functions: FunctionSpan[] = [];
  for (let brace = code.indexOf("{"); brace >= 0; brace = code.indexOf("{", brace + 1)) {
    const end = pairs.get(brace);
    if (end === undefined) continue;
    const start = functionStart(code, brace, pairs);
    if (start === undefined) continue;
    const line = lineAt(text, start.offset);
    functions.push({ name: start.name, line, lines: lineAt(text, end) - line + 1 });
  }
  return functions;
}

/** Where the function begins whose body this brace opens; undefined if it opens something else. */
function functionStart(
  code: string,
  brace: number,
  pairs: Map<number, number>,
): { name: string; offset: number } | undefined {
  let i = previous(code, brace);
  const arrow = code[i] === ">" && code[i - 1] === "=";
  if (arrow) i = previous(code, i - 1);
  if (code[i] !== ")") {
    const parameters = parametersBeforeType(code, i, pairs);
    if (parameters === undefined) {
      return arrow ? { name: "arrow function", offset: i } : undefined;
    }
    i = parameters;
  }
  const open = pairs.get(i);
  if (open === undefined) return undefined;
  const head = code.slice(Math.max(0, open - 200), open);
  const name = /([\w$#]+)\s*(<[^(]*>)?\s*$/.exec(head);
  if (arrow) return { name: "arrow function", offset: open };
  if (!name || CONTROL.test(name[1])) return undefined;
  return { name: name[1], offset: open - head.length + name.index };
}

/** Walks left over a return type to the `)` of the parameters before its colon. */
function parametersBeforeType(
  code: string,
  from: number,
  pairs: Map<number, number>,
): number | undefined {
  let i = from;
  while (i >= 0) {
    if (code[i] === ":") {
      const before = previous(code, i);
      return i !== from && code[before] === ")" ? before : undefined;
    }
    if ("}])".includes(code[i])) {
      if (code[i] === "}" && !/^\s*[|&>,[{]/.test(code.slice(i + 1, i + 80))) return undefined;
      i = pairs.get(i) ?? 0;
    } else if (
      /\b(class|interface|enum|else|export)$/.test(code.slice(Math.max(0, i - 9), i + 1))
    ) {
      return undefined;
    } else if (!/[\w\s.<>,|&$?=]/.test(code[i]) || (code[i] === "=" && code[i + 1] !== ">")) {
      return undefined;
    }
    i--;
  }
}

function previous(code: string, offset: number): number {
  let i = offset - 1;
  while (i >= 0 && !code[i].trim()) i--;
  return i;
}
