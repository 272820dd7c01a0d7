/** What becomes of routes when an address or an interface goes. */
import { Rtf } from "../abi/route";
import { Ifaddr, Ifnet } from "./ifnet_t";
import * as route from "./route";
import { Rtentry } from "./route_t";

/**
 * Deletes all routes that `ifa` stands behind, or, if `ifa` is nil, all over `ifp`. Routes that
 * were added by the user and can go on with another address of the interface do so.
 */
export function purge(ifp: Ifnet, ifa: Ifaddr): void {
  for (let rt = route.first(); rt;) {
    const next = rt.all_next;
    if (ifa ? rt.ifa == ifa && !rehome(rt, ifa) : rt.ifp == ifp) route.remove(rt);
    rt = next;
  }
}

/** Gives a user's route another source address on the same subnet; false if there is none. */
function rehome(rt: Rtentry, ifa: Ifaddr): bool {
  if (!(rt.flags & Rtf.STATIC)) return false;
  const toward = rt.gateway ? rt.gateway : rt.dst;
  for (let other = rt.ifp.addrs; other; other = other.next) {
    if (other != ifa && (toward & other.mask) == (other.addr & other.mask)) {
      rt.ifa = other;
      route.changed();
      return true;
    }
  }
  return false;
}
