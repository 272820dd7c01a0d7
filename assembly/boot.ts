/** Lays the memory out and puts the protocols on the switch; the only file that knows all rows. */
import { Af } from "./abi/socket";
import { Errno } from "./abi/errno";
import { Limits } from "./abi/limits";
import { MbufSize } from "./abi/mbuf";
import * as in_mcast from "./inet/in_mcast";
import * as in_pcb from "./inet/in_pcb";
import * as ip_init from "./inet/ip_init";
import * as raw_ip from "./inet/raw_ip";
import * as udp from "./inet/udp";
import * as net_init from "./net/net_init";
import * as domain from "./protocol/domain";
import * as host from "./protocol/host";
import * as so_pool from "./socket/so_pool";
import * as arena from "./sys/arena";
import { BootConfig } from "./sys/boot_t";
import * as mbuf from "./sys/mbuf";
import * as timer from "./sys/timer";
import * as tcp from "./tcp/tcp";

/** Small mbufs of the smallest engine. */
const SMALLS_MIN: u32 = 256;

/** State of the module. */
@unmanaged
@final
export class BootState {
  staging: usize; // area through which user data passes
}

const S: BootState = changetype<BootState>(memory.data(offsetof<BootState>(), 16));

/** Address of the area of Limits.STAGING bytes through which user data passes. */
export function staging(): usize {
  return S.staging;
}

/** A place for what is chosen, with a default for every zero. */
function or(value: u32, otherwise: u32): u32 {
  return value ? value : otherwise;
}

/** Starts the engine as `c` says. ENOMEM when the memory is too small for the tables asked for. */
export function boot(c: BootConfig): i32 {
  arena.init(__heap_base, c.memory_bytes);
  timer.init();
  S.staging = arena.alloc(Limits.STAGING, 64);
  if (!domain.init()) return -Errno.ENOMEM;
  const scale = max<u32>(c.memory_bytes >> 20, 1); // tables grow with the memory, per MiB
  const sockets = or(c.sockets, min<u32>(scale * 64, 65536));
  if (!in_mcast.init(or(c.groups, 256))) return -Errno.ENOMEM;
  const lower = net_init.init(
    or(c.routes, 1024),
    or(c.neighbors, 1024),
    or(c.addresses, 256),
    or(c.groups, 256),
  );
  if (!lower || !ip_init.init(or(c.datagrams, 256))) return -Errno.ENOMEM;
  if (!so_pool.init(sockets) || !in_pcb.init(sockets)) return -Errno.ENOMEM;
  host.init(or(c.host_queue, 256));
  const inet = domain.addDomain(Af.INET);
  if (inet < 0) return inet;
  raw_ip.register();
  ip_init.register();
  udp.register(sockets);
  tcp.register(
    or(c.tcbs, sockets),
    or(c.syncache, min<u32>(sockets, 4096)),
    or(c.timewaits, min<u32>(sockets, 8192)),
    c.memory_bytes >> 11, // segments in flight: their data takes as much and more
  );
  mbuf.setDrain(domain.drain.index);
  return arena.refused() ? -Errno.ENOMEM : mbufs(c);
}

/**
 * What is left of the memory goes to mbufs, unless told otherwise, but for one part in 32 that is
 * kept for interfaces with large frames (net/if_slots.ts).
 */
function mbufs(c: BootConfig): i32 {
  const free = u32(c.memory_bytes) - u32(arena.top()) - 65536;
  const left = free - (free >> 5);
  const clusters = or(c.mbufs_cluster, u32((u64(left) * 7) / 8 / MbufSize.MCLSIZE));
  const smalls = or(c.mbufs_small, max<u32>(SMALLS_MIN, left / 16 / MbufSize.MSIZE));
  if (!mbuf.init(smalls, clusters)) return -Errno.ENOMEM;
  return net_init.attachLoopback();
}
