/** Settings below TCP: that the engine does as they say. */

import { assert, assertEquals } from "@std/assert";
import { Fate } from "../../../assembly/abi/fate.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, So, Sock, Sol } from "../../../assembly/abi/socket.ts";
import type { Stack } from "../../../mod.ts";
import { createSim, type Sim } from "../../sim_pair.ts";
import { code } from "./manual_stack.ts";

/** IPv4 packets that a host sent to another, from their IP header on. */
function packets(sim: Sim, from: number): Uint8Array[] {
  const ip = sim.capture.filter(({ bytes }) => bytes[12] === 8 && bytes[13] === 0);
  return ip.filter((frame) => frame.from === from).map(({ bytes }) => bytes.subarray(14));
}

/** Requests for a hardware address that a host sent. */
function requests(sim: Sim, from: number): number[] {
  const arp = sim.capture.filter(({ bytes }) => bytes[12] === 8 && bytes[13] === 6);
  return arp.filter((frame) => frame.from === from && frame.bytes[21] === 1).map((f) => f.sent_us);
}

/** Frames of a stack that met this fate. */
function count({ engine }: Stack, fate: Fate): bigint {
  return engine.view.getBigUint64(engine.calls.fates() + fate * 8, true);
}

/** Sends datagrams to a port of the second host; answers the socket. */
function sendTo(sim: Sim, port: number, times = 1, length = 1): number {
  const { sys } = sim.stacks[0];
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  const to = { address: "10.0.0.2", port };
  for (let i = 0; i < times; i++) sys.nb.sendto(fd, new Uint8Array(length), 0, to);
  sim.settle();
  return fd;
}

/** Sends echo requests to the second host. */
function ping(sim: Sim, times: number): void {
  const { sys } = sim.stacks[0];
  const fd = sys.socket(Af.INET, Sock.RAW, IpProto.ICMP);
  // the sum of type 8 and everything else 0
  const echo = Uint8Array.of(8, 0, 0xf7, 0xff, 0, 0, 0, 0);
  for (let i = 0; i < times; i++) sys.nb.sendto(fd, echo, 0, { address: "10.0.0.2" });
  sim.settle();
}

Deno.test("ip_default_ttl is the TTL of datagrams, connections, errors and resets", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  a.sysctl.set("net.ipv4.ip_default_ttl", 77);
  b.sysctl.set("net.ipv4.ip_default_ttl", 99);
  sendTo(sim, 9); // port unreachable
  ping(sim, 1);
  const fd = a.sys.socket(Af.INET, Sock.STREAM);
  code(() => a.sys.nb.connect(fd, { address: "10.0.0.2", port: 80 })); // reset
  sim.settle();
  assertEquals(packets(sim, 0).map((p) => [p[9], p[8]]), [[17, 77], [1, 77], [6, 77]]);
  assertEquals(packets(sim, 1).map((p) => [p[9], p[8]]), [[1, 99], [1, 99], [6, 99]]);
});

Deno.test("ipfrag_time is how long fragments wait", async () => {
  for (const seconds of [2, 40]) {
    await using sim = await createSim();
    const [, b] = sim.stacks;
    b.sysctl.set("net.ipv4.ipfrag_time", seconds);
    b.listenDatagram({ port: 9 });
    sim.wire.options = { ...sim.wire.options, loss: ({ bytes }) => bytes[20] === 0x20 };
    sendTo(sim, 9, 1, 3000);
    sim.advance(seconds * 1e6 - 10_000);
    assertEquals(b.netstat().counters.IP_REASSEMBLY_TIMEOUT, 0, `${seconds} s`);
    sim.advance(20_000);
    assertEquals(b.netstat().counters.IP_REASSEMBLY_TIMEOUT, 1, `${seconds} s`);
  }
});

Deno.test("ip_local_port_range is where ephemeral ports are taken from", async () => {
  await using sim = await createSim();
  const [a] = sim.stacks;
  a.sysctl.set("net.ipv4.ip_local_port_range", "2000 2003");
  const ports: number[] = [];
  for (let i = 0; i < 4; i++) {
    const fd = a.sys.socket(Af.INET, Sock.DGRAM);
    a.sys.bind(fd, { port: 0 });
    ports.push(a.sys.getsockname(fd).port);
  }
  assertEquals(ports.toSorted(), [2000, 2001, 2002, 2003]);
  const fd = a.sys.socket(Af.INET, Sock.DGRAM);
  assertEquals(code(() => a.sys.bind(fd, { port: 0 })), "EADDRNOTAVAIL");
  const stream = a.sys.socket(Af.INET, Sock.STREAM);
  code(() => a.sys.nb.connect(stream, { address: "10.0.0.2", port: 80 }));
  const { port } = a.sys.getsockname(stream);
  assert(port >= 2000 && port <= 2003, `${port}`);
});

Deno.test("icmp_msgs_per_sec and _burst limit errors, icmp_echo_per_sec replies", async () => {
  await using sim = await createSim();
  const [, b] = sim.stacks;
  b.sysctl.set("net.ipv4.icmp_msgs_burst", 3);
  b.sysctl.set("net.ipv4.icmp_msgs_per_sec", 2);
  sendTo(sim, 9, 20);
  assertEquals(packets(sim, 1).length, 3);
  sim.advance(1_000_000);
  sendTo(sim, 9, 20);
  assertEquals(packets(sim, 1).length, 5);
  b.sysctl.set("net.ipv4.icmp_msgs_per_sec", 0);
  sim.advance(10_000_000);
  sendTo(sim, 9, 20);
  assertEquals(packets(sim, 1).length, 5);
  ping(sim, 2);
  assertEquals(packets(sim, 1).length, 7);
  b.sysctl.set("net.godwit.icmp_echo_per_sec", 0);
  ping(sim, 2);
  assertEquals([packets(sim, 1).length, count(b, Fate.ICMP_RATE_LIMITED)], [7, 2n]);
});

Deno.test("neigh.default: how often, and at what distance, a neighbour is asked for", async () => {
  await using sim = await createSim();
  const [a] = sim.stacks;
  a.sysctl.set("net.ipv4.neigh.default.mcast_solicit", 5);
  a.sysctl.set("net.ipv4.neigh.default.retrans_time_ms", 250);
  sim.advance(10_000_000); // the announcements of the own addresses are over
  const before = requests(sim, 0).length;
  const fd = a.sys.socket(Af.INET, Sock.DGRAM);
  a.sys.nb.sendto(fd, new Uint8Array(1), 0, { address: "10.0.0.9", port: 9 });
  sim.advance(10_000_000);
  const times = requests(sim, 0).slice(before);
  assertEquals(times.map((t) => Math.round((t - times[0]) / 1000)), [0, 250, 500, 750, 1000]);
});

Deno.test("base_reachable_time_ms: after that a neighbour in use is asked again", async () => {
  await using sim = await createSim();
  const [a] = sim.stacks;
  a.sysctl.set("net.ipv4.neigh.default.base_reachable_time_ms", 5000);
  sim.advance(10_000_000);
  const before = requests(sim, 0).length;
  const fd = sendTo(sim, 9);
  a.sys.nb.sendto(fd, new Uint8Array(1), 0, { address: "10.0.0.2", port: 9 });
  sim.advance(4_900_000);
  assertEquals(requests(sim, 0).length - before, 1);
  sim.advance(200_000);
  assertEquals(requests(sim, 0).length - before, 2);
});

Deno.test("rmem_default and wmem_default are the buffers of datagram and raw sockets", async () => {
  await using sim = await createSim();
  const { sys, sysctl } = sim.stacks[0];
  sysctl.set("net.core.rmem_default", 10_000);
  sysctl.set("net.core.wmem_default", 20_000);
  const sizes = (type: Sock) => {
    const fd = sys.socket(Af.INET, type, type === Sock.RAW ? IpProto.ICMP : 0);
    return [So.RCVBUF, So.SNDBUF].map((name) => sys.getsockopt(fd, Sol.SOCKET, name));
  };
  assertEquals([sizes(Sock.DGRAM), sizes(Sock.RAW)], [[10_000, 20_000], [10_000, 20_000]]);
});

Deno.test("somaxconn cuts backlogs", async () => {
  await using sim = await createSim();
  const [a, b] = sim.stacks;
  b.sysctl.set("net.core.somaxconn", 2);
  b.listen({ port: 80, backlog: 100 });
  for (let i = 0; i < 20; i++) {
    const fd = a.sys.socket(Af.INET, Sock.STREAM);
    code(() => a.sys.nb.connect(fd, { address: "10.0.0.2", port: 80 }));
  }
  sim.advance(100_000);
  const open = b.netstat().sockets.filter(({ state }) => state === "ESTABLISHED").length;
  assert(open >= 2 && open <= 4, `${open} connections wait`);
});

Deno.test("tcp_retries1: without an answer the neighbour is asked again", async () => {
  for (const [r1, at] of [[2, 600], [4, 3000]]) {
    await using sim = await createSim();
    const [a, b] = sim.stacks;
    a.sysctl.set("net.ipv4.tcp_retries1", r1);
    a.sysctl.set("net.ipv4.tcp_early_retrans", 0);
    sim.advance(10_000_000);
    b.listen({ port: 80 });
    const conn = await sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }));
    const before = requests(sim, 0).length;
    sim.wire.options = { ...sim.wire.options, loss: () => true };
    const begin = sim.clock.now_us();
    await conn.write(new Uint8Array(1));
    sim.advance(3_500_000);
    const asked = requests(sim, 0).slice(before).map((us) => Math.round((us - begin) / 1000));
    assertEquals(asked[0], at, "timeouts at 200, 600, 1400 and 3000 ms");
  }
});
