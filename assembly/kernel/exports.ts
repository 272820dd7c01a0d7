/**
 * What the engine offers to loaded protocols: its functions, under the name of the module and their
 * own (`mbuf_gethdr` is `gethdr` of sys/mbuf), and some of its structs. A protocol written in
 * AssemblyScript imports these files as the engine's own do; tools/side.ts links what it finds
 * named here and compiles in what has no state. See docs/engine.md.
 */
export { alloc as in_pcb_alloc, free as in_pcb_free } from "../inet/in_pcb";
export { bind as in_pcb_bind, connect as in_pcb_connect } from "../inet/in_pcb";
export { checkPeer as in_pcb_checkPeer, choosePort as in_pcb_choosePort } from "../inet/in_pcb";
export { disconnect as in_pcb_disconnect, source4 as in_pcb_source4 } from "../inet/in_pcb";
export {
  initInfo as in_pcb_hash_initInfo,
  lookup as in_pcb_hash_lookup,
} from "../inet/in_pcb_hash";
export { connected as in_pcb_hash_connected } from "../inet/in_pcb_hash";
export { accepts as in_mcast_accepts, leaveAll as in_mcast_leaveAll } from "../inet/in_mcast";
export { error as icmp_error_error } from "../inet/icmp_error";
export { send as in_output_send, send4 as in_output_send4 } from "../inet/in_output";
export { output as ip_output_output } from "../inet/ip_output";
export { entry as ip_ctloutput_entry } from "../inet/ip_ctloutput";
export { lower as ip_mtu_lower, mtuFor as ip_mtu_mtuFor } from "../inet/ip_mtu";
export { PKT as pkt_t_PKT } from "../inet/pkt_t";
export { output as udp_output_output } from "../inet/udp_output";
export { set as udp_tunnel_set } from "../inet/udp_tunnel";
export { add as input_type_add, del as input_type_del } from "../net/input_type";
export { byIndex as if_list_byIndex } from "../net/if_list";
export { ioctl as if_ioctl_ioctl } from "../net/if_ioctl";
export { enqueue as if_queue_enqueue } from "../net/if_queue";
export { set as if_tap_set } from "../net/if_tap";
export { firstOf as route_firstOf, lookup as route_lookup } from "../net/route";
export { listen as route_event_listen } from "../net/route_event";
export { addDomain as domain_addDomain, delDomain as domain_delDomain } from "../protocol/domain";
export { addRow as domain_addRow, delRow as domain_delRow } from "../protocol/domain";
export { close as so_close } from "../socket/so";
export { set as so_filter_set } from "../socket/so_filter";
export { L as so_local_L, path as so_local_path } from "../socket/so_local";
export { isConnected as so_event_isConnected } from "../socket/so_event";
export { isConnecting as so_event_isConnecting } from "../socket/so_event";
export { isDisconnected as so_event_isDisconnected } from "../socket/so_event";
export { isDisconnecting as so_event_isDisconnecting } from "../socket/so_event";
export { cantSendMore as so_event_cantSendMore } from "../socket/so_event";
export { cantRcvMore as so_event_cantRcvMore } from "../socket/so_event";
export { error as so_event_error, newconn as so_event_newconn } from "../socket/so_event";
export { free as so_event_free } from "../socket/so_event";
export { rwakeup as so_event_rwakeup, wwakeup as so_event_wwakeup } from "../socket/so_event";
export { append as sockbuf_append, appendAddr as sockbuf_appendAddr } from "../socket/sockbuf";
export { appendRecord as sockbuf_appendRecord, drop as sockbuf_drop } from "../socket/sockbuf";
export { dropRecord as sockbuf_dropRecord, flush as sockbuf_flush } from "../socket/sockbuf";
export { reserve as sockbuf_reserve } from "../socket/sockbuf";
export { alloc as arena_alloc } from "../sys/arena";
export { now as clock_now } from "../sys/clock";
export { free as mbuf_free, freem as mbuf_freem, get as mbuf_get } from "../sys/mbuf";
export { getcl as mbuf_getcl, gethdr as mbuf_gethdr } from "../sys/mbuf";
export { copyback as mbuf_copy_copyback, copydata as mbuf_copy_copydata } from "../sys/mbuf_copy";
export { copym as mbuf_copy_copym, devget as mbuf_copy_devget } from "../sys/mbuf_copy";
export { packet as mbuf_copy_packet } from "../sys/mbuf_copy";
export { adj as mbuf_ops_adj, cat as mbuf_ops_cat, split as mbuf_ops_split } from "../sys/mbuf_ops";
export { linear as mbuf_ops_linear, prepend as mbuf_ops_prepend } from "../sys/mbuf_ops";
export { pullup as mbuf_ops_pullup } from "../sys/mbuf_ops";
export { N as net_settings_N } from "../sys/net_settings";
export { panic as panic_panic } from "../sys/panic";
export { get as pool_get, init as pool_init, put as pool_put } from "../sys/pool";
export {
  below as rand_below,
  public32 as rand_public32,
  secret64 as rand_secret64,
} from "../sys/rand";
export { add as stat_add, fate as stat_fate } from "../sys/stat";
export { chain as checksum_chain } from "../wire/checksum";
export { arm as timer_arm, cancel as timer_cancel } from "../sys/timer";
