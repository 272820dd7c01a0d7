/**
 * Devices that share the work on segments: what the header in front of a frame that we send leaves
 * to them.
 */
import { IfCap, Iff } from "../abi/ifnet";
import { Mf } from "../abi/mbuf";
import { IpProto } from "../abi/proto";
import { Th } from "../abi/tcp";
import { Mbuf } from "../sys/mbuf_t";
import * as checksum from "../wire/checksum";
import * as ip4 from "../wire/ip4";
import * as tcp from "../wire/tcp";
import * as vnet from "../wire/vnet_hdr";
import { Ifnet } from "./ifnet_t";

/** Where a transport's checksum stands in its header. */
const TCP_CHECKSUM: u32 = 16;
const UDP_CHECKSUM: u32 = 6;

/** True if the checksum of a transport may be left to what is behind the interface. */
export function isLeftTo(ifp: Ifnet): bool {
  return (ifp.caps & IfCap.VNET_HDR) != 0 || (ifp.flags & Iff.LOOPBACK) != 0;
}

/** Makes the checksum that a packet, at its IP header, was to leave to a device. */
export function complete(m: Mbuf): void {
  const start = ip4.hlen(m.data);
  const field = m.data + start +
    (ip4.protocol(m.data) == IpProto.TCP ? TCP_CHECKSUM : UDP_CHECKSUM);
  const sum = checksum.finish(checksum.chain(m, start, m.pktlen - start, 0));
  store<u16>(field, sum ? u16(sum) : 0xffff); // 0 would say that there is none (RFC 768)
  m.flags &= ~u16(Mf.CSUM_PARTIAL);
}

/**
 * Writes the header of frame `m` to `p`. Mf.CSUM_PARTIAL leaves the transport's checksum to the
 * device: the field holds the sum of the pseudo-header. A packet of several segments is cut by it.
 */
export function put(p: usize, ifp: Ifnet, m: Mbuf): void {
  if (!(m.flags & Mf.CSUM_PARTIAL)) {
    memory.fill(p, 0, vnet.HEADER);
    return;
  }
  // the headers of what leaves the protocols with a partial checksum are in the first mbuf
  const ip = m.data + ifp.hdrlen;
  const start = ifp.hdrlen + ip4.hlen(ip);
  const isTcp = ip4.protocol(ip) == IpProto.TCP;
  const field = isTcp ? TCP_CHECKSUM : UDP_CHECKSUM;
  if (m.segs <= 1) {
    vnet.put(p, vnet.NEEDS_CSUM, vnet.GSO_NONE, 0, 0, start, field);
    return;
  }
  const th = m.data + start;
  const type = tcp.flags(th) & Th.CWR ? vnet.GSO_TCPV4 | vnet.GSO_ECN : vnet.GSO_TCPV4;
  vnet.put(p, vnet.NEEDS_CSUM, type, start + tcp.offset(th), m.seg_size, start, field);
}

/** Copies frame `m`, with its header if the device wants one, to `p`. Answers the bytes. */
export function write(p: usize, ifp: Ifnet, m: Mbuf, header: bool): u32 {
  let at = p;
  if (header) {
    put(p, ifp, m);
    at += vnet.HEADER;
  }
  for (let n = m; n; n = n.next) {
    memory.copy(at, n.data, n.len);
    at += n.len;
  }
  return u32(at - p);
}
