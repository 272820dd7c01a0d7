/**
 * Frames for tests of what is printed of them: of all protocols that are told.
 *
 * @module
 */

import { dns } from "./frames_dns.ts";
import { conversation, http, tcpOptions, texts } from "./frames_tcp.ts";
import {
  A,
  ACK,
  arp,
  B,
  type Bytes,
  ether,
  icmp,
  ip4,
  MAC_A,
  MAC_B,
  type NamedFrame,
  SYN,
  SYN_OPTIONS,
  tcp,
  text,
  u16,
  u32,
  udp,
  v4,
  v6,
} from "./packets.ts";

const igmp = icmp;

/** Messages of ICMP of all types. */
function icmps(): NamedFrame[] {
  const of = (packet: Bytes) => packet.slice(0, 28);
  const about = of(udp(1000, 2000, text("payload")));
  const aboutTcp = of(tcp({ flags: SYN }));
  const aboutIcmp = of(v4(1, icmp(8, 0, [0, 1, 0, 2])));
  const unreachable = Array.from({ length: 17 }, (_, code): NamedFrame => [
    `unreachable ${code}`,
    v4(1, icmp(3, code, [0, 0, ...u16(code === 4 ? 1400 : 0), ...about])),
  ]);
  const others: readonly (readonly [string, Bytes])[] = [
    ["echo", icmp(8, 0, [...u16(77), ...u16(3), ...text("abcdefgh")])],
    ["echo reply", icmp(0, 0, [...u16(77), ...u16(3), ...text("abcdefgh")])],
    ["unreachable tcp", icmp(3, 3, [0, 0, 0, 0, ...aboutTcp])],
    ["unreachable icmp", icmp(3, 3, [0, 0, 0, 0, ...aboutIcmp])],
    ["need to frag without mtu", icmp(3, 4, [0, 0, 0, 0, ...about])],
    ["quench", icmp(4, 0, [0, 0, 0, 0, ...about])],
    ["redirect net", icmp(5, 0, [...ip4("10.0.0.254"), ...about])],
    ["redirect host", icmp(5, 1, [...ip4("10.0.0.254"), ...about])],
    ["redirect tos net", icmp(5, 2, [...ip4("10.0.0.254"), ...about])],
    ["redirect tos host", icmp(5, 3, [...ip4("10.0.0.254"), ...about])],
    ["redirect 9", icmp(5, 9, [...ip4("10.0.0.254"), ...about])],
    ["advertisement", icmp(9, 0, [1, 2, ...u16(1800), ...ip4(A), ...u32(0)])],
    ["advertisement long", icmp(9, 0, [1, 2, ...u16(9000), ...ip4(A), ...u32(5)])],
    [
      "advertisement short",
      icmp(9, 0, [2, 2, ...u16(30), ...ip4(A), ...u32(5), ...ip4(B), ...u32(5)]),
    ],
    ["advertisement of another size", icmp(9, 0, [1, 3, ...u16(30), ...ip4(A), ...u32(5)])],
    ["solicitation", icmp(10, 0, [0, 0, 0, 0])],
    ["time exceeded", icmp(11, 0, [0, 0, 0, 0, ...about])],
    ["reassembly", icmp(11, 1, [0, 0, 0, 0, ...about])],
    ["time exceeded 5", icmp(11, 5, [0, 0, 0, 0, ...about])],
    ["problem", icmp(12, 0, [20, 0, 0, 0, ...about])],
    ["problem code 1", icmp(12, 1, [0, 0, 0, 0, ...about])],
    ["timestamp", icmp(13, 0, [...u16(1), ...u16(2), ...u32(3), ...u32(0), ...u32(0)])],
    [
      "timestamp reply",
      icmp(14, 0, [...u16(1), ...u16(2), ...u32(3), ...u32(40000123), ...u32(5)]),
    ],
    ["information", icmp(15, 0, [...u16(1), ...u16(2)])],
    ["information reply", icmp(16, 0, [...u16(1), ...u16(2)])],
    ["mask", icmp(17, 0, [...u16(1), ...u16(2), ...u32(0)])],
    ["mask reply", icmp(18, 0, [...u16(1), ...u16(2), ...u32(0xffffff00)])],
    ["unknown", icmp(99, 7, [0, 0, 0, 0])],
    ["wrong sum", [8, 0, 1, 2, ...u16(77), ...u16(3)]],
  ];
  return [...unreachable, ...others.map(([what, m]): NamedFrame => [`icmp ${what}`, v4(1, m)])];
}

/** Membership of groups. */
function igmps(): NamedFrame[] {
  const group = ip4("239.1.2.3");
  const none = ip4("0.0.0.0");
  const v3 = (code: number, rest: Bytes) => igmp(0x11, code, rest);
  const recordOf = (type: number, sources: readonly string[]): Bytes => [
    type,
    0,
    ...u16(sources.length),
    ...group,
    ...sources.flatMap(ip4),
  ];
  const report = (...records: Bytes[]) =>
    igmp(0x22, 0, [0, 0, ...u16(records.length), ...records.flat()]);
  const messages: readonly (readonly [string, Bytes])[] = [
    ["query v1", igmp(0x11, 0, none)],
    ["query v2", igmp(0x11, 100, none)],
    ["query v2 group", igmp(0x11, 10, group)],
    ["query v2 25", igmp(0x11, 25, group)],
    ["query v3", v3(100, [...none, 2, 125, 0, 0])],
    ["query v3 group", v3(5, [...group, 8, 125, 0, 0])],
    ["query v3 long", v3(0x8a, [...group, 10, 125, 0, 1, ...ip4(A)])],
    ["query v3 sources", v3(30, [...group, 2, 125, 0, 2, ...ip4(A), ...ip4(B)])],
    ["query v3 wrong", v3(30, [...group, 2, 125, 0, 9, ...ip4(A)])],
    ["report v1", igmp(0x12, 0, group)],
    ["report v2", igmp(0x16, 0, group)],
    ["leave", igmp(0x17, 0, group)],
    ["unknown", igmp(0x77, 1, none)],
    ["report v3", report(recordOf(4, []))],
    ["report v3 sources", report(recordOf(1, [A]), recordOf(6, [A, B]), recordOf(9, []))],
    ["report v3 short", report()],
    ["report v3 wrong", igmp(0x22, 0, [0, 0, 0, 2, ...recordOf(2, [A])])],
    ["wrong sum", [0x16, 0, 1, 2, ...group]],
  ];
  return messages.map(([what, message]) => [
    `igmp ${what}`,
    v4(2, message, { dst: "224.0.0.22", ttl: 1, options: [148, 4, 0, 0] }),
  ]);
}

/** Headers of IPv4, and what is in fragments. */
function headers(): NamedFrame[] {
  const ping = icmp(8, 0, [0, 1, 0, 2, ...text("0123456789abcdef")]);
  const routed = (type: number, pointer: number): Bytes => [
    type,
    11,
    pointer,
    ...ip4("10.1.0.1"),
    ...ip4("10.1.0.2"),
    0,
  ];
  const options: readonly (readonly [string, Bytes])[] = [
    ["nop", [1, 1, 1, 0]],
    ["record route", routed(7, 8)],
    ["record route, none", routed(7, 4)],
    ["record route, bad", routed(7, 5)],
    ["loose", routed(131, 4)],
    ["strict", routed(137, 12)],
    ["time", [68, 12, 9, 0, ...u32(1000), ...u32(0)]],
    ["time, full", [68, 12, 13, 0x30, ...u32(1000), ...u32(2000)]],
    ["time, addresses", [68, 12, 5, 1, ...ip4(A), ...u32(2000)]],
    ["time, wanted", [68, 12, 13, 3, ...ip4(A), ...u32(2000)]],
    ["time, unknown", [68, 8, 5, 9, ...u32(0)]],
    ["alert", [148, 4, 0, 0]],
    ["alert 5", [148, 4, 0, 5]],
    ["security", [130, 4, 1, 2]],
    ["unknown", [99, 4, 1, 2]],
    ["length 1", [99, 1, 1, 2]],
    ["beyond", [7, 40, 4, 0]],
    ["last without length", [1, 1, 1, 7]],
  ];
  return [
    ...options.map(([what, o]): NamedFrame => [`ip option ${what}`, v4(1, ping, { options: o })]),
    ...[1, 2, 3, 0xb8].map((tos): NamedFrame => [`tos ${tos}`, v4(1, ping, { tos })]),
    ["no flags", v4(1, ping, { fragment: 0 })],
    ["reserved", v4(1, ping, { fragment: 0xc000 })],
    ["ttl 0", v4(1, ping, { ttl: 0 })],
    ["bad header sum", v4(1, ping, { badSum: true })],
    ["longer than the frame", v4(1, ping, { total: 99 })],
    ["shorter than its header", v4(1, ping, { total: 12 })],
    ["padded", [...v4(1, ping), 0, 0, 0, 0, 0]],
    ["first fragment", udp(7, 8, text("0123456789abcdef"), { fragment: 0x2000 })],
    ["first fragment of a long one", v4(17, [0, 7, 0, 8, 15, 168, 1, 2, 65], { fragment: 0x2000 })],
    ["middle fragment", v4(17, text("0123456789abcdef"), { fragment: 0x2003 })],
    ["last fragment", v4(17, text("0123456789"), { fragment: 5 })],
    [
      "first fragment of tcp",
      tcp({ flags: ACK, ack: 3, data: [1, 2] }, false, { fragment: 0x2000 }),
    ],
    ["first fragment of icmp", v4(1, ping, { fragment: 0x2000 })],
  ];
}

/** Datagrams, and protocols with few fields. */
function datagrams(): NamedFrame[] {
  return [
    ["udp empty", udp(7, 8, [])],
    ["udp data", udp(7, 8, text("data"))],
    ["udp short", v4(17, [0, 7, 0, 8, 0, 4, 0, 0])],
    ["udp of 6 bytes", v4(17, [0, 7, 0, 8, 0, 9])],
    ["udp without sum", v4(17, [0, 7, 0, 8, 0, 9, 0, 0, 65])],
    ["udp bad sum", v4(17, [0, 7, 0, 8, 0, 9, 1, 2, 65])],
    ["udp longer", v4(17, [0, 7, 0, 8, 0, 99, 0, 0, 65])],
    ["ntp", udp(123, 123, [0x23, ...Array<number>(47).fill(0)])],
    ["esp", v4(50, [...u32(256), ...u32(9), ...text("secret")])],
    [
      "ah",
      v4(51, [
        6,
        4,
        0,
        0,
        ...u32(256),
        ...u32(9),
        ...text("0123456789ab"),
        ...tcp({ flags: 2 }).slice(20),
      ]),
    ],
    ["unknown protocol", v4(253, text("what"))],
  ];
}

/** Messages of DHCP: what is common to all, and the type as the only option. */
function dhcp(): NamedFrame[] {
  const message = (operation: number, own: string, flags: number, options: Bytes): Bytes => [
    ...[operation, 1, 6, 0],
    ...u32(0xabcd1234),
    ...u16(operation === 1 ? 3 : 0),
    ...u16(flags),
    ...ip4("0.0.0.0"),
    ...ip4(own),
    ...u32(0),
    ...u32(0),
    ...MAC_A,
    ...Array<number>(202).fill(0),
    ...options,
  ];
  const cookie = [0x63, 0x82, 0x53, 0x63];
  const asking = { src: "0.0.0.0", dst: "255.255.255.255" };
  return [
    ["dhcp discover", udp(68, 67, message(1, "0.0.0.0", 0x8000, [...cookie, 53, 1, 1]), asking)],
    ["dhcp ack", udp(67, 68, message(2, "10.0.0.9", 0, [...cookie, 53, 1, 5]))],
    ["bootp", udp(67, 68, message(2, "10.0.0.9", 0, [1, 2, 3, 4]))],
    ["dhcp of another kind", udp(67, 68, message(9, "10.0.0.9", 0, cookie))],
  ];
}

/** Packets within others. */
function tunnels(): NamedFrame[] {
  const inner = udp(7, 8, text("in"), { src: "192.168.0.1", dst: "192.168.0.2" });
  const frame = ether(0x0800, inner);
  return [
    ["ipip", v4(4, inner)],
    ["6in4", v4(41, v6(17, [0, 7, 0, 8, 0, 9, 1, 2, 65]))],
    ["gre", v4(47, [0, 0, 8, 0, ...inner])],
    ["gre all", v4(47, [0xb0, 0, 8, 0, 1, 2, 0, 0, ...u32(77), ...u32(5), ...inner])],
    ["gre key", v4(47, [0x20, 0, 8, 0, ...u32(77), ...inner])],
    ["gre ethernet", v4(47, [0, 0, 0x65, 0x58, ...frame])],
    ["gre unknown", v4(47, [0, 0, 0x12, 0x34, 1, 2])],
    ["vxlan", udp(50000, 4789, [8, 0, 0, 0, 0, 0, 5, 0, ...frame])],
    ["vxlan without identifier", udp(50000, 4789, [0, 0, 0, 0, 0, 0, 5, 0, ...frame])],
    ["vxlan short", udp(50000, 4789, [8, 0, 0])],
    ["vxlan arp", udp(50000, 4789, [8, 0, 0, 0, 0, 0, 5, 0, ...ether(0x0806, arp(1))])],
  ];
}

/** Frames of IPv6. */
function packets6(): NamedFrame[] {
  const datagram = [0, 7, 0, 8, 0, 9, 1, 2, 65];
  const segment = tcp({ flags: SYN, options: SYN_OPTIONS }).slice(20);
  return [
    ["udp", v6(17, datagram)],
    ["tcp", v6(6, segment)],
    ["tcp ack", v6(6, tcp({ flags: ACK, ack: 1 }).slice(20), "fe80::1", "ff02::2")],
    ["mapped", v6(17, datagram, "::ffff:a00:1", "::1")],
    ["unspecified", v6(17, datagram, "::", "1:2:3:4:5:6:7::")],
    ["echo", v6(58, icmp(128, 0, [0, 1, 0, 2, ...text("abcd")]))],
    ["echo reply", v6(58, icmp(129, 0, [0, 1, 0, 2, ...text("abcd")]))],
    ["options", v6(0, [6, 0, 1, 4, 0, 0, 0, 0, ...segment])],
    ["no next", v6(59, [])],
    ["fragment", v6(44, [17, 0, 0, 1, 0, 0, 0, 7, ...datagram])],
    ["later fragment", v6(44, [17, 0, 0, 8, 0, 0, 0, 7, ...text("more")])],
  ];
}

/** What is not IP, and link headers. */
function links(): NamedFrame[] {
  const inner = udp(7, 8, text("in"));
  const lldp = [2, 7, 4, ...MAC_A, 4, 3, 7, 101, 48, 6, 2, 0, 120, 10, 4, ...text("host"), 0, 0];
  return [
    ...[1, 2, 3, 4, 8, 9, 7].map((op): NamedFrame => [`arp ${op}`, ether(0x0806, arp(op))]),
    ["arp known target", ether(0x0806, arp(1, MAC_B))],
    ["arp padded", ether(0x0806, [...arp(1), ...Array<number>(18).fill(0)])],
    ["arp other hardware", ether(0x0806, [0, 6, ...arp(1).slice(2)])],
    ["rarp", ether(0x8035, arp(3))],
    ["vlan", ether(0x0800, inner, [0x81, 0, 0x60, 5])],
    ["vlan dei", ether(0x0800, inner, [0x81, 0, 0x10, 5])],
    ["vlan in vlan", ether(0x0806, arp(1), [0x88, 0xa8, 0, 9, 0x81, 0, 0, 5])],
    ["unknown type", ether(0x1234, text("something"))],
    ["unknown type in vlan", ether(0x1234, text("something"), [0x81, 0, 0, 5])],
    ["lldp", ether(0x88cc, lldp)],
    ["loopback test", ether(0x9000, [0, 0, 1, 0, 7, 0])],
    ["loopback forward", ether(0x9000, [0, 0, 2, 0, ...MAC_A])],
  ];
}

/** All frames, on Ethernet. */
export function allFrames(): NamedFrame[] {
  const of4: readonly NamedFrame[] = [
    ...conversation(),
    ...tcpOptions(),
    ...http(),
    ...texts(),
    ...dns(),
    ...icmps(),
    ...igmps(),
    ...headers(),
    ...datagrams(),
    ...dhcp(),
    ...tunnels(),
  ];
  return [
    ...of4.map(([what, packet]): NamedFrame => [what, ether(0x0800, packet)]),
    ...packets6().map(([what, packet]): NamedFrame => [`6: ${what}`, ether(0x86dd, packet)]),
    ...links(),
  ];
}
