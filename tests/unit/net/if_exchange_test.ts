/** Interfaces that get another device: what stays, what is dropped, what is refused. */

import { assert, assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { IfCap, Iff, Medium, Sioc } from "../../../assembly/abi/ifnet.ts";
import { Ifnet } from "../../../runtime/wasm/layout.gen.ts";
import { arp, BROADCAST, bytes, ether, ip } from "./frames.ts";
import { etherHost, Host, OWN, PEER } from "./host.ts";

const OTHER = "02:00:00:00:00:77";
const REPLY = ether(
  OWN,
  PEER,
  0x0806,
  arp({ op: 2, sha: PEER, spa: "10.0.0.2", tha: OWN, tpa: "10.0.0.1" }),
);

/** An interface with one frame in its queue, to a neighbour that is known. */
function queued(): { host: Host; port: number; so: number } {
  const { host, port } = etherHost();
  host.output(port);
  host.input(port, REPLY);
  const so = host.udp(0);
  host.send(so, bytes(1, 2, 3), "10.0.0.2", 9);
  host.output(port);
  host.input(port, REPLY);
  host.output(port);
  host.send(so, bytes(4, 5, 6), "10.0.0.2", 9);
  return { host, port, so };
}

Deno.test("if: a device like the old one sends what waits, and announces the addresses", () => {
  const { host, port } = queued();
  const routes = host.call.probe_route_count();
  assertEquals(host.attach({ ifindex: port }), port);
  assertEquals(host.call.probe_route_count(), routes);
  assertEquals(host.call.probe_arp_count(), 0, "the neighbours are of another wire");
  const [data, announcement, ...rest] = host.output(port);
  assertEquals([...data.slice(-3)], [4, 5, 6]);
  const said = arp({ op: 1, sha: OWN, spa: "10.0.0.1", tpa: "10.0.0.1" });
  assertEquals([...announcement.slice(0, 42)], [...ether(BROADCAST, OWN, 0x0806, said)]);
  assertEquals(rest, []);
  assertEquals(host.count(port, "odrops"), 0);
});

Deno.test("if: another hardware address is used and announced; frames with the old one go", () => {
  const { host, port, so } = queued();
  const mbufs = host.mbufs();
  assertEquals(host.attach({ ifindex: port, hwaddr: OTHER }), port);
  assertEquals(host.count(port, "odrops"), 1);
  const frames = host.output(port);
  assertEquals(frames.map((frame) => [...frame.slice(6, 12)]), [[2, 0, 0, 0, 0, 0x77]]);
  assert(host.mbufs() < mbufs);
  host.send(so, bytes(1), "10.0.0.2", 9);
  assertEquals([...host.output(port)[0].slice(22, 28)], [2, 0, 0, 0, 0, 0x77], "ARP asks anew");
});

Deno.test("if: slots come and go with large frames; an exchange holds no mbuf", () => {
  const { host, port } = queued();
  const field = (name: "slots" | "slot_count" | "mtu" | "caps") =>
    host.view.getUint32(host.call.if_ptr(port) + Ifnet[name], true);
  host.attach({ ifindex: port });
  host.output(port);
  const plain = host.mbufs();
  assertEquals(host.attach({ ifindex: port, mtu: 9000 }), port);
  assert(field("slots") > 0 && field("slot_count") > 0);
  const slots = field("slots");
  assertEquals(field("mtu"), 9000);
  assertEquals(host.attach({ ifindex: port, caps: IfCap.VNET_HDR }), port);
  assertEquals([field("slots"), field("mtu"), field("caps")], [slots, 1500, IfCap.VNET_HDR]);
  assertEquals(host.attach({ ifindex: port }), port);
  assertEquals([field("slots"), field("slot_count"), field("caps")], [0, 0, 0]);
  assertEquals(host.attach({ ifindex: port, caps: IfCap.VNET_HDR }), port);
  assertEquals(field("slots"), slots, "the memory of the index is used again");
  assertEquals(host.attach({ ifindex: port }), port);
  host.output(port);
  assertEquals(host.mbufs(), plain);
});

Deno.test("if: another kind of link is refused, and nothing has changed", () => {
  const { host, port } = queued();
  const p2p = Iff.POINTOPOINT | Iff.NOARP;
  const cases: [string, number, number][] = [
    ["medium", host.attach({ ifindex: port, medium: Medium.IP }), -Errno.EINVAL],
    ["one peer", host.attach({ ifindex: port, flags: p2p }), -Errno.EINVAL],
    ["MTU", host.attach({ ifindex: port, mtu: 67 }), -Errno.EINVAL],
    ["group", host.attach({ ifindex: port, hwaddr: "01:00:00:00:00:01" }), -Errno.EINVAL],
    ["loopback", host.attach({ ifindex: 1, medium: Medium.IP, flags: 0 }), -Errno.EINVAL],
    ["no such", host.attach({ ifindex: 9 }), -Errno.ENXIO],
  ];
  for (const [name, actual, expected] of cases) assertEquals(actual, expected, name);
  assertEquals(host.call.probe_arp_count(), 1);
  assertEquals([...host.output(port)[0].slice(-3)], [4, 5, 6]);
});

Deno.test("if: without memory for large frames the old device stays", () => {
  const host = new Host({ mbufs_cluster: 5600 });
  const port = host.attach({ name: "eth0" });
  host.address(port, "10.0.0.1/24");
  let room = 0;
  while (host.attach({ name: `big${room}`, mtu: 9000 }) > 0) room++;
  assertEquals(host.attach({ ifindex: port, mtu: 9000 }), -Errno.ENOBUFS);
  assertEquals(host.lookup("10.0.0.2")?.mtu, 1500);
  assertEquals(host.attach({ ifindex: port, mtu: 1400 }), port);
});

Deno.test("if: an interface that is down stays so, unless it is told to come up", () => {
  const { host, port, so } = queued();
  host.ioctl(Sioc.SIFFLAGS, { ifindex: port, flags: 0 });
  assertEquals(host.attach({ ifindex: port }), port);
  assertEquals(host.output(port), []);
  assertEquals(host.send(so, bytes(1), "10.0.0.2", 9), -Errno.ENETUNREACH);
  const flags = Iff.UP | Iff.BROADCAST | Iff.MULTICAST | Iff.SIMPLEX;
  assertEquals(host.attach({ ifindex: port, flags }), port);
  assertEquals(host.send(so, bytes(1), "10.0.0.2", 9), 1);
  const asked = host.output(port).map((frame) => [...frame.slice(38, 42)].join("."));
  assertEquals(asked, ["10.0.0.1", "10.0.0.2"]);
  assertEquals(host.lookup("10.0.0.1")?.dst, ip("10.0.0.1"));
});
