import { Rtentry } from "../net/route_t";
import { Socket } from "../socket/socket_t";

/**
 * Internet protocol control block: addresses and ports of one endpoint, for TCP, UDP and raw
 * sockets of both address families. Addresses are 16 bytes in network order, IPv4 as
 * ::ffff:a.b.c.d; all zeros is the wildcard.
 */
@unmanaged
@final
export class Inpcb {
  laddr_hi: u64;
  laddr_lo: u64;
  faddr_hi: u64;
  faddr_lo: u64;
  so: Socket; // its socket; 0 once the socket has gone
  ppcb: usize; // the protocol's own block: Tcb
  conn_next: Inpcb; // chain of the connection table, while connected
  conn_prev: Inpcb;
  lport: u16; // host order, 0 when unbound; what a lookup compares ends here
  fport: u16;
  port_next: Inpcb; // chain of the port table, while bound
  port_prev: Inpcb;
  list_next: Inpcb; // all blocks of the protocol
  list_prev: Inpcb;
  info: usize; // InpcbInfo of its protocol
  route: Rtentry; // cached route toward the peer, valid while route_gen matches
  route_gen: u32;
  flags: u32; // Inp
  memberships: usize; // first multicast membership of this socket
  mcast_ifindex: u16; // IP_MULTICAST_IF
  protocol: u8; // IpProto
  ttl: u8; // IP_TTL
  tos: u8; // IP_TOS
  mcast_ttl: u8; // IP_MULTICAST_TTL
  mcast_loop: u8; // IP_MULTICAST_LOOP
  conn_hashed: u8; // on the connection table
  port_hashed: u8; // on the port table
  pmtud: u8; // Pmtud: IP_MTU_DISCOVER
  pad2: u16;
}

/** Flags of an Inpcb. */
export const enum Inp {
  HDRINCL = 0x1, // the user gives the IP header
  RECVDSTADDR = 0x2, // tell the destination of each datagram as control data
  ANONPORT = 0x4, // the port was chosen by the stack, for a connection or the first send
  BOUNDADDR = 0x8, // bind gave the local address, so that disconnect leaves it
}
