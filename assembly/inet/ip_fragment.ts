/** Cuts a packet that is too large for a link into fragments (RFC 791 3.2). */
import { Errno } from "../abi/errno";
import { MbufSize, Mf, Mt } from "../abi/mbuf";
import { Stat } from "../abi/stat";
import * as if_queue from "../net/if_queue";
import { Ifnet } from "../net/ifnet_t";
import * as mbuf from "../sys/mbuf";
import * as copies from "../sys/mbuf_copy";
import * as ops from "../sys/mbuf_ops";
import { Mbuf } from "../sys/mbuf_t";
import * as stat from "../sys/stat";
import * as ip4 from "../wire/ip4";
import * as ip_options from "./ip_options";

/** The header of the fragments behind the first. */
const REST: usize = memory.data(64, 16);

/**
 * Sends the packet `m`, at its IP header, in pieces of at most `mtu` bytes. All are sent or, if the
 * queue has no room for them, none. m is freed.
 */
export function send(ifp: Ifnet, m: Mbuf, nexthop: u32, mtu: u32): i32 {
  const p = m.data;
  const hlen = ip4.hlen(p);
  const restLen = ip_options.copyHeader(REST, p, hlen);
  const step = (mtu - hlen) & ~7;
  const payload = m.pktlen - hlen;
  if (if_queue.room(ifp) < (payload + step - 1) / step) {
    ifp.odrops += 1;
    mbuf.freem(m);
    return -Errno.ENOBUFS;
  }
  const field = ip4.fragment(p);
  let error: i32 = 0;
  for (let off: u32 = 0; off < payload && error == 0; off += step) {
    const n = min(step, payload - off);
    const more = off + n < payload ? ip4.MF : field & ip4.MF;
    const place = ((field & ip4.OFFSET_MASK) + (off >> 3)) | more;
    const h = off == 0 ? hlen : restLen;
    const f = piece(m, hlen + off, n, off == 0 ? p : REST, h, place);
    if (!f) {
      error = -Errno.ENOBUFS;
      break;
    }
    stat.inc(Stat.IP_FRAGMENTS_OUT);
    error = call_indirect<i32>(ifp.output, ifp, f, nexthop);
  }
  stat.inc(Stat.IP_FRAGMENTED);
  mbuf.freem(m);
  return error;
}

/** One fragment: the header of `h` bytes at `from`, and `n` bytes of m from `off` on. */
function piece(m: Mbuf, off: u32, n: u32, from: usize, h: u32, place: u32): Mbuf {
  const f = copies.packet(h + n, MbufSize.MAX_LINKHDR, Mt.DATA);
  if (!f) return f;
  const p = f.data;
  memory.copy(p, from, h);
  let skip = h; // in the first mbuf the header stands in front
  for (let to = f; to; to = to.next) {
    ops.copydata(m, off, to.len - skip, to.data + skip);
    off += to.len - skip;
    skip = 0;
  }
  ip4.setTotal(p, h + n);
  ip4.setFragment(p, place);
  ip4.setChecksum(p, h);
  f.flags |= m.flags & u16(Mf.BCAST | Mf.MCAST);
  f.rcvif = m.rcvif;
  return f;
}
