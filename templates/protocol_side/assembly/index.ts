/**
 * Protocol NAME: sends each packet back to where it came from. This is AssemblyScript, compiled
 * against the engine's own sources (`godwit/...`): what has no state is compiled in, what the
 * kernel offers (assembly/kernel/exports.ts) is linked when the module is loaded.
 *
 * Variables are places made by `memory.data()`; there is no `new`, no string, no closure.
 */
import { Errno } from "godwit/abi/errno";
import { Fate } from "godwit/abi/fate";
import { Af } from "godwit/abi/socket";
import * as ip_output from "godwit/inet/ip_output";
import { PKT } from "godwit/inet/pkt_t";
import { Rtentry } from "godwit/net/route_t";
import * as domain from "godwit/protocol/domain";
import * as mbuf_ops from "godwit/sys/mbuf_ops";
import { Mbuf } from "godwit/sys/mbuf_t";
import * as stat from "godwit/sys/stat";

/** Its protocol number. */
const PROTOCOL: u32 = 254;

/** The variables of the module. */
@unmanaged
@final
export class EchoState {
  packets: u32; // how many came
  ttl: u32; // of those that are sent back
}

const S: EchoState = changetype<EchoState>(memory.data(offsetof<EchoState>(), 16));

/** Called when the module is loaded, with the bytes that `encode` made. 0 or -Errno. */
export function register(config: usize, length: u32): i32 {
  S.ttl = length > 0 ? load<u8>(config) : 64;
  const row = domain.addRow(Af.INET, 0, PROTOCOL, 0); // type 0: it has no sockets
  if (!row) return -Errno.EEXIST;
  row.input = input.index;
  return 0;
}

/** pr_input: m's data is the IP header, `off` the offset behind it. Owns m and decides its fate. */
function input(m: usize, off: u32): void {
  const packet = changetype<Mbuf>(m);
  S.packets += 1;
  stat.fate(Fate.HOST_PROTOCOL);
  const from = PKT.src4;
  const to = PKT.dst4;
  mbuf_ops.adj(packet, off);
  ip_output.output(packet, to, from, PROTOCOL, S.ttl, 0, 0, changetype<Rtentry>(0));
}
