/** Starts the device layer: its tables, and what it takes from the wire itself. */
import { EtherType } from "../abi/ifnet";
import * as arp from "./arp";
import * as netif from "./if";
import * as if_list from "./if_list";
import * as input_type from "./input_type";
import * as loop from "./loop";
import * as route from "./route";

/** Room for that many of each, and for all interfaces; false without memory. */
export function init(routes: u32, neighbors: u32, addresses: u32, groups: u32): bool {
  const ok = netif.init(addresses, groups) && route.init(routes) && arp.init(neighbors) &&
    if_list.init();
  return ok && input_type.add(EtherType.ARP, arp.input.index) == 0;
}

/** Attaches lo0; its index or -errno. */
export function attachLoopback(): i32 {
  return loop.attach();
}
