/**
 * What the conditions on addresses and ports share.
 *
 * @module
 */

import type { Direction } from "./ast.ts";
import { and, type Cond, or } from "./cond.ts";
import type { FilterError, Span } from "./error.ts";
import type { Link } from "./link.ts";
import type { Service } from "./names.ts";

/** What names mean, and how a fault is told. */
export interface IdContext {
  readonly link: Link;
  /** Addresses by name. */
  readonly hosts: Readonly<Record<string, string | readonly string[]>>;
  /** Services beside those that are known. */
  readonly services: Readonly<Record<string, number | Service>>;
  /** The error to throw. */
  fail(span: Span, reason: string): FilterError;
}

/** An IPv4 address and the mask that belongs to it, as numbers. */
export interface Address4 {
  readonly address: number;
  readonly mask: number;
}

/** Bytes of an IPv4 address as a number; if there are fewer than four, with a mask. */
export function address4(bytes: readonly number[]): Address4 {
  const all = [0, 1, 2, 3].map((i) => bytes[i] ?? 0);
  const address = all.reduce((sum, byte) => sum * 256 + byte);
  return { address, mask: prefixMask(8 * bytes.length) };
}

/** The mask of a prefix of 0 to 32 bits. */
export function prefixMask(bits: number): number {
  return bits === 0 ? 0 : -1 << (32 - bits) >>> 0;
}

/** A condition on the source, the destination, either or both. */
export function genDirection(direction: Direction, at: (which: "src" | "dst") => Cond): Cond {
  if (direction === "src" || direction === "dst") return at(direction);
  const both = [at("src"), at("dst")];
  return direction === "src and dst" ? and(...both) : or(...both);
}
