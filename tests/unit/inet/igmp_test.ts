/** IGMP version 2, the host's side (RFC 2236), and multicast in and out. */

import { assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { IpOpt } from "../../../assembly/abi/socket.ts";
import { Iff, Medium } from "../../../assembly/abi/ifnet.ts";
import { bytes, checksum, ether, igmp, ip, ip4, ipText } from "../net/frames.ts";
import { readEther, readIp4, u32, udp } from "../net/frames.ts";
import { etherHost, Host, PEER } from "../net/host.ts";

const S = 1_000_000;
const GROUP = "224.5.6.7";
const GROUP_MAC = "01:00:5e:05:06:07";
const [QUERY, V1_REPORT, REPORT, LEAVE] = [0x11, 0x12, 0x16, 0x17];

/** Argument of the membership options: group and interface index (0: by route), host order. */
function mreq(group: string, ifindex = 0): Uint8Array {
  return new Uint8Array(Uint32Array.of(ip(group), ifindex).buffer);
}

function join(host: Host, so: number, group: string, ifindex?: number): number {
  return host.setopt(so, IpProto.IP, IpOpt.ADD_MEMBERSHIP, mreq(group, ifindex));
}

function leave(host: Host, so: number, group: string): number {
  return host.setopt(so, IpProto.IP, IpOpt.DROP_MEMBERSHIP, mreq(group));
}

/** What IGMP wants to send: type, group and destination. */
function out(host: Host, port: number): [number, string, string][] {
  return host.output(port).map((frame) => {
    const { dst, payload } = readEther(frame);
    const packet = readIp4(payload);
    assertEquals([packet.proto, packet.ttl], [2, 1]);
    assertEquals([...packet.options], [148, 4, 0, 0], "Router Alert");
    assertEquals(checksum(packet.payload), 0);
    assertEquals(dst.startsWith("01:00:5e:"), true);
    const group = new DataView(packet.payload.slice().buffer).getUint32(4);
    return [packet.payload[0], ipText(group), packet.dst];
  });
}

function fromRouter(type: number, tenths: number, group: string, dst: string): Uint8Array {
  const options = [148, 4, 0, 0];
  const payload = igmp(type, tenths, group);
  const packet = ip4({ src: "10.0.0.254", dst, proto: 2, ttl: 1, options, payload });
  const low = u32(ip(dst));
  low[0] = 0x5e;
  low[1] &= 127;
  return ether(`01:00:${low.map((b) => b.toString(16)).join(":")}`, PEER, 0x0800, packet);
}

/** A host on a link whose router speaks version 2. */
function v2Host(): { host: Host; port: number } {
  const made = etherHost();
  const query = fromRouter(QUERY, 1, "0.0.0.0", "224.0.0.1");
  assertEquals(made.host.input(made.port, query), ["IGMP_ACCEPTED"]);
  return made;
}

/** Lets time pass and answers when, in steps of 0.1 s, something was sent. */
function listen(host: Host, port: number, seconds: number): [number, number, string, string][] {
  const begin = host.now;
  const heard: [number, number, string, string][] = [];
  for (let i = 0; i < seconds * 10; i++) {
    host.advance(S / 10);
    for (const sent of out(host, port)) heard.push([(host.now - begin) / S, ...sent]);
  }
  return heard;
}

Deno.test("igmp 2: joining reports at once and once more; leaving says so", () => {
  const { host, port } = v2Host();
  const so = host.udp(7);
  assertEquals(join(host, so, GROUP), 0);
  assertEquals(out(host, port), [[REPORT, GROUP, GROUP]]);
  const later = listen(host, port, 30);
  assertEquals(later.map(([, ...sent]) => sent), [[REPORT, GROUP, GROUP]]);
  assertEquals(later[0][0] <= 10.1, true);
  assertEquals(leave(host, so, GROUP), 0);
  assertEquals(out(host, port), [[LEAVE, GROUP, "224.0.0.2"]]);
  assertEquals(listen(host, port, 30), []);
});

Deno.test("igmp 2: members share a group; the last one leaves it", () => {
  const { host, port } = v2Host();
  const [a, b] = [host.udp(7), host.udp(8)];
  join(host, a, GROUP);
  join(host, b, GROUP);
  assertEquals(out(host, port).length, 1);
  leave(host, a, GROUP);
  assertEquals(out(host, port), []);
  host.call.so_close(b);
  assertEquals(out(host, port), [[LEAVE, GROUP, "224.0.0.2"]], "closing leaves");
  assertEquals(leave(host, a, GROUP), -Errno.EADDRNOTAVAIL);
});

Deno.test("igmp 2: a general query is answered for each group within its time", () => {
  const { host, port } = v2Host();
  const so = host.udp(7);
  join(host, so, GROUP);
  join(host, so, "224.5.6.8");
  listen(host, port, 12);
  assertEquals(host.input(port, fromRouter(QUERY, 50, "0.0.0.0", "224.0.0.1")), ["IGMP_ACCEPTED"]);
  const answers = listen(host, port, 20);
  assertEquals(answers.map(([, type, group]) => [type, group]).sort(), [
    [REPORT, GROUP],
    [REPORT, "224.5.6.8"],
  ]);
  for (const [at] of answers) assertEquals(at <= 5.1, true, `after ${at} s`);
  host.input(port, fromRouter(QUERY, 10, GROUP, GROUP));
  assertEquals(listen(host, port, 20).map(([, , group]) => group), [GROUP]);
});

Deno.test("igmp 2: another member's report makes ours needless, and the leave too", () => {
  const { host, port } = v2Host();
  const so = host.udp(7);
  join(host, so, GROUP);
  listen(host, port, 12);
  host.input(port, fromRouter(QUERY, 100, "0.0.0.0", "224.0.0.1"));
  assertEquals(host.input(port, fromRouter(REPORT, 0, GROUP, GROUP)), ["IGMP_ACCEPTED"]);
  assertEquals(listen(host, port, 20), []);
  leave(host, so, GROUP);
  assertEquals(out(host, port), [], "somebody else reported last");
});

Deno.test("igmp 2: an earlier deadline stands, a later one gives way to a quicker query", () => {
  const { host, port } = v2Host();
  join(host, host.udp(7), GROUP);
  listen(host, port, 12);
  host.input(port, fromRouter(QUERY, 250, "0.0.0.0", "224.0.0.1"));
  host.input(port, fromRouter(QUERY, 1, GROUP, GROUP));
  const answers = listen(host, port, 30);
  assertEquals(answers.length, 1);
  assertEquals(answers[0][0] <= 0.3, true);
});

Deno.test("igmp: while a version 1 router is about, reports are version 1, none leaves", () => {
  const { host, port } = v2Host();
  const so = host.udp(7);
  join(host, so, GROUP);
  listen(host, port, 12);
  host.input(port, fromRouter(QUERY, 0, "0.0.0.0", "224.0.0.1"));
  assertEquals(listen(host, port, 12).map(([, type]) => type), [V1_REPORT]);
  leave(host, so, GROUP);
  assertEquals(out(host, port), []);
  host.advance(400 * S);
  join(host, so, GROUP);
  assertEquals(out(host, port).map(([type]) => type), [0x22]);
});

Deno.test("igmp: messages that make no sense are dropped", () => {
  const { host, port } = etherHost();
  const wrong = igmp(QUERY, 10, "0.0.0.0");
  wrong[3] ^= 1;
  const cases: [string, Uint8Array, string][] = [
    ["checksum", wrong, "IGMP_INVALID"],
    ["short", igmp(QUERY, 10, "0.0.0.0").slice(0, 7), "IGMP_INVALID"],
    ["unknown type", igmp(0x55, 0, GROUP), "IGMP_INVALID"],
    ["a leave, for routers", igmp(LEAVE, 0, GROUP), "IGMP_ACCEPTED"],
  ];
  for (const [name, payload, fate] of cases) {
    const packet = ip4({ src: "10.0.0.254", dst: "224.0.0.1", proto: 2, ttl: 1, payload });
    assertEquals(host.input(port, ether("01:00:5e:00:00:01", PEER, 0x0800, packet)), [fate], name);
  }
});

Deno.test("igmp: the all-hosts group, and interfaces without groups, are not reported", () => {
  const { host, port } = v2Host();
  const so = host.udp(7);
  assertEquals(join(host, so, "224.0.0.1"), 0);
  assertEquals(join(host, so, "10.0.0.9"), -Errno.EINVAL);
  assertEquals(out(host, port), []);
  const plain = new Host();
  const tun = plain.attach({ medium: Medium.IP, flags: Iff.POINTOPOINT });
  plain.address(tun, "10.0.0.1/24");
  assertEquals(join(plain, plain.udp(7), GROUP, tun), -Errno.EADDRNOTAVAIL);
});

Deno.test("multicast: a joined group is received, another is not", () => {
  const { host, port } = etherHost();
  const so = host.udp(7);
  join(host, so, GROUP);
  out(host, port);
  const datagram = (dst: string) => {
    const payload = udp("10.0.0.2", dst, 9, 7, bytes(5));
    return ether(GROUP_MAC, PEER, 0x0800, ip4({ src: "10.0.0.2", dst, proto: 17, payload }));
  };
  assertEquals(host.input(port, datagram(GROUP)), ["UDP_DELIVERED"]);
  // the same hardware address, another group
  assertEquals(host.input(port, datagram("225.5.6.7")), ["IP_MULTICAST_NOT_MEMBER"]);
  assertEquals(host.input(port, datagram("224.133.6.7")), ["IP_MULTICAST_NOT_MEMBER"]);
});

Deno.test("multicast: sent to the group's hardware address, with TTL 1, and to ourselves", () => {
  const { host, port } = etherHost();
  const so = host.udp(7);
  assertEquals(host.send(so, bytes(1), "224.133.6.7", 7), 1);
  const [frame] = host.output(port).map(readEther);
  assertEquals(frame.dst, GROUP_MAC, "23 bits of the group");
  assertEquals(readIp4(frame.payload).ttl, 1);
  assertEquals(host.pollFates(), [], "not a member: no copy");
  join(host, so, GROUP);
  out(host, port);
  host.send(so, bytes(1), GROUP, 7);
  assertEquals(host.output(port).length, 1);
  assertEquals(host.pollFates(), ["UDP_DELIVERED"]);
  host.setopt(so, IpProto.IP, IpOpt.MULTICAST_LOOP, 0);
  host.send(so, bytes(1), GROUP, 7);
  assertEquals(host.output(port).length, 1);
  assertEquals(host.pollFates(), []);
});

Deno.test("multicast: TTL 0 stays on this host (RFC 1112 6.1)", () => {
  const { host, port } = etherHost();
  const so = host.udp(7);
  join(host, so, GROUP);
  out(host, port);
  host.setopt(so, IpProto.IP, IpOpt.MULTICAST_TTL, 0);
  assertEquals(host.send(so, bytes(1), GROUP, 7), 1);
  assertEquals(host.output(port), []);
  assertEquals(host.pollFates(), ["UDP_DELIVERED"]);
});

Deno.test("multicast: a membership ends with its interface, whoever has the index next", () => {
  const { host, port } = etherHost();
  const [old, young] = [host.udp(7000), host.udp(7001)];
  assertEquals(join(host, old, GROUP, port), 0);
  host.call.if_detach(port);
  assertEquals(host.attach({ name: "eth1" }), port);
  host.address(port, "10.0.0.1/24");
  assertEquals(join(host, young, GROUP, port), 0);
  host.output(port);
  const arrive = (dport: number) => {
    const payload = udp("10.0.0.2", GROUP, 9, dport, bytes(1));
    const packet = ip4({ src: "10.0.0.2", dst: GROUP, proto: 17, ttl: 1, payload });
    return host.input(port, ether(GROUP_MAC, PEER, 0x0800, packet));
  };
  assertEquals(arrive(7000), ["UDP_NO_PORT_BROADCAST"], "it had joined on the other interface");
  assertEquals(join(host, old, GROUP, port), 0, "and may join on this one");
  assertEquals(host.call.so_close(old), 0);
  assertEquals(out(host, port), [], "the other socket is still a member");
  assertEquals(arrive(7001), ["UDP_DELIVERED"]);
});
