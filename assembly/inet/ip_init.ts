/** Brings the device layer and the internet layer up, at boot. */
import { EtherType } from "../abi/ifnet";
import { IpProto } from "../abi/proto";
import * as arp from "../net/arp";
import * as netif from "../net/if";
import * as input_type from "../net/input_type";
import * as loop from "../net/loop";
import * as route from "../net/route";
import * as domain from "../protocol/domain";
import * as ctl_quote from "./ctl_quote";
import * as igmp from "./igmp";
import * as ip_input from "./ip_input";
import * as ip_reass from "./ip_reass";

/**
 * Makes the tables, registers the ethertypes and attaches lo0, which gets index 1. Needs arena,
 * mbufs, timers, random numbers and the protocol switch. The rows of ICMP and IGMP are registered
 * by the caller.
 *
 * @param routes most routes
 * @param neighbors most ARP entries
 * @param addresses most interface addresses
 * @param groups most groups joined
 * @param datagrams most datagrams being reassembled
 * @returns true; false if memory does not suffice for these limits.
 */
export function init(
  routes: u32,
  neighbors: u32,
  addresses: u32,
  groups: u32,
  datagrams: u32,
): bool {
  let ok = route.init(routes);
  ok = arp.init(neighbors) && ok;
  ok = netif.init(addresses, groups) && ok;
  ok = ip_reass.init(datagrams) && ok;
  if (!ok) return false;
  arp.setDeadHook(ctl_quote.hostDead.index);
  igmp.init();
  const row = domain.inputRow(IpProto.ICMP);
  if (row) row.drain = ip_reass.drain.index; // fragments go first when mbufs run out
  input_type.add(EtherType.IP, ip_input.input.index);
  input_type.add(EtherType.ARP, arp.input.index);
  return loop.attach() > 0;
}
