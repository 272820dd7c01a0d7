/**
 * The interpreter of classic BPF. It runs programs that `validate` has found sound: these only jump
 * forward, so a program ends after as many steps as it has instructions at most.
 *
 * Where Linux and BSD differ, it is BSD: a load out of the packet rejects it, a sum of x and k
 * beyond 32 bits is such a load, and a shift by 32 or more leaves 0.
 */
import { BpfAd, BpfCode } from "../abi/bpf";
import { BpfFrame, scratch } from "./frame_t";
import { BpfInsn } from "./insn_t";
import { absolute, header, indirect } from "./load";

/** Bit of a code that says that the operand is X. */
const SRC_X: u32 = 0x08;
/** Bits of a code that name the operation of an ALU or jump instruction. */
const OP: u32 = 0xf0;

/** Classes of instructions: the low three bits of a code. */
const enum Class {
  ALU = 4,
  JMP = 5,
}

/** Runs a program over a packet: bytes of it to keep, 0 to reject it. */
export function run(insns: usize, f: BpfFrame): u32 {
  const mem = scratch(f);
  let at = insns;
  let a: u32 = 0;
  let x: u32 = 0;
  while (true) {
    const insn = changetype<BpfInsn>(at);
    at += offsetof<BpfInsn>();
    const code: u32 = insn.code;
    const k = insn.k;
    const cls = code & 7;
    if (cls == Class.JMP) {
      at += offsetof<BpfInsn>() * usize(skip(insn, code, a, x));
    } else if (cls == Class.ALU) {
      const by = code & SRC_X ? x : k;
      if (by == 0 && divides(code)) return 0;
      a = alu(code & OP, a, by);
    } else if (code == BpfCode.RET_K) return k;
    else if (code == BpfCode.RET_A) return a;
    else if (code == BpfCode.TAX) x = a;
    else if (code == BpfCode.TXA) a = x;
    else if (code == BpfCode.ST) store<u32>(mem + 4 * usize(k), a);
    else if (code == BpfCode.STX) store<u32>(mem + 4 * usize(k), x);
    else if (code == BpfCode.LDX_IMM) x = k;
    else if (code == BpfCode.LDX_MEM) x = load<u32>(mem + 4 * usize(k));
    else if (code == BpfCode.LDX_LEN) x = f.wire;
    else if (code == BpfCode.LDX_MSH) {
      const byte = i32(k) >= 0 ? absolute(f, k, 1) : header(f, i32(k), 1);
      if (byte < 0) return 0;
      x = (u32(byte) & 15) << 2;
    } else if (code == BpfCode.LD_IMM) a = k;
    else if (code == BpfCode.LD_MEM) a = load<u32>(mem + 4 * usize(k));
    else if (code == BpfCode.LD_LEN) a = f.wire;
    else {
      const value = packet(f, code, k, a, x);
      if (value < 0) return 0;
      a = u32(value);
    }
  }
}

/** What a load from the packet leaves in A, or -1. */
function packet(f: BpfFrame, code: u32, k: u32, a: u32, x: u32): i64 {
  switch (code) {
    case BpfCode.LD_W_ABS:
    case BpfCode.LD_H_ABS:
    case BpfCode.LD_B_ABS:
      if (i32(k) == BpfAd.XOR_X) return i64(a ^ x);
      return absolute(f, k, width(code));
    default:
      return indirect(f, x, k, width(code));
  }
}

/** Bytes that a load takes: W is 4, H is 2, B is 1. */
function width(code: u32): u32 {
  return 4 >> ((code >> 3) & 3);
}

function divides(code: u32): bool {
  const op = code & OP;
  return op == (BpfCode.DIV_K & OP) || op == (BpfCode.MOD_K & OP);
}

/** A after an operation of the arithmetic unit; no division by 0 comes here. */
function alu(op: u32, a: u32, by: u32): u32 {
  switch (op) {
    case BpfCode.ADD_K & OP:
      return a + by;
    case BpfCode.SUB_K & OP:
      return a - by;
    case BpfCode.MUL_K & OP:
      return a * by;
    case BpfCode.DIV_K & OP:
      return a / by;
    case BpfCode.MOD_K & OP:
      return a % by;
    case BpfCode.OR_K & OP:
      return a | by;
    case BpfCode.AND_K & OP:
      return a & by;
    case BpfCode.XOR_K & OP:
      return a ^ by;
    case BpfCode.LSH_K & OP:
      return by < 32 ? a << by : 0;
    case BpfCode.RSH_K & OP:
      return by < 32 ? a >> by : 0;
    default:
      return 0 - a; // NEG
  }
}

/** Instructions that a jump skips. */
function skip(insn: BpfInsn, code: u32, a: u32, x: u32): u32 {
  if (code == BpfCode.JA) return insn.k;
  const by = code & SRC_X ? x : insn.k;
  const op = code & OP;
  let holds: bool;
  if (op == (BpfCode.JEQ_K & OP)) holds = a == by;
  else if (op == (BpfCode.JGT_K & OP)) holds = a > by;
  else if (op == (BpfCode.JGE_K & OP)) holds = a >= by;
  else holds = (a & by) != 0;
  return holds ? u32(insn.jt) : u32(insn.jf);
}
