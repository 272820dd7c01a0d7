/**
 * Programs of classic BPF.
 *
 * @module
 */

import { BpfFault, BpfLimit } from "../assembly/abi/bpf.ts";

/** One instruction: `struct sock_filter` of Linux, `struct bpf_insn` of BSD. */
export interface Insn {
  /** What to do: a `BpfCode`. */
  readonly code: number;
  /** Instructions to skip if a comparison holds, 0 to 255. */
  readonly jt: number;
  /** Instructions to skip if it does not, 0 to 255. */
  readonly jf: number;
  /** The operand, 0 to 2^32 - 1. */
  readonly k: number;
}

/** Instructions in order; the first one begins. */
export type Program = readonly Insn[];

/** A program that may not be run. */
export class ProgramError extends Error {
  /** `ProgramError` */
  override readonly name = "ProgramError";
  /** Number of the instruction that is wrong, from 0. */
  readonly index: number;
  /** What is wrong: a `BpfFault`. */
  readonly fault: number;

  /** The message names the instruction. */
  constructor(index: number, fault: number) {
    super(`bad filter program at instruction ${index}: ${faultText(fault)}`);
    this.index = index;
    this.fault = fault;
  }
}

function faultText(fault: number): string {
  switch (fault) {
    case BpfFault.EMPTY:
      return "there are no instructions";
    case BpfFault.LONG:
      return `more than ${BpfLimit.INSNS} instructions`;
    case BpfFault.CODE:
      return "no such instruction";
    case BpfFault.JUMP:
      return "a jump out of the program";
    case BpfFault.SCRATCH:
      return `scratch memory has ${BpfLimit.MEMWORDS} words`;
    case BpfFault.UNSET:
      return "reads scratch memory that may not have been written";
    case BpfFault.DIVISION:
      return "a division by 0";
    case BpfFault.SHIFT:
      return "a shift by more than 31";
    case BpfFault.EXTENSION:
      return "a load from an extension that does not exist";
    default:
      return "the last instruction does not return";
  }
}

/** The bytes of a program as `struct sock_filter` has them on a little-endian machine. */
export function encodeProgram(program: Program): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(program.length * BpfLimit.INSN_BYTES);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jt, jf, k }, i) => {
    const at = i * BpfLimit.INSN_BYTES;
    view.setUint16(at, code, true);
    bytes[at + 2] = jt;
    bytes[at + 3] = jf;
    view.setUint32(at + 4, k, true);
  });
  return bytes;
}

/** The program that `encodeProgram` wrote; a `RangeError` unless all instructions are whole. */
export function decodeProgram(bytes: Uint8Array): Insn[] {
  if (bytes.length % BpfLimit.INSN_BYTES !== 0) {
    throw new RangeError(`instructions have ${BpfLimit.INSN_BYTES} bytes, these ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / BpfLimit.INSN_BYTES }, (_, i) => {
    const at = i * BpfLimit.INSN_BYTES;
    return {
      code: view.getUint16(at, true),
      jt: view.getUint8(at + 2),
      jf: view.getUint8(at + 3),
      k: view.getUint32(at + 4, true),
    };
  });
}
