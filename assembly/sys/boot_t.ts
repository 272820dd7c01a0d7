/** What boot is told: sizes of the memory and of every pool. Zero means the default. */
@unmanaged
@final
export class BootConfig {
  memory_bytes: u32; // size of the whole memory, at most 4 GiB - 64 KiB
  mbufs_small: u32; // small mbufs
  mbufs_cluster: u32; // cluster mbufs
  sockets: u32; // sockets, and as many control blocks of UDP and raw
  tcbs: u32; // TCP connections
  timewaits: u32; // compact TIME-WAIT records
  syncache: u32; // half-open connections
  routes: u32; // routing-table entries
  neighbors: u32; // ARP entries
  addresses: u32; // interface addresses
  groups: u32; // multicast groups joined
  datagrams: u32; // datagrams being reassembled
  host_queue: u32; // packets waiting for protocols of the runtime
}
