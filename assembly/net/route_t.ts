import { Ifaddr, Ifnet } from "./ifnet_t";

/** A route: where packets for a prefix go. IPv4 addresses are in host order. */
@unmanaged
@final
export class Rtentry {
  use: u64; // packets sent along it
  next: Rtentry; // next of the same place of the table
  all_next: Rtentry; // all routes, in the order they came
  all_prev: Rtentry;
  ifp: Ifnet; // interface it leads out of
  ifa: Ifaddr; // source address to use
  dst: u32; // network
  mask: u32;
  gateway: u32; // next hop, 0 when on the link
  flags: u32; // Rtf
  mtu: u32; // largest packet along it, 0: the interface's MTU
  metric: u32;
  mss: u32; // largest TCP segment to ask for along it, 0: what the MTU says
  from: u32; // only for packets from this network
  from_mask: u32; // 0: from anywhere
  paths: u32; // routes of the user that share the traffic with it, itself included
}
