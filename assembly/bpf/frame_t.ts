import { BpfLimit } from "../abi/bpf";
import { Mbuf } from "../sys/mbuf_t";

/**
 * A packet to be filtered, and what is known of it beside its bytes. The 16 words of scratch memory
 * stand behind the struct, so whoever keeps one has to make room for `FRAME_BYTES`.
 */
@unmanaged
@final
export class BpfFrame {
  m: Mbuf; // the chain that has it
  base: u32; // offset in the chain of the byte that a load at 0 finds
  len: u32; // bytes that can be loaded, counted from there
  wire: u32; // bytes the packet has by itself: what LD_LEN answers
  link: i32; // offset in the chain of the link header; -1 if it is not there
  net: i32; // the same for the network header
  ifindex: u32; // 0: none
  protocol: u16; // ethertype
  hatype: u16; // hardware type of the interface (RFC 826)
  vlan_tci: u16; // tag that was taken out of the frame (IEEE 802.1Q)
  vlan_tpid: u16; // its ethertype
  vlan_present: u8; // 1 if there was one
  pkttype: u8; // for whom the packet was
}

/** Bytes of a BpfFrame with its scratch memory. */
export const FRAME_BYTES: usize = offsetof<BpfFrame>() + 4 * BpfLimit.MEMWORDS;

/** Address of the scratch memory. */
export function scratch(f: BpfFrame): usize {
  return changetype<usize>(f) + offsetof<BpfFrame>();
}
