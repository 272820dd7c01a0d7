/** Brings the internet layer up, at boot: its tables, hooks and rows. */
import { Errno } from "../abi/errno";
import { EtherType } from "../abi/ifnet";
import { IpProto } from "../abi/proto";
import { Af } from "../abi/socket";
import * as arp from "../net/arp";
import * as netif from "../net/if";
import * as input_type from "../net/input_type";
import * as domain from "../protocol/domain";
import * as ctl_quote from "./ctl_quote";
import * as icmp from "./icmp";
import * as igmp from "./igmp";
import * as ip_input from "./ip_input";
import * as ip_reass from "./ip_reass";

/** Room for so many datagrams being reassembled; takes IPv4 packets. False without memory. */
export function init(datagrams: u32): bool {
  if (!ip_reass.init(datagrams)) return false;
  arp.setDeadHook(ctl_quote.hostDead.index);
  netif.setGoneHook(ctl_quote.addressGone.index);
  igmp.init();
  return input_type.add(EtherType.IP, ip_input.input.index) == 0;
}

/** Puts ICMP and IGMP on the protocol switch; they have no sockets of their own. -ENOBUFS. */
export function register(): i32 {
  const control = domain.addRow(Af.INET, 0, IpProto.ICMP, 0);
  const groups = domain.addRow(Af.INET, 0, IpProto.IGMP, 0);
  if (!control || !groups) return -Errno.ENOBUFS;
  control.input = icmp.input.index;
  control.drain = ip_reass.drain.index; // fragments go first when mbufs run out
  groups.input = igmp.input.index;
  return 0;
}
