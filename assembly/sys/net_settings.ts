/** What can be tuned below TCP, for the whole stack. TCP's own settings are in tcp/settings. */
@unmanaged
@final
export class NetSettings {
  forwarding: u32; // 1: packets for other hosts are sent on (RFC 1812 5.2)
  ttl: u32; // TTL of what leaves (RFC 1122 3.2.1.7)
  reass_ms: u32; // how long fragments wait for the others (RFC 1122 3.3.2)
  port_first: u32; // range of ephemeral ports (RFC 6056)
  port_last: u32;
  // least path MTU that a message is believed to mean: less is an attack on our packet rate; if the
  // path is narrower all the same, its routers may fragment
  pmtu_min: u32;
  pmtu_life_s: u32; // how long a path MTU is remembered (RFC 1191 6.3)
  no_pmtu_disc: u32; // 1: TCP's packets may be cut to pieces on their way
  icmp_errors_per_s: u32; // ICMP errors a second (RFC 1812 4.3.2.8)
  icmp_errors_burst: u32; // and how many at once
  icmp_echo_per_s: u32; // echo replies a second
  arp_retry_ms: u32; // time between ARP requests (RFC 1122 2.3.2.1)
  arp_tries: u32; // requests before the neighbour is given up
  arp_reachable_ms: u32; // how long an answer is believed
  rcvbuf: u32; // default so_rcv of datagram and raw sockets, bytes
  sndbuf: u32; // default so_snd: the largest datagram
  somaxconn: u32; // largest backlog of a listening socket
  gro: u32; // 1: received TCP segments are put together, batch by batch
  rp_filter: u32; // least of the interfaces' modes: 1 strict, 2 loose (RFC 3704)
  proxy_arp: u32; // 1: on all interfaces
  send_redirects: u32; // 1: on all interfaces
  accept_redirects: u32; // 1: on all interfaces
  tcp_limit_output_bytes: u32; // in an interface's send queue before streams wait
}

export const N: NetSettings = changetype<NetSettings>(
  memory.data<u32>([
    0, // forwarding
    64, // ttl: IANA's recommendation
    30_000, // reass_ms
    49152, // port_first: the dynamic range of RFC 6335 6
    65535, // port_last
    552, // pmtu_min
    600, // pmtu_life_s
    0, // no_pmtu_disc
    200, // icmp_errors_per_s
    100, // icmp_errors_burst
    10_000, // icmp_echo_per_s
    1000, // arp_retry_ms: at most one a second for an address
    3, // arp_tries
    1_200_000, // arp_reachable_ms
    131_072, // rcvbuf
    65_536, // sndbuf
    1024, // somaxconn
    1, // gro
    0, // rp_filter
    0, // proxy_arp
    0, // send_redirects
    0, // accept_redirects
    131_072, // tcp_limit_output_bytes
  ]),
);
