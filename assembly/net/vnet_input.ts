/**
 * Frames in slots on their way in. What the virtio_net_hdr in front of one says is checked, since
 * whoever wrote it may be hostile; then the frame is copied into mbufs.
 *
 * A checksum that is still to be made was never on a wire, and what it covers counts as right; the
 * packet says so (Mf.CSUM_L4_OK), and that its checksum is half made (Mf.CSUM_PARTIAL), so that it
 * is made if the packet is sent on. A large TCP segment for us stays one, with `segs` and
 * `seg_size`; for others, who may have no such device, it is cut into what it stands for. Large UDP
 * packets are several datagrams, and always cut.
 */
import { Fate } from "../abi/fate";
import { EtherType, IfCap, Medium } from "../abi/ifnet";
import { Limits } from "../abi/limits";
import { MbufSize, Mf, Mt } from "../abi/mbuf";
import { IpProto } from "../abi/proto";
import { Rtf } from "../abi/route";
import { Th } from "../abi/tcp";
import * as clock from "../sys/clock";
import * as mbuf from "../sys/mbuf";
import * as copies from "../sys/mbuf_copy";
import { Mbuf } from "../sys/mbuf_t";
import { N } from "../sys/net_settings";
import * as stat from "../sys/stat";
import * as checksum from "../wire/checksum";
import * as ether from "../wire/ether";
import * as ip4 from "../wire/ip4";
import * as tcp from "../wire/tcp";
import * as udp from "../wire/udp";
import * as vnet from "../wire/vnet_hdr";
import { Ifnet } from "./ifnet_t";
import * as route from "./route";

/** Most packets that one frame is cut into: less than 64 bytes in each is an attack. */
const PIECES_MAX: u32 = 1024;
/** What `vouched` answers for a header that makes no sense. */
const INVALID: u32 = 0xffffffff;

/** The frame being taken in. */
@unmanaged
@final
export class VnetInputState {
  ifp: Ifnet;
  frame: usize; // its first byte, at the link header
  len: u32; // bytes, without the virtio_net_hdr
  start: u32; // offset of the transport header
  hlen: u32; // bytes of that
  end: u32; // offset of the end of the packet
  flags: u32; // Mf: what is known of the checksum
  seg_size: u32; // bytes of data of each packet that it stands for
}

const S: VnetInputState = changetype<VnetInputState>(
  memory.data(offsetof<VnetInputState>(), 16),
);

function nil(): Mbuf {
  return changetype<Mbuf>(0);
}

function refuse(f: Fate): Mbuf {
  stat.fate(f);
  return nil();
}

/**
 * The packet in the `len` bytes of the slot at `p`; several, linked by nextpkt, if it is to be cut.
 * Nil if there is none: then its fate is decided, unless it has no byte or more than a slot holds.
 */
export function packet(ifp: Ifnet, p: usize, len: u32): Mbuf {
  if (len == 0 || len > u32(Limits.SLOT_BYTES)) return nil();
  S.ifp = ifp;
  S.frame = p;
  S.len = len;
  S.flags = ifp.caps & IfCap.RXCSUM ? u32(Mf.CSUM_IP_OK | Mf.CSUM_L4_OK) : 0;
  if (!(ifp.caps & IfCap.VNET_HDR)) return whole();
  if (len <= vnet.HEADER) return refuse(Fate.VNET_INVALID);
  S.frame = p + vnet.HEADER;
  S.len = len - vnet.HEADER;
  const known = vouched(p);
  if (known == INVALID) return refuse(Fate.VNET_INVALID);
  S.flags |= known;
  S.seg_size = vnet.gsoSize(p);
  const type = vnet.gsoType(p) & ~vnet.GSO_ECN;
  if (type == vnet.GSO_NONE || type == vnet.GSO_TCPV6) return whole(); // IPv6 is dropped later
  if (S.seg_size == 0) return refuse(Fate.VNET_INVALID);
  if (type == vnet.GSO_TCPV4) return ofTcp();
  if (type == vnet.GSO_UDP_L4) return ofUdp();
  return type == vnet.GSO_UDP ? asOne(S.len) : refuse(Fate.VNET_INVALID);
}

/**
 * What the header at `h` says of checksums, as Mf; INVALID if that is impossible. A checksum that
 * is to be made where no transport of ours has one is made here, and vouches for nothing.
 */
function vouched(h: usize): u32 {
  const flags = vnet.flags(h);
  if (!(flags & vnet.NEEDS_CSUM)) return flags & vnet.DATA_VALID ? Mf.CSUM_L4_OK : 0;
  const start = vnet.csumStart(h);
  const at = start + vnet.csumOffset(h);
  if (at + 2 > S.len) return INVALID;
  const proto = find(0);
  const field = proto == IpProto.TCP ? tcp.CHECKSUM : udp.CHECKSUM;
  const ours = proto == IpProto.TCP || proto == IpProto.UDP;
  if (ours && start == S.start && at == start + field) return Mf.CSUM_L4_OK | Mf.CSUM_PARTIAL;
  store<u16>(S.frame + at, u16(checksum.finish(checksum.sum(S.frame + start, S.len - start, 0))));
  return 0;
}

/**
 * Finds the transport header of a whole IPv4 packet: answers its protocol, with S.start and S.end
 * set; 0 if the frame is none, or none of `proto` if that is given.
 */
function find(proto: u32): u32 {
  const link = S.ifp.hdrlen;
  if (S.len < link + ip4.HEADER) return 0;
  if (S.ifp.medium == Medium.ETHERNET && ether.type(S.frame) != EtherType.IP) return 0;
  const ip = S.frame + link;
  const hlen = ip4.hlen(ip);
  const total = ip4.total(ip);
  if (ip4.version(ip) != 4 || hlen < ip4.HEADER || total < hlen + udp.HLEN) return 0;
  if (total > S.len - link || ip4.fragment(ip) & (ip4.MF | ip4.OFFSET_MASK)) return 0;
  if (proto && ip4.protocol(ip) != proto) return 0;
  S.start = link + hlen;
  S.end = link + total;
  return ip4.protocol(ip);
}

/** One packet of the wire, or what is taken as one. */
function whole(): Mbuf {
  const m = copies.devget(S.frame, S.len, S.ifp.index);
  if (!m) return refuse(Fate.NO_BUFFERS);
  m.l3off = u16(S.ifp.hdrlen);
  m.flags |= u16(S.flags);
  return m;
}

/** One packet that stands for several with so many bytes in all. */
function asOne(bytes: u32): Mbuf {
  const m = whole();
  if (!m || bytes <= S.seg_size) return m;
  m.segs = u16((bytes + S.seg_size - 1) / S.seg_size);
  m.seg_size = u16(S.seg_size);
  return m;
}

function ofTcp(): Mbuf {
  if (!find(IpProto.TCP) || S.end - S.start < tcp.HEADER) return refuse(Fate.VNET_INVALID);
  S.hlen = tcp.offset(S.frame + S.start);
  if (S.hlen < tcp.HEADER || S.hlen > S.end - S.start) return refuse(Fate.VNET_INVALID);
  const bytes = S.end - S.start - S.hlen;
  if (bytes <= S.seg_size || !N.forwarding || isOurs()) return asOne(bytes);
  if (!isRight()) return refuse(Fate.TCP_CHECKSUM);
  return cut();
}

function isOurs(): bool {
  const rt = route.lookup(ip4.dst(S.frame + S.ifp.hdrlen));
  return rt ? (rt.flags & Rtf.LOCAL) != 0 : false;
}

function ofUdp(): Mbuf {
  if (!find(IpProto.UDP)) return refuse(Fate.VNET_INVALID);
  S.hlen = udp.HLEN;
  if (S.end - S.start - S.hlen <= S.seg_size) return whole();
  if (udp.sum(S.frame + S.start) && !isRight()) return refuse(Fate.UDP_CHECKSUM);
  return cut();
}

/** True if the checksum is vouched for, or right. */
function isRight(): bool {
  if (S.flags & Mf.CSUM_L4_OK) return true;
  const len = S.end - S.start;
  const pseudo = ip4.pseudo(S.frame + S.ifp.hdrlen, len);
  return checksum.finish(checksum.sum(S.frame + S.start, len, pseudo)) == 0;
}

/** The packets that the frame stands for, all or none. */
function cut(): Mbuf {
  const head = S.start + S.hlen;
  if ((S.end - head + S.seg_size - 1) / S.seg_size > PIECES_MAX) return refuse(Fate.VNET_INVALID);
  let first = nil();
  let last = nil();
  for (let i: u32 = 0, at = head; at < S.end; i++, at += S.seg_size) {
    const n = min(S.seg_size, S.end - at);
    const m = copies.packet(head + n, MbufSize.MAX_LINKHDR, Mt.DATA);
    if (!m) {
      freeAll(first);
      return refuse(Fate.NO_BUFFERS);
    }
    // the headers, of at most 134 bytes, are in the first mbuf
    memory.copy(m.data, S.frame, head);
    copies.copyback(m, head, n, S.frame + at);
    piece(m, i, at - head, at + n == S.end);
    if (last) last.nextpkt = m;
    else first = m;
    last = m;
  }
  return first;
}

function freeAll(m: Mbuf): void {
  while (m) {
    const next = m.nextpkt;
    mbuf.freem(m);
    m = next;
  }
}

/** Makes the headers of `m`, the `i`th packet, whose data was `off` bytes into that of all. */
function piece(m: Mbuf, i: u32, off: u32, isLast: bool): void {
  const link = S.ifp.hdrlen;
  m.rcvif = u16(S.ifp.index);
  m.l3off = u16(link);
  m.tstamp = clock.now();
  m.flags |= u16(S.flags);
  const ip = m.data + link;
  const th = m.data + S.start;
  const len = m.pktlen - S.start;
  ip4.setTotal(ip, m.pktlen - link);
  ip4.setId(ip, ip4.id(ip) + i);
  ip4.setChecksum(ip, S.start - link);
  let field = th + udp.CHECKSUM;
  if (ip4.protocol(ip) == IpProto.TCP) {
    field = th + tcp.CHECKSUM;
    let bits = tcp.flags(th);
    if (!isLast) bits &= ~(Th.FIN | Th.PUSH);
    if (i) bits &= ~Th.CWR; // RFC 3168 6.1.2: the first alone says it
    tcp.setFlags(th, bits);
    tcp.setSeq(th, tcp.seq(th) + off);
  } else {
    udp.setLength(th, len);
    if (udp.sum(th) == 0 && !(S.flags & Mf.CSUM_L4_OK)) return; // there was none
  }
  const pseudo = ip4.pseudo(ip, len);
  store<u16>(field, u16(~checksum.finish(pseudo)));
  m.flags |= u16(Mf.CSUM_L4_OK | Mf.CSUM_PARTIAL);
}
