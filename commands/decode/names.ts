// tidy: table
/**
 * Numbers of protocols by the names that tcpdump prints.
 *
 * @module
 */

/** Ethertypes (`-e`). */
export const ETHERTYPES: Readonly<Record<number, string>> = {
  0x0800: "IPv4",
  0x0806: "ARP",
  0x8035: "Reverse ARP",
  0x8100: "802.1Q",
  0x86dd: "IPv6",
  0x8808: "MPCP",
  0x8809: "Slow Protocols",
  0x8847: "MPLS unicast",
  0x8848: "MPLS multicast",
  0x8863: "PPPoE D",
  0x8864: "PPPoE S",
  0x888e: "EAPOL",
  0x88a8: "802.1Q-QinQ",
  0x88cc: "LLDP",
  0x88e5: "802.1AE MACsec",
  0x88f7: "PTP",
  0x8902: "CFM",
  0x9000: "Loopback",
  0x9100: "802.1Q-9100",
  0x9200: "802.1Q-9200",
  0x6558: "TEB",
  0x876b: "VJC",
};

/** Protocols of IP in the header line of `-v`. */
export const IP_PROTOCOLS: Readonly<Record<number, string>> = {
  0: "Options",
  1: "ICMP",
  2: "IGMP",
  4: "IPIP",
  6: "TCP",
  8: "EGP",
  9: "IGRP",
  17: "UDP",
  33: "DCCP",
  41: "IPv6",
  43: "Routing",
  44: "Fragment",
  46: "RSVP",
  47: "GRE",
  50: "ESP",
  51: "AH",
  55: "Mobile IP",
  58: "ICMPv6",
  60: "Options",
  88: "EIGRP",
  89: "OSPF",
  103: "PIM",
  108: "Compressed IP",
  112: "VRRP",
  113: "PGM",
  132: "SCTP",
  135: "Mobile IP",
};
