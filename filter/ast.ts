/**
 * What the parser makes of a filter expression.
 *
 * @module
 */

import type { Span } from "./error.ts";
import type { ProtocolWord } from "./names.ts";

/** Which of a packet's two addresses or ports is meant; either unless told. */
export type Direction = "src" | "dst" | "src or dst" | "src and dst" | undefined;

/** What an address, number or name is; a host unless told. */
export type IdType = "host" | "net" | "port" | "portrange" | "proto" | undefined;

/** The words before an address, number or name. */
export interface Qualifier {
  readonly protocol: ProtocolWord | undefined;
  readonly direction: Direction;
  readonly type: IdType;
}

/** An address, number or name. */
export interface Id extends Span {
  readonly kind: "number" | "ip4" | "ip6" | "mac" | "name";
  readonly text: string;
  readonly value: number;
  readonly bytes: readonly number[];
  /** Bits of a network behind a slash. */
  readonly prefix?: number;
  /** Bytes of a network's mask. */
  readonly mask?: readonly number[];
}

/** Operators of arithmetic. */
export type Operator = "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^" | "<<" | ">>";

/** Signs of comparisons. */
export type Relation = "=" | "!=" | "<" | ">" | "<=" | ">=";

/** A number, as arithmetic over numbers and bytes of the packet. */
export type Arith =
  | Span & { readonly kind: "number"; readonly value: number }
  | Span & { readonly kind: "len" }
  | Span & { readonly kind: "negate"; readonly of: Arith }
  | Span & {
    readonly kind: "load";
    readonly protocol: ProtocolWord;
    readonly index: Arith;
    readonly bytes: 1 | 2 | 4;
  }
  | Span & {
    readonly kind: "binary";
    readonly operator: Operator;
    readonly left: Arith;
    readonly right: Arith;
  };

/** An expression that is true or false of a packet. */
export type Expr =
  | {
    /** Terms joined from left to right; `and` and `or` bind equally. */
    readonly kind: "chain";
    readonly first: Expr;
    readonly rest: readonly { readonly operator: "and" | "or"; readonly expr: Expr }[];
  }
  | { readonly kind: "not"; readonly of: Expr }
  | { readonly kind: "protocol"; readonly protocol: ProtocolWord; readonly span: Span }
  | { readonly kind: "id"; readonly qualifier: Qualifier; readonly id: Id }
  | {
    readonly kind: "broadcast" | "multicast";
    readonly protocol: ProtocolWord | undefined;
    readonly span: Span;
  }
  | { readonly kind: "less" | "greater"; readonly than: number }
  | { readonly kind: "vlan"; readonly id: number | undefined; readonly span: Span }
  | {
    readonly kind: "relation";
    readonly relation: Relation;
    readonly left: Arith;
    readonly right: Arith;
  };
