/**
 * Instructions of classic BPF as they are in `struct sock_filter` and `struct bpf_insn`. What a
 * name says: what is loaded or done, how wide (W 4, H 2, B 1 bytes), and where the operand is: K
 * the constant, X the register, ABS the packet at k, IND the packet at x + k, MEM the scratch
 * memory.
 */
export const enum BpfCode {
  LD_IMM = 0x00, // A = k
  LD_W_ABS = 0x20, // A = 4 bytes at k
  LD_H_ABS = 0x28, // A = 2 bytes at k
  LD_B_ABS = 0x30, // A = the byte at k
  LD_W_IND = 0x40, // A = 4 bytes at x + k
  LD_H_IND = 0x48, // A = 2 bytes at x + k
  LD_B_IND = 0x50, // A = the byte at x + k
  LD_MEM = 0x60, // A = M[k]
  LD_LEN = 0x80, // A = length on the wire
  LDX_IMM = 0x01, // X = k
  LDX_MEM = 0x61, // X = M[k]
  LDX_LEN = 0x81, // X = length on the wire
  LDX_MSH = 0xb1, // X = 4 * (the byte at k & 0xf): length of an IPv4 header
  ST = 0x02, // M[k] = A
  STX = 0x03, // M[k] = X
  ADD_K = 0x04, // A += k
  SUB_K = 0x14, // A -= k
  MUL_K = 0x24, // A *= k
  DIV_K = 0x34, // A /= k, unsigned
  OR_K = 0x44, // A |= k
  AND_K = 0x54, // A &= k
  LSH_K = 0x64, // A <<= k
  RSH_K = 0x74, // A >>= k
  NEG = 0x84, // A = -A
  MOD_K = 0x94, // A %= k
  XOR_K = 0xa4, // A ^= k
  ADD_X = 0x0c, // A += X
  SUB_X = 0x1c, // A -= X
  MUL_X = 0x2c, // A *= X
  DIV_X = 0x3c, // A /= X; X = 0 rejects the packet
  OR_X = 0x4c, // A |= X
  AND_X = 0x5c, // A &= X
  LSH_X = 0x6c, // A <<= X; 0 from X = 32 on
  RSH_X = 0x7c, // A >>= X; 0 from X = 32 on
  MOD_X = 0x9c, // A %= X; X = 0 rejects the packet
  XOR_X = 0xac, // A ^= X
  JA = 0x05, // skips k instructions
  JEQ_K = 0x15, // A == k: skips jt instructions, else jf
  JGT_K = 0x25, // A > k
  JGE_K = 0x35, // A >= k
  JSET_K = 0x45, // A & k
  JEQ_X = 0x1d, // A == X
  JGT_X = 0x2d, // A > X
  JGE_X = 0x3d, // A >= X
  JSET_X = 0x4d, // A & X
  RET_K = 0x06, // answers k: bytes of the packet to keep, 0 to reject it
  RET_A = 0x16, // answers A
  TAX = 0x07, // X = A
  TXA = 0x87, // A = X
}

/** Sizes of classic BPF. */
export const enum BpfLimit {
  INSNS = 4096, // instructions of a program (BPF_MAXINSNS)
  MEMWORDS = 16, // words of scratch memory
  INSN_BYTES = 8, // bytes of an instruction
}

/**
 * Where absolute loads find what is not in the packet, as on Linux (SKF_AD_OFF and its relatives).
 * Only what is named here is there; the verifier refuses the others.
 */
export const enum BpfAd {
  PROTOCOL = -4096, // ethertype of the packet
  PKTTYPE = -4092, // for whom it was: the packet type of a packet socket's address
  IFINDEX = -4088, // index of the interface; without one the packet is rejected
  HATYPE = -4068, // hardware type of the interface
  XOR_X = -4056, // A ^= X: nothing is loaded
  VLAN_TAG = -4052, // tag that was taken out of the frame, 0 if there was none
  VLAN_TAG_PRESENT = -4048, // 1 if a tag was taken out
  VLAN_TPID = -4036, // ethertype of that tag
  OFF = -4096, // SKF_AD_OFF
  NET_OFF = -1048576, // SKF_NET_OFF: relative to the network header
  LL_OFF = -2097152, // SKF_LL_OFF: relative to the link header
}

/** What the verifier finds wrong with a program. */
export const enum BpfFault {
  NONE = 0, // the program is sound
  EMPTY = 1, // no instructions
  LONG = 2, // more than 4096 instructions
  CODE = 3, // no such instruction
  JUMP = 4, // a jump out of the program
  SCRATCH = 5, // scratch memory has 16 words
  UNSET = 6, // scratch memory is read that may not have been written
  DIVISION = 7, // a division by the constant 0
  SHIFT = 8, // a shift by more than 31
  EXTENSION = 9, // a load from an extension that does not exist
  END = 10, // the last instruction does not return
}
