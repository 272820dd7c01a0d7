/** The commands on stacks whose clock is moved by hand: what they print, word for word. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { arp } from "../../../commands/cli/arp.ts";
import type { CommandDefinition } from "../../../commands/cli/command.ts";
import { ifconfig } from "../../../commands/cli/ifconfig.ts";
import { nc } from "../../../commands/cli/nc.ts";
import { netstat } from "../../../commands/cli/netstat.ts";
import { ping } from "../../../commands/cli/ping.ts";
import { route } from "../../../commands/cli/route.ts";
import { traceroute } from "../../../commands/cli/traceroute.ts";
import { openSnapshot } from "../../../commands/mod.ts";
import type { SocketReport } from "../../../mod.ts";
import { createSim } from "../../sim_pair.ts";
import { run } from "./kit.ts";

const ALL = [arp, ifconfig, nc, netstat, ping, route, traceroute];

/** Two hosts with a connection between them. */
async function joined() {
  const sim = await createSim({ delay_us: 10_000 });
  const [a, b] = sim.stacks;
  const listener = b.listen({ port: 80 });
  const conn = await sim.run(a.connect({ hostname: "10.0.0.2", port: 80 }));
  await conn.write(new Uint8Array(1000));
  await sim.sleep(25_000);
  return { sim, a, b, listener, port: conn.localAddr.port };
}

Deno.test("netstat: connections, all sockets, objects, and what TCP knows", async () => {
  const { sim, b, port } = await joined();
  await using _sim = sim;
  const peer = `10.0.0.1:${port}`;
  assertEquals((await run(netstat, [], b)).out.split("\n"), [
    "Active Internet connections (w/o servers)",
    "Proto  Recv-Q  Send-Q  Local Address  Foreign Address  State        Fd",
    `tcp      1000       0  10.0.0.2:80    ${peer}   ESTABLISHED  -`,
    "",
  ]);
  const { out } = await run(netstat, ["-an", "--json"], b);
  const sockets = out.trimEnd().split("\n").map((line): SocketReport => JSON.parse(line));
  assertEquals(sockets, JSON.parse(JSON.stringify(b.netstat().sockets)));
  assertEquals(sockets.map((one) => one.state), ["LISTEN", "ESTABLISHED"]);
  assertEquals(sockets[1].tcp?.bytes_received, 1000);
  const info = await run(netstat, ["-x", "-p", "tcp"], b);
  assertMatch(info.out, /\n {6}open cwnd:14480 ssthresh:- mss:1448 pmtu:1500 wscale:7,7\n/);
  assertStringIncludes((await run(netstat, ["-p", "udp"], b)).out, "Fd\n");
});

Deno.test("netstat: interfaces, routes, counters, memory", async () => {
  const { sim, a } = await joined();
  await using _sim = sim;
  const both = await run(netstat, ["-i", "-r"], a);
  assertStringIncludes(both.out, "eth0  1500   02:00:00:00:00:01  5 ");
  assertStringIncludes(both.out, "10.0.0.0/24  link     U        3   1500       0  eth0\n");
  assertStringIncludes(both.out, "10.0.0.1     link     UHl ");
  const counters = await run(netstat, ["-s", "-p", "tcp"], a);
  assertStringIncludes(counters.out, "tcp:\n\t2 segments in\n");
  assert(!counters.out.includes("udp:") && !/^\t0 /m.test(counters.out));
  assertMatch((await run(netstat, ["-ss"], a)).out, /^\t0 /m);
  const { tcp } = JSON.parse((await run(netstat, ["-s", "--json"], a)).out);
  assertEquals(tcp.bytes_out, 1000);
  assertMatch((await run(netstat, ["-m"], a)).out, /^\d+\/\d+\/\d+ mbufs of 192 bytes in use/);
  const coloured = await run(netstat, ["-r"], a, { colour: true });
  assertStringIncludes(coloured.out, "\x1b[1mDestination");
  assert(!both.out.includes("\x1b"));
});

Deno.test("ifconfig: shows an interface, and sets it up", async () => {
  const { sim, a } = await joined();
  await using _sim = sim;
  assertEquals((await run(ifconfig, ["eth0"], a)).out.split("\n").slice(0, 4), [
    "eth0: flags=80843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500",
    "\tinet 10.0.0.1 netmask 0xffffff00",
    "\tether 02:00:00:00:00:01",
    "\tdriver wire",
  ]);
  const orders = ["eth0", "inet", "10.7.0.1", "netmask", "255.255.0.0", "mtu", "1400", "down"];
  assertEquals(await run(ifconfig, orders, a), { status: 0, out: "", err: "" });
  const { out } = await run(ifconfig, ["eth0"], a);
  assertMatch(out, /<BROADCAST,.*> mtu 1400\n\tinet 10\.0\.0\.1 .*\n\tinet 10\.7\.0\.1 .*ffff0000/);
  await run(ifconfig, ["eth0", "10.7.0.1", "-alias", "up"], a);
  const [, eth0] = (await run(ifconfig, ["--json"], a)).out.trim().split("\n");
  assertEquals(JSON.parse(eth0).addresses, ["10.0.0.1/24"]);
  assertEquals((await run(ifconfig, ["eth9"], a)).status, 1);
  assertMatch((await run(ifconfig, ["eth9", "up"], a)).err, /^ifconfig: .*ENXIO/);
  assertEquals((await run(ifconfig, ["eth0", "10.7.0.1/40"], a)).status, 2);
});

Deno.test("route: adds, finds, changes and deletes", async () => {
  const { sim, a } = await joined();
  await using _sim = sim;
  const added = await run(route, ["add", "-net", "10.8.0.0/16", "10.0.0.2", "--mtu", "1400"], a);
  assertEquals(added.out, "add net 10.8.0.0/16: gateway 10.0.0.2\n");
  assertEquals((await run(route, ["get", "10.8.1.1"], a)).out.split("\n"), [
    "    route to: 10.8.1.1",
    " destination: 10.8.0.0/16",
    "     gateway: 10.0.0.2",
    "   interface: eth0",
    "      source: 10.0.0.1",
    "       flags: UGS",
    "      metric: 0",
    "         mtu: 1400",
    "         use: 0",
    "",
  ]);
  await run(route, ["change", "10.8.0.0/16", "10.0.0.3"], a);
  assertEquals(
    JSON.parse((await run(route, ["get", "10.8.1.1", "--json"], a)).out).gateway,
    "10.0.0.3",
  );
  assertEquals((await run(route, ["delete", "10.8.0.0/16"], a)).status, 0);
  const gone = await run(route, ["delete", "10.8.0.0/16"], a);
  assertEquals(gone, { status: 1, out: "", err: "route: ioctl: ESRCH: no such route\n" });
  assertMatch((await run(route, [], a)).out, /^Routing tables\n\nInternet:\nDestination +Gateway/);
});

Deno.test("route monitor: what happens, as it happens", async () => {
  const { sim, a } = await joined();
  await using _sim = sim;
  const end = new AbortController();
  const monitor = run(route, ["monitor"], a, { signal: end.signal });
  await sim.sleep(0);
  await run(route, ["add", "10.8.0.0/16", "10.0.0.2"], a);
  await run(ifconfig, ["eth0", "10.7.0.1/24"], a);
  await run(ifconfig, ["eth0", "down"], a);
  await sim.sleep(0);
  end.abort();
  const { out, status } = await sim.run(monitor);
  const lines = out.trimEnd().split("\n");
  assertEquals(status, 0);
  assertEquals(lines[0], "RTM_ADD 10.8.0.0/16 gateway 10.0.0.2 flags UGS mtu 1500");
  assert(lines.includes("RTM_NEWADDR eth0 10.7.0.1/24"), out);
  assertMatch(out, /RTM_IFINFO eth0 flags 80842<BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500/);
});

Deno.test("arp: shows, sets and forgets neighbours", async () => {
  const { sim, a } = await joined();
  await using _sim = sim;
  const known = "? (10.0.0.2) at 02:00:00:00:00:02 on eth0 reachable\n";
  assertEquals((await run(arp, ["-a"], a)).out, known);
  await run(arp, ["-s", "10.0.0.7", "2:0:0:0:0:9"], a);
  const set = "? (10.0.0.7) at 02:00:00:00:00:09 on eth0 static\n";
  assertEquals((await run(arp, ["-an"], a)).out, known + set);
  assertEquals((await run(arp, ["-d", "10.0.0.7"], a)).status, 0);
  assertEquals((await run(arp, ["10.0.0.7"], a)).err, "arp: 10.0.0.7: no entry\n");
  assertEquals((await run(arp, ["-d", "-a"], a)).status, 0);
  assertEquals((await run(arp, ["-a"], a)).out, "");
  assertMatch((await run(arp, ["-s", "10.0.0.7", "2:0"], a)).err, /"2:0" is no hardware address/);
});

Deno.test("ping: replies, silence, errors", async () => {
  const { sim, a } = await joined();
  await using _sim = sim;
  const answered = await sim.run(run(ping, ["-c", "2", "-i", "0.5", "10.0.0.2"], a));
  assertEquals(answered, {
    status: 0,
    err: "",
    out: `PING 10.0.0.2: 56 data bytes
64 bytes from 10.0.0.2: icmp_seq=0 ttl=64 time=20.000 ms
64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=20.000 ms

--- 10.0.0.2 ping statistics ---
2 packets transmitted, 2 packets received, 0.0% packet loss
round-trip min/avg/max/stddev = 20.000/20.000/20.000/0.000 ms
`,
  });
  const silent = await sim.run(run(ping, ["-c", "1", "-W", "2", "--json", "10.0.0.9"], a));
  assertEquals(silent.status, 1);
  const [timeout, summary] = silent.out.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals([timeout.kind, summary.transmitted, summary.received], ["timeout", 1, 0]);
  const nowhere = await sim.run(run(ping, ["-c", "1", "10.9.0.9"], a));
  assertMatch(nowhere.out, /\nping: sendto: ENETUNREACH/);
  const end = new AbortController();
  const going = run(ping, ["10.0.0.2"], a, { signal: end.signal });
  await sim.sleep(2_500_000);
  end.abort();
  assertStringIncludes((await sim.run(going)).out, "3 packets transmitted, 3 packets received");
});

Deno.test("traceroute: the routers on the way, by UDP and ICMP", async () => {
  await using sim = await createSim({ hosts: 3, delay_us: 5_000 });
  const [a, b] = sim.stacks;
  b.forwarding = true;
  a.route.add("10.0.0.3/32", { gateway: "10.0.0.2" });
  for (const method of [[], ["-I"]]) {
    const { out, status } = await sim.run(run(traceroute, [...method, "-q", "2", "10.0.0.3"], a));
    const lines = out.replaceAll(/\d+\.\d{3} ms/g, "T ms").split("\n");
    assertEquals(status, 0);
    assertEquals(lines, [
      "traceroute to 10.0.0.3, 30 hops max, 32 byte packets",
      " 1  10.0.0.2  T ms  T ms",
      " 2  10.0.0.3  T ms  T ms",
      "",
    ]);
  }
  a.route.del("10.0.0.3/32");
  const silent = await sim.run(run(traceroute, ["-m", "2", "-q", "1", "-w", "1", "10.0.0.9"], a));
  assertEquals([silent.status, silent.out.split("\n").slice(1)], [1, [" 1  *", " 2  *", ""]]);
});

Deno.test("nc: scans, sends, listens", async () => {
  const { sim, a, b } = await joined();
  await using _sim = sim;
  const scan = await sim.run(run(nc, ["-z", "-v", "10.0.0.2", "79-81"], a));
  assertEquals(scan.out, "Connection to 10.0.0.2 port 80 succeeded\n");
  assertEquals(scan.status, 1);
  assertMatch(scan.err, /^nc: 10\.0\.0\.2 port 79: connect: ECONNREFUSED/);
  assertEquals((await sim.run(run(nc, ["-zu", "10.0.0.2", "9"], a))).status, 1);

  const listening = run(nc, ["-l", "7000"], b, { input: "from b" });
  await sim.sleep(0);
  const calling = run(nc, ["10.0.0.2", "7000"], a, { input: "from a" });
  const [there, here] = await sim.run(Promise.all([listening, calling]));
  assertEquals([there.out, there.status, here.out, here.status], ["from a", 0, "from b", 0]);

  const heard: string[] = [];
  const end = new AbortController();
  const keeping = run(nc, ["-k", "-l", "7001"], b, {
    signal: end.signal,
    heard: (text) => heard.push(text),
  });
  await sim.sleep(0);
  for (const input of ["one", "two"]) {
    await sim.run(run(nc, ["-w", "1", "10.0.0.2", "7001"], a, { input }));
  }
  assertEquals(heard, ["one", "two"]);
  end.abort();
  await sim.run(keeping);

  const server = run(nc, ["-u", "-l", "7002", "-w", "2"], b, { input: "answer" });
  await sim.sleep(0);
  const asked = run(nc, ["-u", "-w", "1", "10.0.0.2", "7002"], a, { input: "question" });
  const [question, answer] = await sim.run(Promise.all([server, asked]));
  assertEquals([question.out, answer.out], ["question", "answer"]);
});

Deno.test("commands: a snapshot can be looked at, and no more", async () => {
  const { sim, b } = await joined();
  await using _sim = sim;
  const bytes = b.snapshot();
  const looks: [CommandDefinition, string[]][] = [
    [netstat, ["-a"]],
    [netstat, ["-r"]],
    [netstat, ["-s"]],
    [arp, ["-a"]],
    [route, ["get", "10.0.0.7"]],
  ];
  for (const [command, args] of looks) {
    const live = await run(command, args, b);
    assertEquals(live.status, 0);
    assertEquals(await run(command, args, await openSnapshot(bytes)), live);
  }
  const { out } = await run(ifconfig, ["eth0"], await openSnapshot(bytes));
  assertStringIncludes(out, "\tether 02:00:00:00:00:02\n\tdriver none\n");
  const refused = await run(ping, ["10.0.0.1"], await openSnapshot(bytes));
  assertEquals(refused.status, 1);
  assertMatch(refused.err, /^ping: a snapshot can only be looked at/);
});

Deno.test("commands: arguments that make no sense; help with examples", async () => {
  await using sim = await createSim();
  const [a] = sim.stacks;
  const wrong: [CommandDefinition, string[]][] = [
    [netstat, ["--frob"]],
    [netstat, ["extra"]],
    [ping, []],
    [ping, ["-c", "0", "10.0.0.2"]],
    [ping, ["-i", "-1", "10.0.0.2"]],
    [traceroute, ["-m", "300", "10.0.0.2"]],
    [route, ["frob"]],
    [route, ["add"]],
    [ifconfig, ["eth0", "frob"]],
    [arp, ["-s", "10.0.0.2"]],
    [arp, ["-d"]],
    [nc, ["10.0.0.2"]],
    [nc, ["10.0.0.2", "0"]],
    [nc, ["-k", "10.0.0.2", "80"]],
    [nc, ["10.0.0.2", "1-9"]],
    [netstat, ["--control", "x", "--snapshot", "y"]],
  ];
  for (const [command, args] of wrong) {
    const { status, out, err } = await run(command, args, a);
    assertEquals([status, out], [2, ""], `${command.name} ${args.join(" ")}: ${err}`);
    assertMatch(err, new RegExp(`^${command.name}: .+\\nusage: ${command.name} `));
  }
  for (const command of ALL) {
    const { status, out } = await run(command, ["--help"], a);
    assertEquals(status, 0);
    assertMatch(out, new RegExp(`^Usage: ${command.name} `));
    assertStringIncludes(out, `\nExamples:\n  deno task ${command.name}`);
    assertStringIncludes(out, "--json");
  }
});
