import { Ifaddr, Ifnet } from "./ifnet_t";

/** A route: where packets for a prefix go. IPv4 addresses are in host order. */
@unmanaged
@final
export class Rtentry {
  next: Rtentry; // next in the table, longest prefix first
  ifp: Ifnet; // interface it leads out of
  ifa: Ifaddr; // source address to use
  dst: u32; // network
  mask: u32;
  gateway: u32; // next hop, 0 when on the link
  flags: u32; // Rtf
  mtu: u32; // largest packet along it, 0: the interface's MTU
  use: u32; // packets sent along it
  metric: u32;
  mss: u32; // largest TCP segment to ask for along it, 0: what the MTU says
}
