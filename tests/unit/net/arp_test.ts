/** ARP and address conflict detection, frame by frame. */

import { assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Sioc } from "../../../assembly/abi/ifnet.ts";
import { Limits } from "../../../assembly/abi/limits.ts";
import { Sock } from "../../../assembly/abi/socket.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import { IfReq } from "../../../runtime/wasm/layout.gen.ts";
import { arp, type ArpFields, BROADCAST, bytes, ether, ip, ip4, mac, udp } from "./frames.ts";
import { readArp, readEther, readIp4 } from "./frames.ts";
import { etherHost, Host, OWN, PEER } from "./host.ts";

const S = 1_000_000;

function arpFrame(fields: ArpFields, dst = BROADCAST, src = fields.sha): Uint8Array {
  return ether(dst, src, 0x0806, arp(fields));
}

const request: ArpFields = { op: 1, sha: PEER, spa: "10.0.0.2", tpa: "10.0.0.1" };
const reply: ArpFields = { op: 2, sha: PEER, spa: "10.0.0.2", tha: OWN, tpa: "10.0.0.1" };

/** ARP packets that an interface wants to send. */
function arpsOut(host: Host, port: number): (Required<ArpFields> & { to: string })[] {
  const frames = host.output(port).map(readEther).filter(({ type }) => type === 0x0806);
  return frames.map(({ payload, dst }) => ({ ...readArp(payload), to: dst }));
}

Deno.test("arp: a request for our address is answered, padding or not (RFC 826)", () => {
  const { host, port } = etherHost();
  assertEquals(host.input(port, arpFrame(request)), ["ARP_ANSWERED"]);
  const padded = bytes(arpFrame(request), new Uint8Array(18));
  assertEquals(host.input(port, padded), ["ARP_ANSWERED"]);
  const expected = { op: 2, sha: OWN, spa: "10.0.0.1", tha: PEER, tpa: "10.0.0.2" };
  const frames = host.output(port);
  assertEquals(frames.map((f) => f.length), [42, 42]);
  for (const frame of frames) {
    const { dst, src, type, payload } = readEther(frame);
    assertEquals({ dst, src, type }, { dst: PEER, src: OWN, type: 0x0806 });
    assertEquals<unknown>(readArp(payload), expected);
  }
});

Deno.test("arp: the neighbour of a request is known afterwards", () => {
  const { host, port } = etherHost();
  host.input(port, arpFrame(request));
  host.output(port);
  const so = host.udp(0);
  assertEquals(host.send(so, bytes(1, 2, 3), "10.0.0.2", 9), 3);
  const [frame] = host.output(port);
  assertEquals(readEther(frame).dst, PEER);
  assertEquals(readIp4(readEther(frame).payload).dst, "10.0.0.2");
});

Deno.test("arp: packets are held until the answer; beyond the limit the oldest goes", () => {
  const { host, port } = etherHost({ mbufs_small: 2048 });
  const so = host.udp(0);
  const most: number = Limits.ARP_HOLD;
  for (let i = 0; i < most + 2; i++) {
    assertEquals(host.send(so, bytes(i & 255), "10.0.0.2", 9), 1);
  }
  const asked = arpsOut(host, port);
  assertEquals(asked.map(({ op, tpa, spa, to }) => [op, tpa, spa, to]), [
    [1, "10.0.0.2", "10.0.0.1", BROADCAST],
  ]);
  assertEquals(host.count(port, "odrops"), 2);
  assertEquals(host.input(port, arpFrame(reply, OWN)), ["ARP_LEARNED"]);
  const sent = host.packets(port).map((p) => readIp4(p).payload[8]);
  assertEquals(sent, Array.from({ length: most }, (_, i) => (i + 2) & 255));
});

Deno.test("arp: addresses that nobody has cannot pin the last mbufs", () => {
  const { host, port } = etherHost({ mbufs_small: 64 });
  const so = host.udp(0);
  for (let i = 0; i < 100; i++) assertEquals(host.send(so, bytes(i), "10.0.0.2", 9), 1);
  assertEquals(host.count(port, "odrops") > 40, true);
  assertEquals(host.input(port, arpFrame(reply, OWN)), ["ARP_LEARNED"]);
  const sent = host.packets(port).map((p) => readIp4(p).payload[8]);
  assertEquals(sent.at(-1), 99);
});

Deno.test("arp: three requests a second apart, then EHOSTDOWN for a while, then anew", () => {
  const { host, port } = etherHost();
  const so = host.udp(0);
  const mbufs = host.mbufs();
  assertEquals(host.connect(so, "10.0.0.9", 9), 0);
  assertEquals(host.send(so, bytes(1)), 1);
  let asked = 0;
  for (let s = 0; s < 3; s++) {
    asked += arpsOut(host, port).length;
    assertEquals(asked, s + 1, `after ${s} s`);
    host.advance(1 * S);
  }
  assertEquals(arpsOut(host, port).length, 0);
  assertEquals(host.stat(Stat.ARP_TIMEOUTS), 1);
  assertEquals(host.mbufs(), mbufs, "held packets are freed");
  // the sender of the held packet hears of it by way of ctlinput
  assertEquals(host.send(so, bytes(1)), -Errno.EHOSTDOWN);
  assertEquals(host.send(so, bytes(1)), -Errno.EHOSTDOWN);
  assertEquals(arpsOut(host, port).length, 0, "a dead neighbour is not asked");
  host.advance(5 * S);
  assertEquals(host.send(so, bytes(1)), 1);
  assertEquals(arpsOut(host, port).length, 1);
});

Deno.test("arp: an entry in use is refreshed by unicast after 20 minutes", () => {
  const { host, port } = etherHost();
  host.input(port, arpFrame(request));
  host.output(port);
  const so = host.udp(0);
  host.send(so, bytes(1), "10.0.0.2", 9);
  host.output(port);
  host.advance(1200 * S);
  const [probe] = arpsOut(host, port);
  assertEquals([probe.op, probe.to, probe.tpa], [1, PEER, "10.0.0.2"]);
  host.send(so, bytes(1), "10.0.0.2", 9);
  assertEquals(host.packets(port).length, 1, "it is used meanwhile");
  host.input(port, arpFrame(reply, OWN));
  host.advance(5 * S);
  assertEquals(arpsOut(host, port).length, 0, "the answer ends the probing");
});

Deno.test("arp: an entry that does not answer, or is not used, is forgotten", () => {
  const { host, port } = etherHost();
  host.input(port, arpFrame(request));
  host.output(port);
  assertEquals(host.call.probe_arp_count(), 1);
  host.advance(1200 * S);
  assertEquals(arpsOut(host, port).length, 0, "not used: not asked");
  assertEquals(host.call.probe_arp_count(), 0);
  host.input(port, arpFrame(request));
  host.send(host.udp(0), bytes(1), "10.0.0.2", 9);
  host.output(port);
  host.advance(1200 * S);
  host.advance(3 * S);
  assertEquals(arpsOut(host, port).length, 3);
  assertEquals(host.call.probe_arp_count(), 0);
});

Deno.test("MUST-20, MUST-22, SHLD-10: after three timeouts TCP has the neighbour asked", () => {
  const { host, port } = etherHost();
  host.input(port, arpFrame(request));
  host.output(port);
  host.connect(host.socket(Sock.STREAM, 0), "10.0.0.2", 80);
  const before = [1, 2].map((seconds) => {
    host.advance(seconds * S);
    return arpsOut(host, port).length;
  });
  assertEquals(before, [0, 0]);
  host.advance(4 * S);
  const [probe] = arpsOut(host, port);
  assertEquals([probe.op, probe.to, probe.tpa], [1, PEER, "10.0.0.2"]);
  host.advance(4 * S);
  assertEquals(arpsOut(host, port).length, 2);
  assertEquals(host.call.probe_arp_count(), 0, "a dead gateway is forgotten");
});

Deno.test("arp: nothing is learned from packets that are not for us", () => {
  const { host, port } = etherHost();
  const other: ArpFields = { op: 1, sha: PEER, spa: "10.0.0.2", tpa: "10.0.0.3" };
  const announcement: ArpFields = { op: 1, sha: PEER, spa: "10.0.0.2", tpa: "10.0.0.2" };
  const strange: ArpFields = { ...request, spa: "192.0.2.1" };
  assertEquals(host.input(port, arpFrame(other)), ["ARP_IGNORED"]);
  assertEquals(host.input(port, arpFrame(announcement)), ["ARP_IGNORED"]);
  assertEquals(host.call.probe_arp_count(), 0);
  assertEquals(host.input(port, arpFrame(strange)), ["ARP_ANSWERED"]);
  assertEquals(host.call.probe_arp_count(), 0, "not on this link");
  host.input(port, arpFrame(request));
  const moved = { ...announcement, sha: "02:00:00:00:00:77" };
  assertEquals(host.input(port, arpFrame(moved)), ["ARP_LEARNED"]);
  host.output(port);
  host.send(host.udp(0), bytes(1), "10.0.0.2", 9);
  assertEquals(readEther(host.output(port)[0]).dst, "02:00:00:00:00:77");
});

Deno.test("arp: malformed packets and impossible senders are dropped under their rule", () => {
  const { host, port } = etherHost();
  const frame = arpFrame(request);
  const changed = (at: number, ...values: number[]) => {
    const copy = frame.slice();
    copy.set(values, at);
    return copy;
  };
  const cases: [string, Uint8Array, string][] = [
    ["cut short", frame.slice(0, 41), "ARP_MALFORMED"],
    ["hardware type", changed(15, 6), "ARP_MALFORMED"],
    ["protocol type", changed(16, 0x86, 0xdd), "ARP_MALFORMED"],
    ["hardware length", changed(18, 8), "ARP_MALFORMED"],
    ["protocol length", changed(19, 16), "ARP_MALFORMED"],
    ["operation 3", changed(21, 3), "ARP_IGNORED"],
    ["sender is a group", changed(22, 1), "ARP_SOURCE_INVALID"],
    ["sender is us", changed(22, ...mac(OWN)), "ARP_SOURCE_INVALID"],
    ["sender address is a group", changed(28, 224, 0, 0, 1), "ARP_SOURCE_INVALID"],
    ["sender address is loopback", changed(28, 127, 0, 0, 1), "ARP_SOURCE_INVALID"],
  ];
  for (const [name, bad, fate] of cases) assertEquals(host.input(port, bad), [fate], name);
  assertEquals(host.output(port), []);
  assertEquals(host.count(port, "idrops"), cases.length - 1, "operation 3 is not a fault");
});

Deno.test("arp: the table has a limit; the entry confirmed longest ago makes room", () => {
  const { host, port } = etherHost({ neighbors: 4 });
  for (let i = 2; i < 8; i++) host.input(port, arpFrame({ ...request, spa: `10.0.0.${i}` }));
  assertEquals(host.call.probe_arp_count(), 4);
  const known = [2, 3, 4, 5, 6, 7].filter((i) =>
    host.ioctl(Sioc.GARP, { ifindex: port, addr: ip(`10.0.0.${i}`) }) === 0
  );
  assertEquals(known, [4, 5, 6, 7]);
});

Deno.test("arp: static entries stay as they are; ioctls set, show and delete them", () => {
  const { host, port } = etherHost({ neighbors: 2 });
  const hw = bytes(mac("02:00:00:00:00:55"));
  const words = new DataView(hw.buffer);
  const set = {
    ifindex: port,
    addr: ip("10.0.0.5"),
    hwaddr_hi: words.getUint32(0, true),
    hwaddr_lo: words.getUint16(4, true),
  };
  assertEquals(host.ioctl(Sioc.SARP, set), 0);
  for (let i = 20; i < 25; i++) host.input(port, arpFrame({ ...request, spa: `10.0.0.${i}` }));
  host.input(port, arpFrame({ ...reply, spa: "10.0.0.5" }, OWN));
  host.advance(4000 * S);
  host.output(port);
  host.send(host.udp(0), bytes(1), "10.0.0.5", 9);
  assertEquals(readEther(host.output(port)[0]).dst, "02:00:00:00:00:55");
  assertEquals(host.ioctl(Sioc.GARP, { ifindex: port, addr: set.addr }), 0);
  assertEquals(host.req("hwaddr_hi"), set.hwaddr_hi);
  assertEquals(host.ioctl(Sioc.GARP, { ifindex: 0, i: 9 }), -Errno.ENOENT);
  assertEquals(host.ioctl(Sioc.DARP, { ifindex: port, addr: set.addr }), 0);
  assertEquals(host.ioctl(Sioc.DARP, { ifindex: port, addr: set.addr }), -Errno.ENOENT);
  assertEquals(host.ioctl(Sioc.SARP, { ...set, hwaddr_hi: 1 }), -Errno.EINVAL);
  assertEquals(host.ioctl(Sioc.SARP, { ...set, addr: ip("192.0.2.1") }), -Errno.ENXIO);
  assertEquals(host.call.if_ioctl(Sioc.SARP, host.call.scratch(), IfReq.size - 4), -Errno.EINVAL);
});

Deno.test("arp: a new address is probed three times and announced twice (RFC 5227)", () => {
  const host = new Host();
  const port = host.attach();
  host.address(port, "10.0.0.1/24");
  const seen: [number, string][] = [];
  const begin = host.now;
  const look = () => {
    for (const { op, spa, tpa, to } of arpsOut(host, port)) {
      assertEquals([op, tpa, to], [1, "10.0.0.1", BROADCAST]);
      seen.push([host.now - begin, spa]);
    }
  };
  look();
  for (let i = 0; i < 100; i++) {
    host.advance(S / 10);
    look();
  }
  assertEquals(seen.map(([, spa]) => spa), [
    "0.0.0.0",
    "0.0.0.0",
    "0.0.0.0",
    "10.0.0.1",
    "10.0.0.1",
  ]);
  const gaps = seen.slice(1).map(([at], i) => at - seen[i][0]);
  for (const gap of gaps.slice(0, 2)) {
    assertEquals(gap >= 0.9 * S && gap <= 2.1 * S, true, `${gap}`);
  }
  for (const gap of gaps.slice(2)) assertEquals(gap >= 1.9 * S && gap <= 2.1 * S, true, `${gap}`);
});

Deno.test("arp: a conflict is counted and answered, once in ten seconds (RFC 5227 2.4)", () => {
  const { host, port } = etherHost();
  const claim = arpFrame({ op: 1, sha: PEER, spa: "10.0.0.1", tpa: "10.0.0.1" });
  assertEquals(host.input(port, claim), ["ARP_CONFLICT"]);
  assertEquals(arpsOut(host, port).map(({ spa, tpa }) => [spa, tpa]), [["10.0.0.1", "10.0.0.1"]]);
  host.advance(9 * S);
  host.input(port, claim);
  assertEquals(arpsOut(host, port).length, 0);
  host.advance(2 * S);
  host.input(port, claim);
  assertEquals(arpsOut(host, port).length, 1);
  assertEquals(host.stat(Stat.ARP_CONFLICTS), 3);
  assertEquals(host.call.probe_arp_count(), 0, "nothing is learned of the other station");
});

Deno.test("arp: an address found taken while it is probed is marked, and not announced", () => {
  const host = new Host();
  const port = host.attach();
  host.address(port, "10.0.0.1/24");
  host.input(port, arpFrame({ op: 2, sha: PEER, spa: "10.0.0.1", tha: OWN, tpa: "0.0.0.0" }));
  host.advance(20 * S);
  assertEquals(arpsOut(host, port).map(({ spa }) => spa), ["0.0.0.0"]);
  assertEquals(host.ioctl(Sioc.GIFADDR, { ifindex: port }), 0);
  assertEquals(host.req("flags"), 1);
});

Deno.test("arp: an interface that goes down forgets its neighbours", () => {
  const { host, port } = etherHost();
  host.input(port, arpFrame(request));
  const mbufs = host.mbufs();
  host.send(host.udp(0), bytes(1), "10.0.0.3", 9);
  assertEquals(host.call.probe_arp_count(), 2);
  assertEquals(host.ioctl(Sioc.SIFFLAGS, { ifindex: port, flags: 0 }), 0);
  assertEquals(host.call.probe_arp_count(), 0);
  assertEquals(host.mbufs() <= mbufs, true);
  const dgram = ip4({
    src: "10.0.0.2",
    dst: "10.0.0.1",
    proto: 17,
    payload: udp("10.0.0.2", "10.0.0.1", 1, 2, []),
  });
  assertEquals(host.input(port, ether(OWN, PEER, 0x0800, dgram)), ["IF_DOWN"]);
});
