/** Lets tests look into the device layer and the internet layer. */
export { lower as probe_mtu_lower } from "../inet/ip_mtu";
export { count as probe_reass_count, storage as probe_reass_storage } from "../inet/ipq";
export { count as probe_arp_count } from "../net/arp_entry";
export {
  add as probe_type_add,
  count as probe_types,
  del as probe_type_del,
  find as probe_type_find,
} from "../net/input_type";
export { length as probe_route_count } from "../net/route";
