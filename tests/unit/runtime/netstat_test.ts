/** What a stack tells about itself, as data and as text. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { NullDriver } from "../../../drivers/null.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { createSim } from "../../sim_pair.ts";

Deno.test("netstat tells interfaces, routes, neighbours, sockets and fates of frames", async () => {
  await using sim = await createSim({ delay_us: 10_000 });
  const [a, b] = sim.stacks;
  const listener = b.listen({ port: 80 });
  const conn = await sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }));
  await conn.write(new Uint8Array(1000));
  await sim.sleep(25_000);
  const datagrams = b.listenDatagram({ port: 53 });
  const raw = b.sys.socket(Af.INET, Sock.RAW, IpProto.ICMP);
  const report = b.netstat();

  const [lo0, eth0] = report.interfaces;
  assertEquals([lo0.name, lo0.driver, lo0.addresses], ["lo0", "loopback", ["127.0.0.1/8"]]);
  assertEquals([eth0.name, eth0.driver, eth0.hwaddr], ["eth0", "wire", "02:00:00:00:00:02"]);
  assertEquals([eth0.index, eth0.mtu, eth0.down, eth0.queued], [2, 1500, undefined, 0]);
  const sent = sim.capture.filter(({ from }) => from === 1);
  assertEquals(eth0.opackets, sent.length);
  assertEquals(eth0.obytes, sent.reduce((sum, { bytes }) => sum + bytes.length, 0));

  assertEquals(report.neighbors, [
    { address: "10.0.0.1", hwaddr: "02:00:00:00:00:01", interface: "eth0", state: "reachable" },
  ]);
  assertEquals(report.routes.find((it) => it.destination === "10.0.0.0/24")?.interface, "eth0");

  const sockets = report.sockets.map((it) => [it.protocol, it.fd, it.local, it.remote, it.state]);
  const peer = `10.0.0.1:${conn.localAddr.port}`;
  assertEquals<unknown>(sockets, [
    ["tcp", listener.fd, "*:80", "*", "LISTEN"],
    ["tcp", -1, "10.0.0.2:80", peer, "ESTABLISHED"],
    ["udp", datagrams.fd, "*:53", "*", ""],
    ["ip 1", raw, "*:*", "*", ""],
  ]);
  assertEquals(report.sockets[1].recvQueue, 1000);
  assert(report.sockets[1].srtt_us >= 20_000);

  const fates = Object.values(report.fates).reduce((sum, count) => sum + count, 0);
  assertEquals(fates, eth0.ipackets, "each frame has one fate");
  assertEquals(report.counters.TCP_PASSIVE_OPENS, 1);
  assertEquals(report.counters.TCP_BYTES_IN, 1000);
  const { small, cluster } = report.mbufs;
  const out = report.counters.MBUF_ALLOCATED - report.counters.MBUF_FREED;
  assertEquals(small.used + cluster.used, out);
  assert(cluster.limit > cluster.peak && cluster.denied === 0);
});

Deno.test("a connection that nobody holds any more is told until it is gone", async () => {
  await using sim = await createSim({ delay_us: 10_000 });
  const [a, b] = sim.stacks;
  b.listen({ port: 80 });
  const conn = await sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }));
  await conn.write(new Uint8Array(10));
  conn.close();
  const [socket] = a.netstat().sockets;
  assertEquals([socket.fd, socket.state, socket.sendQueue > 0], [-1, "FIN_WAIT_1", true]);
});

Deno.test("the report as text: a table for each part, and why an interface is down", async () => {
  await using sim = await createSim();
  const [stack] = sim.stacks;
  stack.listen({ port: 80 });
  const idle = String(stack.netstat());
  for (const title of ["Interfaces", "Routes", "Sockets", "Counters", "Mbufs"]) {
    assertMatch(idle, new RegExp(`^${title}$`, "m"));
  }
  assert(!/^Neighbors$/m.test(idle), "nothing is said of what there is none of");
  assertMatch(idle, /^ *3 +tcp +0 +0 +\*:80 +\* +LISTEN/m);
  assertMatch(idle, /^10\.0\.0\.0\/24 +link +U/m);
  const lines = idle.split("\n");
  assert(lines.every((line) => line === line.trimEnd()));
  const driver = new NullDriver();
  const attachment = await stack.attach(driver, { name: "null7" });
  attachment.down("the cable is out");
  assertMatch(String(stack.netstat()), /^null7 .*\(down: the cable is out\)$/m);
});

Deno.test(
  "netstat tells what is remembered of destinations, and routes can forget it",
  async () => {
    await using sim = await createSim({ delay_us: 10_000 });
    const [a, b] = sim.stacks;
    const listener = b.listen({ port: 80 });
    const conn = await sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }));
    const peer = await sim.run(listener.accept());
    assertEquals(a.netstat().destinations, []);
    conn.close();
    await sim.sleep(50_000);
    peer.close();
    await sim.sleep(50_000);
    const report = a.netstat();
    const [{ address, source, srtt_us }] = report.destinations;
    assertEquals([address, source], ["10.0.0.2", "10.0.0.1"]);
    assert(srtt_us >= 20_000 && srtt_us < 60_000, `${srtt_us}`);
    assertMatch(String(report), /Destinations\naddress .*\n10\.0\.0\.2 +10\.0\.0\.1 +\d\d\.\d+ /);
    a.route.forgetMetrics();
    assertEquals(a.netstat().destinations, []);
  },
);
