/**
 * Makes conditions of what the parser has understood.
 *
 * @module
 */

import type { Arith, Expr, Operator } from "./ast.ts";
import { and, type Cond, Conds, not, or } from "./cond.ts";
import { FilterError, type Span } from "./error.ts";
import { address4, type IdContext } from "./gen_context.ts";
import { genId } from "./gen_id.ts";
import { isProtocol, isUnfragmented } from "./gen_proto.ts";
import { Ethertype, Link } from "./link.ts";
import { Op, type OpBits, type Value } from "./value.ts";

/** What a filter is compiled for. */
export interface GenOptions extends Pick<IdContext, "hosts" | "services"> {
  readonly linktype: number;
  readonly littleEndian: boolean;
  /** Mask of the network, for `ip broadcast`. */
  readonly netmask: number;
}

const VLAN_ID_MAX = 4095;
const GROUP_BIT = 1;
const OPERATIONS: Readonly<Record<Operator, OpBits>> = {
  "+": Op.ADD,
  "-": Op.SUB,
  "*": Op.MUL,
  "/": Op.DIV,
  "%": Op.MOD,
  "&": Op.AND,
  "|": Op.OR,
  "^": Op.XOR,
  "<<": Op.LSH,
  ">>": Op.RSH,
};
/** Length of an IPv6 header without extensions (RFC 8200 section 3). */
const IP6_HEADER_BYTES = 40;
/** Next header of ICMPv6 (RFC 4443 section 1). */
const ICMP6 = 58;

/** The condition that an expression means. */
export function generate(text: string, expr: Expr, options: GenOptions): Cond {
  return new Generator(text, options).expr(expr);
}

class Generator {
  readonly #text: string;
  readonly #conds = new Conds();
  readonly #link: Link;
  readonly #ids: IdContext;
  readonly #netmask: number;

  constructor(text: string, { linktype, littleEndian, netmask, ...names }: GenOptions) {
    this.#text = text;
    this.#link = new Link(this.#conds, linktype, littleEndian);
    this.#netmask = netmask;
    this.#ids = { ...names, link: this.#link, fail: (span, reason) => this.#error(span, reason) };
  }

  #error(span: Span, reason: string): FilterError {
    return new FilterError(this.#text, span, reason);
  }

  /** Terms are generated in the order of the text, since VLAN tags move what comes later. */
  expr(expr: Expr): Cond {
    switch (expr.kind) {
      case "chain": {
        let cond = this.expr(expr.first);
        for (const { operator, expr: next } of expr.rest) {
          const more = this.expr(next);
          cond = operator === "and" ? and(cond, more) : or(cond, more);
        }
        return cond;
      }
      case "not":
        return not(this.expr(expr.of));
      case "protocol":
        if (expr.protocol === "ether") {
          throw this.#error(expr.span, "expected host, proto or [ behind it");
        }
        return isProtocol(this.#link, expr.protocol);
      case "id":
        return genId(this.#ids, expr.qualifier, expr.id);
      case "broadcast":
        return this.#broadcast(expr.protocol, expr.span);
      case "multicast":
        return this.#multicast(expr.protocol, expr.span);
      case "less":
        return not(this.#conds.gt(this.#conds.values.length(), expr.than));
      case "greater":
        return this.#conds.ge(this.#conds.values.length(), expr.than);
      case "vlan":
        return this.#vlan(expr.id, expr.span);
      default:
        return this.#relation(expr);
    }
  }

  #broadcast(protocol: string | undefined, span: Span): Cond {
    const link = this.#link;
    if (protocol === "ip") {
      const host = ~this.#netmask >>> 0;
      const to = link.payload(16, 4);
      const ones = this.#conds.masked(to, host, host);
      return and(link.isType(Ethertype.IP), or(this.#conds.masked(to, host, 0), ones));
    }
    if (protocol !== undefined && protocol !== "ether") {
      throw this.#error(span, "only ether and ip have broadcasts");
    }
    if (!link.ethernet) throw this.#error(span, "this link has no broadcasts");
    return and(
      this.#conds.eq(link.header(2, 4), 0xffffffff),
      this.#conds.eq(link.header(0, 2), 0xffff),
    );
  }

  #multicast(protocol: string | undefined, span: Span): Cond {
    const link = this.#link;
    // RFC 1112 section 4 and RFC 4291 section 2.7: what group addresses begin with
    if (protocol === "ip") {
      return and(link.isType(Ethertype.IP), this.#conds.ge(link.payload(16, 1), 224));
    }
    if (protocol === "ip6") {
      return and(link.isType(Ethertype.IP6), this.#conds.eq(link.payload(24, 1), 255));
    }
    if (protocol !== undefined && protocol !== "ether") {
      throw this.#error(span, "only ether, ip and ip6 have multicasts");
    }
    if (!link.ethernet) throw this.#error(span, "this link has no multicasts");
    return this.#conds.set(link.header(0, 1), GROUP_BIT);
  }

  #vlan(id: number | undefined, span: Span): Cond {
    if (!this.#link.ethernet) throw this.#error(span, "this link has no VLANs");
    if (id !== undefined && id > VLAN_ID_MAX) {
      throw this.#error(span, `a VLAN has a number up to ${VLAN_ID_MAX}, unlike ${id}`);
    }
    return this.#link.vlan(id);
  }

  /** The headers that are read must be there: that is asked first. */
  #relation({ relation, left, right }: Expr & { kind: "relation" }): Cond {
    const guards: Cond[] = [];
    const a = this.#value(left, guards);
    const b = this.#value(right, guards);
    const conds = this.#conds;
    const holds = {
      "=": () => conds.eq(a, b),
      "!=": () => not(conds.eq(a, b)),
      ">": () => conds.gt(a, b),
      "<=": () => not(conds.gt(a, b)),
      ">=": () => conds.ge(a, b),
      "<": () => not(conds.ge(a, b)),
    }[relation]();
    return and(...guards, holds);
  }

  #value(arith: Arith, guards: Cond[]): Value {
    const { values } = this.#conds;
    switch (arith.kind) {
      case "number":
        return values.constant(arith.value);
      case "len":
        return values.length();
      case "negate":
        return values.negate(this.#value(arith.of, guards));
      case "load":
        return this.#load(arith, guards);
      default:
        return this.#operation(arith, guards);
    }
  }

  #operation(arith: Arith & { kind: "binary" }, guards: Cond[]): Value {
    const { operator, right: span } = arith;
    const left = this.#value(arith.left, guards);
    // As in tcpdump, of arithmetic only the first operand says which headers must be there.
    const right = this.#value(arith.right, []);
    if (right.kind === "constant") {
      const divides = operator === "/" || operator === "%";
      if (divides && right.k === 0) throw this.#error(span, "a division by 0");
      const shifts = operator === "<<" || operator === ">>";
      if (shifts && right.k > 31) throw this.#error(span, "a shift by more than 31 bits");
    }
    return this.#conds.values.operation(OPERATIONS[operator], left, right);
  }

  #load(arith: Arith & { kind: "load" }, guards: Cond[]): Value {
    const { protocol, bytes } = arith;
    const link = this.#link;
    const inner: Cond[] = [];
    const index = this.#value(arith.index, inner);
    const at = (from: number): Value => {
      if (index.kind === "constant" && index.k + from >= 2 ** 31) {
        throw this.#error(arith.index, "an offset that no packet has");
      }
      return this.#conds.values.load(bytes, from, index);
    };
    switch (protocol) {
      case "ether":
        guards.push(...inner);
        return at(0);
      case "ip":
      case "arp":
      case "rarp":
      case "ip6":
        guards.push(...inner, isProtocol(link, protocol));
        return at(link.payloadAt);
      case "icmp6": {
        const is = this.#conds.eq(link.payload(6, 1), ICMP6);
        guards.push(...inner, link.isType(Ethertype.IP6), is);
        return at(link.payloadAt + IP6_HEADER_BYTES);
      }
      default:
        // only IPv4 has a header whose length is known without a walk
        guards.push(
          link.isType(Ethertype.IP),
          ...inner,
          isProtocol(link, protocol),
          isUnfragmented(link),
        );
        if (index.kind === "constant") at(0);
        return link.transportAt(index, bytes);
    }
  }
}

/** Number of an IPv4 address as text, for options; `RangeError` for another text. */
export function parseNetmask(netmask: string): number {
  const bytes = netmask.split(".").map(Number);
  const whole = bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
  if (bytes.length !== 4 || !whole) throw new RangeError(`netmask must be a mask, not ${netmask}`);
  return address4(bytes).address;
}
