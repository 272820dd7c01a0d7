/**
 * The values that stand in system calls, and the names behind numbers.
 *
 * @module
 */

import type { Expr, Field } from "./ast.ts";
import { ScriptError, Unsupported } from "./errors.ts";
import { errnoName } from "../runtime/errors.ts";
import { ALL_SYMBOLS, ERRNO_SYMBOLS, type Symbols } from "./symbols.ts";

/** The number that an expression stands for. */
export function toNumber(expr: Expr | undefined): number {
  switch (expr?.kind) {
    case "number":
      return expr.value;
    case "word":
      return symbol(expr.name);
    case "or":
      return expr.items.reduce((sum, item) => (sum | toNumber(item)) >>> 0, 0);
    case "apply":
      if (expr.name === "htons" || expr.name === "htonl") return toNumber(expr.args[0]);
      throw new Unsupported(`${expr.name}() in arguments`);
    case "list":
      if (expr.items.length === 1) return toNumber(expr.items[0]);
      throw new ScriptError("a number was expected, not a list");
    default:
      throw new ScriptError(`a number was expected, not ${describe(expr)}`);
  }
}

function symbol(name: string): number {
  const value = ALL_SYMBOLS[name];
  if (value === undefined) throw new Unsupported(`the symbol ${name}`);
  return value;
}

function describe(expr: Expr | undefined): string {
  if (expr === undefined) return "nothing";
  return expr.kind === "ellipsis" ? "..." : expr.kind === "string" ? "a string" : `a ${expr.kind}`;
}

/** True for `...`, `NULL` and nothing at all: the interpreter supplies the value. */
export function isSupplied(expr: Expr | undefined): boolean {
  return expr === undefined || expr.kind === "ellipsis" ||
    (expr.kind === "word" && expr.name === "NULL");
}

/** The number, or what is supplied if the script leaves it open. */
export function numberOr(expr: Expr | undefined, otherwise: number): number {
  return isSupplied(expr) ? otherwise : toNumber(expr!);
}

/** Name of an option or level: the script's word, or the one its number has in `table`. */
export function nameOf(expr: Expr | undefined, table: Symbols): string {
  if (expr?.kind === "word") return expr.name;
  const value = toNumber(expr);
  return Object.keys(table).find((name) => table[name] === value) ?? `number ${value}`;
}

/** Names of the flags in an expression; numbers are taken apart by `table`. */
export function flagNames(expr: Expr | undefined, table: Symbols): string[] {
  if (expr === undefined || isSupplied(expr)) return [];
  if (expr.kind === "or") return expr.items.flatMap((item) => flagNames(item, table));
  if (expr.kind === "word") return [expr.name];
  const value = toNumber(expr);
  const names = Object.keys(table).filter((name) => (value & table[name]) !== 0);
  const known = names.reduce((sum, name) => sum | table[name], 0);
  if (value & ~known) throw new Unsupported(`the flags 0x${value.toString(16)}`);
  return names;
}

/** The fields of a record. */
export function fieldsOf(expr: Expr | undefined): readonly Field[] {
  if (expr?.kind === "list" && expr.items.length === 1) return fieldsOf(expr.items[0]);
  if (expr?.kind !== "record") throw new ScriptError("a record in braces was expected");
  return expr.fields;
}

/** A number of a record, by name or else by its place. */
export function numberIn(fields: readonly Field[], name: string, place: number): number {
  return toNumber(fieldOf(fields, name) ?? fields[place]?.value);
}

/** A field of a record. */
export function fieldOf(fields: readonly Field[], name: string): Expr | undefined {
  return fields.find((field) => field.name === name)?.value;
}

const ALIASES: Readonly<Record<string, string>> = { EWOULDBLOCK: "EAGAIN", ENOTSUP: "EOPNOTSUPP" };

/** True if two names mean the same error. */
export function sameErrno(a: string, b: string): boolean {
  return (ALIASES[a] ?? a) === (ALIASES[b] ?? b);
}

/** Name of an error that a script gives by name, or by Linux's number. */
export function errnoOf(expr: Expr | undefined): string {
  if (expr?.kind === "word") return expr.name;
  if (expr?.kind === "list" && expr.items.length === 1) return errnoOf(expr.items[0]);
  const value = toNumber(expr);
  if (value === 0) return "OK";
  return Object.keys(ERRNO_SYMBOLS).find((name) => ERRNO_SYMBOLS[name] === value) ?? `E${value}`;
}

/** Name of an error number of the stack. */
export function stackErrno(errno: number): string {
  return errno === 0 ? "OK" : errnoName(errno);
}
