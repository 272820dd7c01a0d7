/**
 * How each instruction is written: the mnemonic and the form of its operand, as `tcpdump -d` prints
 * them.
 *
 * @module
 */

import { BpfCode } from "../assembly/abi/bpf.ts";

/** How an operand is written; `k` stands where the constant does. */
export type OperandForm =
  | ""
  | "x"
  | "k"
  | "#k"
  | "#0xk"
  | "#pktlen"
  | "[k]"
  | "[x + k]"
  | "M[k]"
  | "4*([k]&0xf)";

/** A mnemonic and the form of its operand. */
export interface Mnemonic {
  readonly name: string;
  readonly form: OperandForm;
}

/** Comparisons have two targets behind their operand. */
export const COMPARISONS: Readonly<Record<string, true>> = {
  jeq: true,
  jgt: true,
  jge: true,
  jset: true,
};

/** By code. */
export const MNEMONICS: ReadonlyMap<number, Mnemonic> = new Map(
  ([
    [BpfCode.LD_IMM, "ld", "#0xk"],
    [BpfCode.LD_W_ABS, "ld", "[k]"],
    [BpfCode.LD_H_ABS, "ldh", "[k]"],
    [BpfCode.LD_B_ABS, "ldb", "[k]"],
    [BpfCode.LD_W_IND, "ld", "[x + k]"],
    [BpfCode.LD_H_IND, "ldh", "[x + k]"],
    [BpfCode.LD_B_IND, "ldb", "[x + k]"],
    [BpfCode.LD_MEM, "ld", "M[k]"],
    [BpfCode.LD_LEN, "ld", "#pktlen"],
    [BpfCode.LDX_IMM, "ldx", "#0xk"],
    [BpfCode.LDX_MEM, "ldx", "M[k]"],
    [BpfCode.LDX_LEN, "ldx", "#pktlen"],
    [BpfCode.LDX_MSH, "ldxb", "4*([k]&0xf)"],
    [BpfCode.ST, "st", "M[k]"],
    [BpfCode.STX, "stx", "M[k]"],
    [BpfCode.ADD_K, "add", "#k"],
    [BpfCode.SUB_K, "sub", "#k"],
    [BpfCode.MUL_K, "mul", "#k"],
    [BpfCode.DIV_K, "div", "#k"],
    [BpfCode.OR_K, "or", "#0xk"],
    [BpfCode.AND_K, "and", "#0xk"],
    [BpfCode.LSH_K, "lsh", "#k"],
    [BpfCode.RSH_K, "rsh", "#k"],
    [BpfCode.NEG, "neg", ""],
    [BpfCode.MOD_K, "mod", "#k"],
    [BpfCode.XOR_K, "xor", "#0xk"],
    [BpfCode.ADD_X, "add", "x"],
    [BpfCode.SUB_X, "sub", "x"],
    [BpfCode.MUL_X, "mul", "x"],
    [BpfCode.DIV_X, "div", "x"],
    [BpfCode.OR_X, "or", "x"],
    [BpfCode.AND_X, "and", "x"],
    [BpfCode.LSH_X, "lsh", "x"],
    [BpfCode.RSH_X, "rsh", "x"],
    [BpfCode.MOD_X, "mod", "x"],
    [BpfCode.XOR_X, "xor", "x"],
    [BpfCode.JA, "ja", "k"],
    [BpfCode.JEQ_K, "jeq", "#0xk"],
    [BpfCode.JGT_K, "jgt", "#0xk"],
    [BpfCode.JGE_K, "jge", "#0xk"],
    [BpfCode.JSET_K, "jset", "#0xk"],
    [BpfCode.JEQ_X, "jeq", "x"],
    [BpfCode.JGT_X, "jgt", "x"],
    [BpfCode.JGE_X, "jge", "x"],
    [BpfCode.JSET_X, "jset", "x"],
    [BpfCode.RET_K, "ret", "#k"],
    [BpfCode.RET_A, "ret", ""],
    [BpfCode.TAX, "tax", ""],
    [BpfCode.TXA, "txa", ""],
  ] as const).map(([code, name, form]) => [code, { name, form }]),
);
