/**
 * Values and expressions of code blocks.
 *
 * @module
 */

/** A value. */
export type Value = number | string | boolean | null | readonly Value[];

/** An expression. */
export type Expression =
  | { readonly kind: "constant"; readonly value: Value }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "tuple"; readonly items: readonly Expression[] }
  | { readonly kind: "unary"; readonly op: string; readonly operand: Expression }
  | { readonly kind: "binary"; readonly op: string; readonly a: Expression; readonly b: Expression }
  | {
    readonly kind: "compare";
    readonly first: Expression;
    readonly rest: readonly (readonly [op: string, operand: Expression])[];
  }
  | {
    readonly kind: "call";
    readonly name: string;
    /** The value whose method it is. */
    readonly on?: Expression;
    readonly args: readonly Expression[];
  };

/** The block does what the interpreter has no part for. */
export class CodeFault extends Error {
  override name = "CodeFault";
}

/** True if a value counts as true. */
export function truth(value: Value): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** A value as text. */
export function show(value: Value): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `(${value.map((item) => show(item)).join(", ")})`;
  return String(value);
}

function toNumber(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  throw new CodeFault(`${show(value)} as a number`);
}

/** Computes an expression. */
export function evaluate(e: Expression, lookUp: (name: string) => Value): Value {
  switch (e.kind) {
    case "constant":
      return e.value;
    case "name":
      return lookUp(e.name);
    case "tuple":
      return e.items.map((item) => evaluate(item, lookUp));
    case "unary":
      return unary(e.op, evaluate(e.operand, lookUp));
    case "binary": {
      const a = evaluate(e.a, lookUp);
      if (e.op === "and") return truth(a) ? evaluate(e.b, lookUp) : a;
      if (e.op === "or") return truth(a) ? a : evaluate(e.b, lookUp);
      return binary(e.op, a, evaluate(e.b, lookUp));
    }
    case "compare": {
      let left = evaluate(e.first, lookUp);
      for (const [op, operand] of e.rest) {
        const right = evaluate(operand, lookUp);
        if (!compare(op, left, right)) return false;
        left = right;
      }
      return true;
    }
    case "call":
      return callOf(e, lookUp);
  }
}

function unary(op: string, value: Value): Value {
  if (op === "not") return !truth(value);
  const number = toNumber(value);
  return op === "-" ? -number : op === "~" ? -number - 1 : number;
}

function binary(op: string, a: Value, b: Value): Value {
  if (op === "%" && typeof a === "string") return formatPercent(a, Array.isArray(b) ? b : [b]);
  if (op === "+" && typeof a === "string" && typeof b === "string") return a + b;
  const [x, y] = [toNumber(a), toNumber(b)];
  switch (op) {
    case "+":
      return x + y;
    case "-":
      return x - y;
    case "*":
      return x * y;
    case "**":
      return x ** y;
    case "/":
    case "//":
    case "%":
      return divide(op, x, y);
    case "<<":
      return x * 2 ** y;
    case ">>":
      return Math.floor(x / 2 ** y);
    default:
      return bits(op, x, y);
  }
}

function divide(op: string, x: number, y: number): number {
  if (y === 0) throw new CodeFault("division by zero");
  if (op === "/") return x / y;
  return op === "//" ? Math.floor(x / y) : x - y * Math.floor(x / y);
}

function bits(op: string, x: number, y: number): number {
  const [a, b] = [BigInt(Math.trunc(x)), BigInt(Math.trunc(y))];
  if (op === "&") return Number(a & b);
  if (op === "|") return Number(a | b);
  if (op === "^") return Number(a ^ b);
  throw new CodeFault(`the operator ${op}`);
}

function compare(op: string, a: Value, b: Value): boolean {
  if (op === "==" || op === "!=") {
    const same = typeof a === "string" || typeof b === "string" || a === null || b === null ||
        Array.isArray(a) || Array.isArray(b)
      ? show(a) === show(b)
      : toNumber(a) === toNumber(b);
    return same === (op === "==");
  }
  if (op === "in") return Array.isArray(b) && b.some((item) => compare("==", a, item));
  if (op === "not in") return !compare("in", a, b);
  const [x, y] = [toNumber(a), toNumber(b)];
  if (op === "<") return x < y;
  if (op === "<=") return x <= y;
  if (op === ">") return x > y;
  return x >= y;
}

function callOf(e: Expression & { kind: "call" }, lookUp: (name: string) => Value): Value {
  const args = e.args.map((arg) => evaluate(arg, lookUp));
  if (e.on) {
    const on = evaluate(e.on, lookUp);
    if (e.name === "format" && typeof on === "string") return formatBraces(on, args);
    throw new CodeFault(`the method ${e.name}`);
  }
  const numbers = () =>
    (args.length === 1 && Array.isArray(args[0]) ? args[0] : args).map(toNumber);
  switch (e.name) {
    case "int":
      return Math.trunc(Number(args[0]));
    case "float":
      return Number(args[0]);
    case "abs":
      return Math.abs(toNumber(args[0]));
    case "round":
      return Math.round(toNumber(args[0]));
    case "bool":
      return truth(args[0]);
    case "min":
      return Math.min(...numbers());
    case "max":
      return Math.max(...numbers());
    case "str":
    case "repr":
      return show(args[0]);
    case "hex":
      return "0x" + toNumber(args[0]).toString(16);
    case "len":
      if (typeof args[0] === "string") return args[0].length;
      if (Array.isArray(args[0])) return args[0].length;
  }
  throw new CodeFault(`the function ${e.name}`);
}

/** `"%d of %s" % (…)`. */
function formatPercent(text: string, values: readonly Value[]): string {
  let next = 0;
  return text.replaceAll(
    /%(?:%|[-+ #0]*\d*(?:\.(\d+))?([diuoxXfFeEgGsrc]))/g,
    (all, digits, kind) => {
      if (all === "%%") return "%";
      const value = values[next++] ?? null;
      if (kind === "f" || kind === "F") return toNumber(value).toFixed(digits ? Number(digits) : 6);
      if (kind === "x" || kind === "X") return toNumber(value).toString(16);
      if (kind === "d" || kind === "i" || kind === "u") return String(Math.trunc(toNumber(value)));
      return show(value);
    },
  );
}

/** `"{} of {}".format(…)`. */
function formatBraces(text: string, values: readonly Value[]): string {
  let next = 0;
  return text.replaceAll(/\{(\d*)(?::[^}]*)?\}/g, (_all, index) => {
    return show(values[index === "" ? next++ : Number(index)] ?? null);
  });
}
