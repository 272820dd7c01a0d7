/** One instruction: `struct sock_filter` of Linux, `struct bpf_insn` of BSD. */
@unmanaged
@final
export class BpfInsn {
  code: u16; // BpfCode
  jt: u8; // instructions to skip if a comparison holds
  jf: u8; // and if it does not
  k: u32; // the operand
}
