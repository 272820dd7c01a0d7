/**
 * Control input: tells the protocol that sent a packet what became of it. The packet is quoted by
 * an ICMP error, or is one of our own that the link layer could not send.
 */
import { Mf } from "../abi/mbuf";
import { IpProto, Prc } from "../abi/proto";
import * as netif from "../net/if";
import * as domain from "../protocol/domain";
import * as sockaddr from "../socket/sockaddr_ops";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";
import { Icmp, Unreach } from "../wire/icmp4";
import * as ip4 from "../wire/ip4";
import * as tcp from "../wire/tcp";
import * as icmp_error from "./icmp_error";
import { CtlQuote } from "./pkt_t";

const Q: CtlQuote = changetype<CtlQuote>(memory.data(offsetof<CtlQuote>(), 16));

/** Bytes of the transport header that every quote has (RFC 792). */
const TRANSPORT: u32 = 8;

/**
 * Reads the packet at `p`, of which `len` bytes are there and which we sent, into Q. False if it
 * cannot be one of ours (RFC 5927 4): too short, not IPv4, not from our address, or a fragment that
 * does not show the ports.
 */
export function read(p: usize, len: u32): bool {
  if (len < ip4.HEADER + TRANSPORT || ip4.version(p) != 4) return false;
  const hlen = ip4.hlen(p);
  if (hlen < ip4.HEADER || hlen + TRANSPORT > len) return false;
  if (ip4.fragment(p) & ip4.OFFSET_MASK) return false;
  const src = ip4.src(p);
  if (src == 0 || !netif.isLocal(src)) return false;
  sockaddr.set4(Q.laddr, src);
  sockaddr.set4(Q.faddr, ip4.dst(p));
  const protocol = ip4.protocol(p);
  Q.protocol = u8(protocol);
  // where nearly all protocols have their ports; the others do not look
  Q.lport = tcp.sport(p + hlen);
  Q.fport = tcp.dport(p + hlen);
  Q.seq = protocol == IpProto.TCP ? tcp.seq(p + hlen) : 0;
  return true;
}

/** Calls the ctlinput of the protocol that Q names; false if it has none. */
export function deliver(cmd: i32, type: u32, code: u32, mtu: u32): bool {
  Q.type = u8(type);
  Q.code = u8(code);
  Q.mtu = mtu;
  const row = domain.inputRow(Q.protocol);
  if (!row || !row.ctlinput) return false;
  call_indirect<void>(row.ctlinput, cmd, Q);
  return true;
}

/** The interfaces' gone hook: whatever was bound to that address of ours is cut off. */
export function addressGone(addr: u32): void {
  memory.fill(changetype<usize>(Q), 0, offsetof<CtlQuote>());
  sockaddr.set4(Q.laddr, addr);
  domain.ctlinput(Prc.IFDOWN, changetype<usize>(Q));
}

/**
 * ARP's dead hook: the next hop of a packet of ours, or of one being forwarded, did not answer.
 * Our protocols hear of it at once; another host gets "host unreachable" (RFC 1812 5.2.7.1).
 */
export function hostDead(mp: usize): void {
  const m = changetype<Mbuf>(mp);
  if (m.rcvif && !(m.flags & Mf.LOOP)) {
    icmp_error.error(m, Icmp.UNREACH, Unreach.HOST, 0);
    return;
  }
  if (read(m.data, m.len)) deliver(Prc.HOSTDEAD, Icmp.UNREACH, Unreach.HOST, 0);
  mbuf.freem(m);
}
