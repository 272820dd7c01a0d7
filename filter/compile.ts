/**
 * The compiler of filter expressions.
 *
 * @module
 */

import { TRUE } from "./cond.ts";
import { emit, TooComplex } from "./emit.ts";
import { FilterError } from "./error.ts";
import { generate, parseNetmask } from "./gen.ts";
import { simplify, toGraph } from "./graph.ts";
import { FilterLinktype } from "./link.ts";
import type { Service } from "./names.ts";
import { parse } from "./parser.ts";
import type { Insn } from "./program.ts";
import { validateProgram } from "./validate.ts";

/** What a filter is compiled for. */
export interface FilterOptions {
  /** What packets begin with: a number of `FilterLinktype`; Ethernet unless told. */
  readonly linktype?: number;
  /** Byte order of the address family before packets of link type NULL; little unless told. */
  readonly littleEndian?: boolean;
  /** What the program answers for packets that match; 262144 unless told. */
  readonly snaplen?: number;
  /**
   * Mask of the network, for `ip broadcast`. Unless told only 255.255.255.255 and 0.0.0.0 count as
   * broadcasts.
   */
  readonly netmask?: string;
  /** Addresses of hosts by name. No name is looked up anywhere else. */
  readonly hosts?: Readonly<Record<string, string | readonly string[]>>;
  /** Ports of services by name, beside and before the known ones. */
  readonly services?: Readonly<Record<string, number | Service>>;
  /** False to leave the program as it was written, without making it shorter. */
  readonly optimize?: boolean;
}

const SNAPLEN = 262_144;

/**
 * Compiles an expression of tcpdump's language. Text without words matches every packet; what can
 * match no packet compiles to a program that rejects them all.
 *
 * @throws FilterError for an expression that has a fault; RangeError for options out of range
 */
export function compileFilter(expression: string, options: FilterOptions = {}): Insn[] {
  const { snaplen = SNAPLEN, netmask = "0.0.0.0" } = options;
  if (!Number.isInteger(snaplen) || snaplen < 1 || snaplen > 0xffffffff) {
    throw new RangeError(`snaplen must be a whole number from 1 to 4294967295, not ${snaplen}`);
  }
  const settings = {
    linktype: options.linktype ?? FilterLinktype.ETHERNET,
    littleEndian: options.littleEndian ?? true,
    netmask: parseNetmask(netmask),
    hosts: options.hosts ?? {},
    services: options.services ?? {},
  };
  const expr = parse(expression);
  const cond = expr ? generate(expression, expr, settings) : TRUE;
  const graph = toGraph(cond);
  try {
    const program = emit(options.optimize === false ? graph : simplify(graph), snaplen);
    validateProgram(program);
    return program;
  } catch (error) {
    if (!(error instanceof TooComplex)) throw error;
    throw new FilterError(expression, { at: 0, length: expression.length }, error.message);
  }
}
