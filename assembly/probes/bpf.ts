/** Lets tests verify and run filters. */
import { BpfFrame, FRAME_BYTES } from "../bpf/frame_t";
import { Mbuf } from "../sys/mbuf_t";

export { run as probe_bpf_run } from "../bpf/filter";
export { validate as probe_bpf_validate } from "../bpf/validate";

/** Bytes that a frame takes. */
export function probe_bpf_frame_bytes(): usize {
  return FRAME_BYTES;
}

/** Describes a packet at `frame`: the chain, and which of its bytes are the packet. */
export function probe_bpf_frame(
  frame: usize,
  m: usize,
  base: u32,
  len: u32,
  wire: u32,
  link: i32,
  net: i32,
): void {
  const f = changetype<BpfFrame>(frame);
  f.m = changetype<Mbuf>(m);
  f.base = base;
  f.len = len;
  f.wire = wire;
  f.link = link;
  f.net = net;
}

/** And what is known of it beside its bytes. */
export function probe_bpf_beside(
  frame: usize,
  ifindex: u32,
  protocol: u32,
  hatype: u32,
  pkttype: u32,
  vlanPresent: u32,
  vlanTci: u32,
  vlanTpid: u32,
): void {
  const f = changetype<BpfFrame>(frame);
  f.ifindex = ifindex;
  f.protocol = u16(protocol);
  f.hatype = u16(hatype);
  f.pkttype = u8(pkttype);
  f.vlan_present = u8(vlanPresent);
  f.vlan_tci = u16(vlanTci);
  f.vlan_tpid = u16(vlanTpid);
}
