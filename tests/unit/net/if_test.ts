/** Interfaces: attaching, queues, descriptors, and what becomes of frames before any protocol. */

import { assertEquals, assertNotEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { IfCap, Iff, Medium, Sioc } from "../../../assembly/abi/ifnet.ts";
import { Ifnet } from "../../../runtime/wasm/layout.gen.ts";
import { arp, BROADCAST, bytes, ether, ip, ip4, udp } from "./frames.ts";
import { etherHost, Host, maskOf, OWN, PEER, toHost } from "./host.ts";

const REQUEST = ether(
  BROADCAST,
  PEER,
  0x0806,
  arp({ op: 1, sha: PEER, spa: "10.0.0.2", tpa: "10.0.0.1" }),
);

function datagram(dport: number, data: Uint8Array): Uint8Array {
  const payload = udp("10.0.0.2", "10.0.0.1", 9, dport, data);
  return toHost(ip4({ src: "10.0.0.2", dst: "10.0.0.1", proto: 17, payload }));
}

Deno.test("if: attach checks what it is told", () => {
  const host = new Host();
  const cases: [string, number, number][] = [
    ["MTU too small", host.attach({ mtu: 67 }), -Errno.EINVAL],
    ["MTU beyond a packet", host.attach({ mtu: 65_536 }), -Errno.EINVAL],
    ["unknown medium", host.attach({ medium: 9 as Medium }), -Errno.EINVAL],
    ["group address", host.attach({ hwaddr: "01:00:00:00:00:01" }), -Errno.EINVAL],
    ["no address", host.attach({ hwaddr: "00:00:00:00:00:00" }), -Errno.EINVAL],
    ["the first", host.attach({ name: "eth0" }), 2],
    ["same name", host.attach({ name: "eth0" }), -Errno.EEXIST],
    ["an MTU whose frames fit one mbuf", host.attach({ mtu: 2032, name: "eth1" }), 3],
    ["largest MTU", host.attach({ mtu: 65_535, name: "eth2" }), 4],
    [
      "bare IP needs no address",
      host.attach({ medium: Medium.IP, hwaddr: "00:00:00:00:00:00" }),
      5,
    ],
  ];
  for (const [name, actual, expected] of cases) assertEquals(actual, expected, name);
  assertEquals(host.call.if_detach(2), 0);
  assertEquals(host.attach({ name: "eth0" }), 2, "a free index is used again");
  assertEquals(host.call.if_detach(1), -Errno.EINVAL, "lo0 stays");
  assertEquals(host.call.if_detach(0), -Errno.ENXIO);
});

Deno.test("if: there are at most 64 interfaces", () => {
  const host = new Host();
  for (let i = 2; i <= 64; i++) assertEquals(host.attach({ name: `e${i}` }), i);
  assertEquals(host.attach({ name: "one more" }), -Errno.ENOBUFS);
});

Deno.test("if: ioctls tell of interfaces and addresses, in order", () => {
  const { host, port } = etherHost();
  host.address(port, "10.7.0.1/16");
  const indices = [0, 1].map((i) => (host.ioctl(Sioc.GIFCONF, { i }), host.req("ifindex")));
  assertEquals(indices, [1, port]);
  assertEquals(host.ioctl(Sioc.GIFCONF, { i: 2 }), -Errno.ENXIO);
  assertEquals(host.ioctl(Sioc.GIFADDR, { ifindex: port, i: 1 }), 0);
  assertEquals([host.req("addr"), host.req("mask")], [ip("10.7.0.1"), maskOf(16)]);
  assertEquals(host.req("broadcast"), ip("10.7.255.255"));
  assertEquals(host.ioctl(Sioc.GIFADDR, { ifindex: port, i: 2 }), -Errno.EADDRNOTAVAIL);
  assertEquals(host.ioctl(Sioc.GIFADDR, { ifindex: 9 }), -Errno.ENXIO);
  assertEquals(host.ioctl(99 as Sioc, { ifindex: port }), -Errno.EINVAL);
  assertEquals(host.ioctl(Sioc.SIFMTU, { ifindex: port, mtu: 67 }), -Errno.EINVAL);
  assertEquals(host.ioctl(Sioc.SIFMTU, { ifindex: port, mtu: 1400 }), 0);
  assertEquals(host.ioctl(Sioc.GIFMTU, { ifindex: port }), 0);
  assertEquals(host.req("mtu"), 1400);
  host.ioctl(Sioc.GIFFLAGS, { ifindex: port });
  assertNotEquals(host.req("flags") & (Iff.UP | Iff.RUNNING | Iff.BROADCAST), 0);
});

Deno.test("if: addresses that no host can have are refused", () => {
  const { host, port } = etherHost();
  const bad = ["0.0.0.0/24", "224.0.0.1/24", "255.255.255.255/32", "240.0.0.1/8", "127.0.0.2/8"];
  for (const text of bad) assertEquals(host.address(port, text), -Errno.EINVAL, text);
  assertEquals(host.address(port, "10.3.0.1/24", { mask: ip("255.0.255.0") }), -Errno.EINVAL);
  assertEquals(host.address(1, "10.3.0.1/24"), -Errno.EINVAL, "lo0 has 127/8 only");
});

Deno.test("if: frames that are not for us, or no frames at all, are dropped by rule", () => {
  const { host, port } = etherHost();
  const cases: [string, Uint8Array, string][] = [
    ["empty", new Uint8Array(0), "ETHER_SHORT"],
    ["13 bytes", new Uint8Array(13), "ETHER_SHORT"],
    ["another station's", ether("02:00:00:00:00:99", PEER, 0x0800, []), "ETHER_NOT_OURS"],
    ["from a group", ether(OWN, "01:00:5e:00:00:01", 0x0800, []), "ETHER_SOURCE_MULTICAST"],
    ["IPv6", ether(OWN, PEER, 0x86dd, new Uint8Array(40)), "ETHER_TYPE_UNKNOWN"],
    ["VLAN", ether(OWN, PEER, 0x8100, new Uint8Array(46)), "ETHER_TYPE_UNKNOWN"],
    ["802.3 length", ether(OWN, PEER, 46, new Uint8Array(46)), "ETHER_TYPE_UNKNOWN"],
    ["longer than the MTU", ether(OWN, PEER, 0x0800, new Uint8Array(1501)), "FRAME_TOO_LONG"],
  ];
  const mbufs = host.mbufs();
  for (const [name, frame, fate] of cases) assertEquals(host.input(port, frame), [fate], name);
  assertEquals(host.count(port, "idrops"), cases.length);
  assertEquals(host.count(port, "ierrors"), 1, "the length 0 is the driver's fault");
  assertEquals(host.mbufs() <= mbufs + 1, true);
});

Deno.test("if: a driver that lies about lengths and counts does no harm", () => {
  const { host, port } = etherHost();
  host.call.if_rx_prepare(port, 2);
  const ifp = host.call.if_ptr(port);
  const rxdesc = host.view.getUint32(ifp + Ifnet.rxdesc, true);
  host.view.setUint32(rxdesc + 4, 0xffffffff, true);
  host.view.setUint32(rxdesc + 12, 2047, true);
  host.call.if_input(port, 1000, host.now);
  assertEquals(host.count(port, "ierrors"), 1000);
  assertEquals(host.call.last_fate(), 65);
  host.call.if_txdone(port, 5);
  assertEquals(host.count(port, "opackets"), 5, "the five of conflict detection, and no more");
});

Deno.test("if: descriptors that are not used stay lent, and those of short frames", () => {
  const { host, port } = etherHost();
  assertEquals(host.call.if_rx_prepare(port, 1000), 64, "at most a ring");
  const rxdesc = host.view.getUint32(host.call.if_ptr(port) + Ifnet.rxdesc, true);
  const address = (i: number) => host.view.getUint32(rxdesc + 8 * i, true);
  const addresses = [0, 1, 2].map(address);
  assertEquals(addresses[2] % 4, 2, "so that the IP header is at a multiple of 4");
  for (const i of [0, 1]) {
    host.memory.set(REQUEST, address(i));
    host.view.setUint32(rxdesc + 8 * i + 4, REQUEST.length, true);
  }
  const mbufs = host.mbufs();
  host.call.if_input(port, 2, host.now);
  assertEquals(host.mbufs(), mbufs + 2, "short ones hold the replies in the send queue");
  assertEquals(host.call.if_rx_prepare(port, 3), 3);
  assertEquals([0, 1, 2].map(address), addresses);
  assertEquals(host.view.getUint32(rxdesc + 4, true), 2046, "the length is the room again");
});

Deno.test("if: without mbufs there are fewer descriptors, and later more again", () => {
  const { host, port } = etherHost({ mbufs_cluster: 20 });
  assertEquals(host.call.if_rx_prepare(port, 64), 18, "an eighth is left for sending");
  const long = new Uint8Array(1514);
  long.set(REQUEST);
  assertEquals(host.input(port, long), ["ARP_ANSWERED"]);
  assertEquals(host.call.if_rx_prepare(port, 64), 17);
  host.output(port);
  assertEquals(host.call.if_rx_prepare(port, 64), 18);
});

Deno.test("if: mbufs lent to drivers never shut out sending", () => {
  const { host, port } = etherHost({ mbufs_cluster: 64 });
  host.input(port, REQUEST);
  assertEquals(host.call.if_rx_prepare(port, 64) > 32, true);
  const second = host.attach({ name: "eth1", hwaddr: "02:00:00:00:00:09" });
  assertEquals(host.call.if_rx_prepare(second, 64), 1, "one is always lent");
  const data = new Uint8Array(1000);
  assertEquals(host.send(host.udp(0), data, "10.0.0.2", 9), 1000);
});

Deno.test("if: frames stay in the send queue until the driver has sent them", () => {
  const { host, port } = etherHost();
  for (let i = 0; i < 3; i++) host.input(port, REQUEST);
  assertEquals(host.call.if_tx_prepare(port, 64), 3);
  assertEquals(host.call.if_tx_prepare(port, 2), 2, "offered again");
  host.call.if_txdone(port, 9);
  assertEquals(host.call.if_tx_prepare(port, 64), 1, "only what was lent is done");
  host.call.if_txdone(port, 0);
  assertEquals(host.output(port).length, 1);
  assertEquals(host.count(port, "opackets"), 5 + 3);
});

Deno.test("if: a full send queue refuses, counts, and takes again", () => {
  const { host, port } = etherHost({ mbufs_small: 4096, mbufs_cluster: 256 });
  host.input(port, REQUEST);
  host.output(port);
  const so = host.udp(0);
  let sent = 0;
  while (host.send(so, bytes(1), "10.0.0.2", 9) === 1) sent++;
  assertEquals(sent, 1024);
  assertEquals(host.send(so, bytes(1), "10.0.0.2", 9), -Errno.ENOBUFS);
  assertEquals(host.count(port, "odrops"), 2);
  assertEquals(host.output(port).length, 1024);
  assertEquals(host.send(so, bytes(1), "10.0.0.2", 9), 1);
});

Deno.test("if: a driver that sends nothing does not keep the last mbufs", () => {
  const { host, port } = etherHost({ mbufs_cluster: 256 });
  const second = host.attach({ name: "eth1", hwaddr: "02:00:00:00:00:09" });
  host.address(second, "10.0.1.1/24");
  host.output(second);
  host.input(port, REQUEST);
  const so = host.udp(0);
  const data = new Uint8Array(1000);
  let sent = 0;
  while (host.send(so, data, "10.0.0.2", 9) === 1000) sent++;
  assertEquals(sent > 192 && sent < 256, true, `${sent} packets wait`);
  assertEquals(host.count(port, "odrops"), 1);
  const ask = arp({ op: 1, sha: PEER, spa: "10.0.1.2", tpa: "10.0.1.1" });
  assertEquals(host.input(second, ether("ff:ff:ff:ff:ff:ff", PEER, 0x0806, ask)), [
    "ARP_ANSWERED",
  ]);
  assertEquals(host.send(so, data, "10.0.1.2", 9), 1000, "the other interface sends");
  assertEquals(host.output(port).length, sent + 1);
});

Deno.test("if: detaching frees every mbuf, route and neighbour of the interface", () => {
  const host = new Host();
  const mbufs = host.mbufs();
  const routes = host.call.probe_route_count();
  const port = host.attach({ name: "eth0" });
  host.address(port, "10.0.0.1/24");
  host.route("0.0.0.0/0", "10.0.0.254");
  host.input(port, REQUEST);
  host.send(host.udp(0), bytes(1), "10.0.0.7", 9);
  host.call.if_tx_prepare(port, 2);
  assertEquals(host.call.if_detach(port), 0);
  assertEquals(host.mbufs(), mbufs);
  assertEquals(host.call.probe_route_count(), routes);
  assertEquals(host.call.probe_arp_count(), 0);
  assertEquals(host.call.if_rx_prepare(port, 4), 0);
  assertEquals(host.call.if_tx_prepare(port, 4), 0);
  host.call.if_input(port, 4, host.now);
  host.advance(10_000_000);
  assertEquals(host.mbufs(), mbufs);
});

Deno.test("if: while an interface is down nothing comes or goes", () => {
  const { host, port } = etherHost();
  const so = host.udp(7);
  host.ioctl(Sioc.SIFFLAGS, { ifindex: port, flags: 0 });
  assertEquals(host.input(port, datagram(7, bytes(1))), ["IF_DOWN"]);
  assertEquals(host.send(so, bytes(1), "10.0.0.2", 9), -Errno.ENETUNREACH);
  host.ioctl(Sioc.SIFFLAGS, { ifindex: port, flags: Iff.UP });
  assertEquals(host.input(port, datagram(7, bytes(1))), ["UDP_DELIVERED"]);
  host.advance(10_000_000);
  assertEquals(host.output(port).length >= 5, true, "the address is announced again");
});

Deno.test("if: a bare IP medium carries packets without headers; IPv6 is unknown", () => {
  const host = new Host();
  const port = host.attach({ medium: Medium.IP, flags: Iff.POINTOPOINT });
  assertEquals(host.address(port, "10.0.0.1", { dst: ip("10.0.0.2") }), 0);
  const so = host.udp(7);
  assertEquals(host.input(port, datagram(7, bytes(5)).slice(14)), ["UDP_DELIVERED"]);
  assertEquals(host.input(port, new Uint8Array(0)), ["IP_SHORT"]);
  assertEquals(host.input(port, bytes(0x60, new Uint8Array(39))), ["ETHER_TYPE_UNKNOWN"]);
  assertEquals(host.send(so, bytes(1, 2), "10.0.0.2", 9), 2);
  const [packet] = host.output(port);
  assertEquals(packet[0], 0x45);
  assertEquals(packet.length, 30);
  assertEquals(host.send(so, bytes(1), "10.0.0.3", 9), -Errno.ENETUNREACH);
});

Deno.test("if: a device that verifies checksums is believed", () => {
  const host = new Host();
  const port = host.attach({ caps: IfCap.RXCSUM });
  host.address(port, "10.0.0.1/24");
  host.udp(7);
  const payload = udp("10.0.0.2", "10.0.0.1", 9, 7, bytes(1));
  payload[6] ^= 0x55;
  const wrong = { src: "10.0.0.2", dst: "10.0.0.1", proto: 17, payload, checksum: 0x1234 };
  assertEquals(host.input(port, toHost(ip4(wrong))), ["UDP_DELIVERED"]);
  const plain = etherHost();
  assertEquals(plain.host.input(plain.port, toHost(ip4(wrong))), ["IP_CHECKSUM"]);
});

Deno.test("if: ethertypes have one owner each, within a limit", () => {
  const { host } = etherHost();
  const { probe_type_add: add, probe_type_del: del, probe_type_find: find } = host.call;
  assertEquals(add(0x0800, 1), -Errno.EEXIST);
  assertEquals(add(0x88b5, 0), -Errno.EINVAL);
  assertEquals(add(0x88b5, 1), 0);
  assertEquals(find(0x88b5), 1);
  assertEquals(del(0x88b5), 0);
  assertEquals(del(0x88b5), -Errno.ENOENT);
  let n = 0;
  while (add(0x9000 + n, 1) === 0) n++;
  assertEquals(n, 14);
  assertEquals(add(0x9fff, 1), -Errno.ENOBUFS);
});

Deno.test("if: counters of bytes, groups and drops add up", () => {
  const { host, port } = etherHost();
  const before = host.count(port, "ipackets");
  const frames = [REQUEST, datagram(9, bytes(1)), ether(OWN, PEER, 0x9999, [])];
  host.input(port, ...frames);
  assertEquals(host.count(port, "ipackets") - before, 3);
  assertEquals(host.count(port, "ibytes"), frames.reduce((n, f) => n + f.length, 0));
  assertEquals(host.count(port, "imcasts"), 1);
  assertEquals(host.count(port, "omcasts"), 5);
  assertEquals(host.count(port, "idrops"), 2);
});
