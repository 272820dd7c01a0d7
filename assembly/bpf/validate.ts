/**
 * The verifier of classic BPF: the rules of Linux's sk_chk_filter and BSD's bpf_validate. What it
 * lets through ends, reads no scratch memory that was not written, and never divides by a constant
 * 0. All jumps lead forward, so one pass from the first instruction to the last sees every way.
 */
import { BpfAd, BpfCode, BpfFault, BpfLimit } from "../abi/bpf";
import { BpfInsn } from "./insn_t";

/** Bytes of work space that a program of so many instructions needs. */
export function workBytes(count: u32): u32 {
  return 2 * count;
}

/**
 * Looks at a program of `count` instructions, using `workBytes(count)` bytes at `work`.
 *
 * @returns 0 (BpfFault.NONE), or a BpfFault with the number of its instruction above the low 8 bits
 */
export function validate(insns: usize, count: u32, work: usize): u32 {
  if (count == 0) return BpfFault.EMPTY;
  if (count > u32(BpfLimit.INSNS)) return BpfFault.LONG;
  // For each instruction, the words that have been written on every way to it by a jump.
  memory.fill(work, 0xff, workBytes(count));
  let written: u32 = 0; // on the way from the instruction before
  for (let i: u32 = 0; i < count; i++) {
    const insn = changetype<BpfInsn>(insns + offsetof<BpfInsn>() * usize(i));
    const fault = check(insn, count - i - 1);
    if (fault) return (i << 8) | fault;
    written &= load<u16>(work + 2 * usize(i));
    const code: u32 = insn.code;
    if (code == BpfCode.ST || code == BpfCode.STX) written |= 1 << insn.k;
    else if (code == BpfCode.LD_MEM || code == BpfCode.LDX_MEM) {
      if (!(written & (1 << insn.k))) return (i << 8) | BpfFault.UNSET;
    } else if ((code & 7) == CLASS_JMP) {
      if (code == BpfCode.JA) reached(work, i + 1 + insn.k, written);
      else {
        reached(work, i + 1 + insn.jt, written);
        reached(work, i + 1 + insn.jf, written);
      }
      written = 0xffff;
    } else if ((code & 7) == CLASS_RET) written = 0xffff;
  }
  const last = changetype<BpfInsn>(insns + offsetof<BpfInsn>() * usize(count - 1));
  if ((last.code & 7) != CLASS_RET) return ((count - 1) << 8) | BpfFault.END;
  return BpfFault.NONE;
}

const CLASS_JMP: u32 = 5;
const CLASS_RET: u32 = 6;

/** A jump leads to instruction `i` with these words written. */
function reached(work: usize, i: u32, written: u32): void {
  const at = work + 2 * usize(i);
  store<u16>(at, u16(load<u16>(at) & written));
}

/** What is wrong with an instruction by itself; `rest` instructions stand behind it. */
function check(insn: BpfInsn, rest: u32): u32 {
  const k = insn.k;
  switch (<u32> insn.code) {
    case BpfCode.LD_W_ABS:
    case BpfCode.LD_H_ABS:
    case BpfCode.LD_B_ABS:
      return i32(k) < 0 && i32(k) >= BpfAd.OFF && !extension(i32(k)) ? BpfFault.EXTENSION : 0;
    case BpfCode.LD_MEM:
    case BpfCode.LDX_MEM:
    case BpfCode.ST:
    case BpfCode.STX:
      return k >= u32(BpfLimit.MEMWORDS) ? BpfFault.SCRATCH : 0;
    case BpfCode.DIV_K:
    case BpfCode.MOD_K:
      return k == 0 ? BpfFault.DIVISION : 0;
    case BpfCode.LSH_K:
    case BpfCode.RSH_K:
      return k > 31 ? BpfFault.SHIFT : 0;
    case BpfCode.JA:
      return k >= rest ? BpfFault.JUMP : 0;
    default:
      return plain(insn, rest);
  }
}

/** The same of an instruction whose constant may be anything. */
function plain(insn: BpfInsn, rest: u32): u32 {
  switch (<u32> insn.code) {
    case BpfCode.JEQ_K:
    case BpfCode.JGT_K:
    case BpfCode.JGE_K:
    case BpfCode.JSET_K:
    case BpfCode.JEQ_X:
    case BpfCode.JGT_X:
    case BpfCode.JGE_X:
    case BpfCode.JSET_X:
      return insn.jt >= rest || insn.jf >= rest ? BpfFault.JUMP : 0;
    case BpfCode.LD_IMM:
    case BpfCode.LD_W_IND:
    case BpfCode.LD_H_IND:
    case BpfCode.LD_B_IND:
    case BpfCode.LD_LEN:
    case BpfCode.LDX_IMM:
    case BpfCode.LDX_LEN:
    case BpfCode.LDX_MSH:
    case BpfCode.NEG:
    case BpfCode.RET_K:
    case BpfCode.RET_A:
    case BpfCode.TAX:
    case BpfCode.TXA:
      return 0;
    default:
      return twoOperands(insn.code) ? 0 : BpfFault.CODE;
  }
}

/** Arithmetic with the constant or with X, save what `check` and `plain` look at. */
function twoOperands(code: u32): bool {
  if ((code & 7) != 4) return false;
  const k = code & ~8;
  if (k == BpfCode.DIV_K || k == BpfCode.MOD_K || k == BpfCode.LSH_K || k == BpfCode.RSH_K) {
    return true; // with X, since those with the constant have been seen
  }
  return k <= u32(BpfCode.AND_K) || k == BpfCode.XOR_K;
}

/** Whether there is something at this place beyond SKF_AD_OFF. */
function extension(at: i32): bool {
  switch (at) {
    case BpfAd.PROTOCOL:
    case BpfAd.PKTTYPE:
    case BpfAd.IFINDEX:
    case BpfAd.HATYPE:
    case BpfAd.XOR_X:
    case BpfAd.VLAN_TAG:
    case BpfAd.VLAN_TAG_PRESENT:
    case BpfAd.VLAN_TPID:
      return true;
    default:
      return false;
  }
}
