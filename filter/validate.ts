/**
 * The verifier of classic BPF, with the rules of Linux's sk_chk_filter.
 *
 * @module
 */

import { BpfAd, BpfCode, BpfFault, BpfLimit } from "../assembly/abi/bpf.ts";
import { type Insn, type Program, ProgramError } from "./program.ts";

const COMPARISONS = new Set<number>([
  BpfCode.JEQ_K,
  BpfCode.JGT_K,
  BpfCode.JGE_K,
  BpfCode.JSET_K,
  BpfCode.JEQ_X,
  BpfCode.JGT_X,
  BpfCode.JGE_X,
  BpfCode.JSET_X,
]);

const RETURNS = new Set<number>([BpfCode.RET_K, BpfCode.RET_A]);

/** Instructions whose operand may be anything. */
const UNBOUND = new Set<number>([
  BpfCode.LD_IMM,
  BpfCode.LD_W_IND,
  BpfCode.LD_H_IND,
  BpfCode.LD_B_IND,
  BpfCode.LD_LEN,
  BpfCode.LDX_IMM,
  BpfCode.LDX_LEN,
  BpfCode.LDX_MSH,
  BpfCode.ADD_K,
  BpfCode.SUB_K,
  BpfCode.MUL_K,
  BpfCode.OR_K,
  BpfCode.AND_K,
  BpfCode.XOR_K,
  BpfCode.NEG,
  BpfCode.ADD_X,
  BpfCode.SUB_X,
  BpfCode.MUL_X,
  BpfCode.DIV_X,
  BpfCode.OR_X,
  BpfCode.AND_X,
  BpfCode.LSH_X,
  BpfCode.RSH_X,
  BpfCode.MOD_X,
  BpfCode.XOR_X,
  BpfCode.TAX,
  BpfCode.TXA,
]);

const EXTENSIONS = new Set<number>([
  BpfAd.PROTOCOL,
  BpfAd.PKTTYPE,
  BpfAd.IFINDEX,
  BpfAd.HATYPE,
  BpfAd.XOR_X,
  BpfAd.VLAN_TAG,
  BpfAd.VLAN_TAG_PRESENT,
  BpfAd.VLAN_TPID,
]);

/** All words of scratch memory, as bits. */
const ALL_WORDS = 2 ** BpfLimit.MEMWORDS - 1;

/** Throws a `ProgramError` for the first instruction that is wrong; answers nothing if none is. */
export function validateProgram(program: Program): void {
  if (program.length === 0) throw new ProgramError(0, BpfFault.EMPTY);
  if (program.length > BpfLimit.INSNS) throw new ProgramError(BpfLimit.INSNS, BpfFault.LONG);
  // Words of scratch memory that have been written on all ways to an instruction; all of them
  // where no way leads.
  const written = new Array<number>(program.length).fill(ALL_WORDS);
  written[0] = 0;
  program.forEach((insn, i) => {
    const fault = insnFault(insn, program.length - i - 1);
    if (fault !== BpfFault.NONE) throw new ProgramError(i, fault);
    const { code, k } = insn;
    const reads = code === BpfCode.LD_MEM || code === BpfCode.LDX_MEM;
    if (reads && !(written[i] & 1 << k)) throw new ProgramError(i, BpfFault.UNSET);
    const stores = code === BpfCode.ST || code === BpfCode.STX;
    const after = stores ? written[i] | 1 << k : written[i];
    for (const next of successors(insn, i)) if (next < program.length) written[next] &= after;
  });
  const last = program.length - 1;
  if (!RETURNS.has(program[last].code)) throw new ProgramError(last, BpfFault.END);
}

/** Where the program may go on after instruction `i`. */
export function successors({ code, jt, jf, k }: Insn, i: number): number[] {
  if (RETURNS.has(code)) return [];
  if (code === BpfCode.JA) return [i + 1 + k];
  if (COMPARISONS.has(code)) return [i + 1 + jt, i + 1 + jf];
  return [i + 1];
}

/** What is wrong with an instruction by itself, before `rest` others. */
function insnFault({ code, jt, jf, k }: Insn, rest: number): BpfFault {
  if (COMPARISONS.has(code)) return Math.max(jt, jf) >= rest ? BpfFault.JUMP : BpfFault.NONE;
  if (UNBOUND.has(code) || RETURNS.has(code)) return BpfFault.NONE;
  switch (code) {
    case BpfCode.LD_W_ABS:
    case BpfCode.LD_H_ABS:
    case BpfCode.LD_B_ABS: {
      const place = k | 0;
      const beside = place < 0 && place >= BpfAd.OFF;
      return beside && !EXTENSIONS.has(place) ? BpfFault.EXTENSION : BpfFault.NONE;
    }
    case BpfCode.LD_MEM:
    case BpfCode.LDX_MEM:
    case BpfCode.ST:
    case BpfCode.STX:
      return k >= BpfLimit.MEMWORDS ? BpfFault.SCRATCH : BpfFault.NONE;
    case BpfCode.DIV_K:
    case BpfCode.MOD_K:
      return k === 0 ? BpfFault.DIVISION : BpfFault.NONE;
    case BpfCode.LSH_K:
    case BpfCode.RSH_K:
      return k > 31 ? BpfFault.SHIFT : BpfFault.NONE;
    case BpfCode.JA:
      return k >= rest ? BpfFault.JUMP : BpfFault.NONE;
    default:
      return BpfFault.CODE;
  }
}
