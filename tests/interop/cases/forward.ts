/**
 * The stack as a router: two namespaces of the kernel that nothing but the stack joins. What one
 * sends to the other, and what the kernel makes of the router's ICMP messages.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Sioc } from "../../../assembly/abi/ifnet.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import { DEVICE, GODWIT, KERNEL } from "../kit/addresses.ts";
import type { Case, Group } from "../kit/case.ts";
import { FAR, Far, FAR_DEVICE } from "../kit/far.ts";
import type { Host } from "../kit/host.ts";
import { attempt, run } from "../kit/kernel.ts";
import { linesOf } from "../kit/lines.ts";

/** A host on the far link that is not there. */
const NOBODY = "10.78.0.99";
const LENGTH = 3_000_000;

let far: Far;

async function ping(...args: string[]): Promise<string> {
  const { stdout } = await attempt("ping", "-n", "-W", "5", ...args);
  return stdout;
}

/** An answer comes from either side. */
async function answers(): Promise<void> {
  const before = await ping("-c", "3", "-i", "0.05", FAR);
  assertMatch(before, /3 received/);
  assertMatch(before, /ttl=63/);
  assertMatch(await far.run("ping", "-n", "-c", "2", "-i", "0.05", KERNEL), /ttl=63/);
}

/** What traceroute does: each hop is found by a TTL that ends there. */
async function tellsEachHop(): Promise<void> {
  assertMatch(await ping("-c", "1", "-t", "1", FAR), /From 10\.77\.0\.2 .*Time to live exceeded/);
  assertMatch(await ping("-c", "1", "-t", "2", FAR), /1 received/);
  const back = await far.attempt("ping", "-n", "-c", "1", "-t", "1", KERNEL);
  assertMatch(back.stdout, /From 10\.78\.0\.2 .*Time to live exceeded/);
}

async function counts({ stack, counter }: Counted): Promise<void> {
  const forwarded = counter(Stat.IP_FORWARDED);
  const { use } = stack.route.get(FAR);
  await ping("-c", "5", "-i", "0.05", "-s", "1000", FAR);
  assertEquals(counter(Stat.IP_FORWARDED) - forwarded, 10);
  assertEquals(stack.route.get(FAR).use - use, 5);
}

/** An HTTP server in the far namespace, in a process of its own. */
const SERVER = `
const body = Uint8Array.from({ length: ${LENGTH} }, (_, i) => i * 7 + (i >> 8));
Deno.serve({ hostname: "${FAR}", port: 80, onListen: () => console.log("ready") }, async (ask) => {
  if (ask.method === "GET") return new Response(body);
  return new Response(String((await ask.bytes()).every((byte, i) => byte === body[i])));
});
`;

async function transfers({ folder }: Host): Promise<void> {
  const [program, ...args] = far.command(Deno.execPath(), "eval", SERVER);
  const server = new Deno.Command(program, { args, stdin: "null", stdout: "piped" }).spawn();
  const lines = linesOf(server.stdout);
  try {
    await lines.next();
    const file = `${folder}/far`;
    await run("curl", "-sS", "-o", file, `http://${FAR}/`);
    const body = await Deno.readFile(file);
    assertEquals(body.length, LENGTH);
    assertEquals(body.every((byte, i) => byte === ((i * 7 + (i >> 8)) & 255)), true);
    assertEquals(await run("curl", "-sS", "-T", file, `http://${FAR}/`), "true");
  } finally {
    server.kill("SIGKILL");
    await server.status;
    await lines.return(undefined);
  }
}

/** iperf3 between the two kernels; answers what it says at the end. */
async function iperf(...options: string[]): Promise<{ received: number; lost: number }> {
  const server = far.run("timeout", "15", "iperf3", "-s", "-1", "-p", "5201");
  server.catch(() => {});
  for (let tries = 0;; tries++) {
    if ((await far.run("cat", "/proc/net/tcp", "/proc/net/tcp6")).includes(":1451 ")) break;
    assert(tries < 200, "iperf3 does not listen");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { end } = JSON.parse(await run("iperf3", "-c", FAR, "--json", ...options));
  await server;
  return { received: end.sum_received?.bytes ?? end.sum.bytes, lost: end.sum?.lost_packets ?? 0 };
}

async function iperfOverTcp(): Promise<void> {
  // the server counts no more when the client has sent all
  for (const options of [[], ["-R"], ["-P", "3"]]) {
    const { received } = await iperf("-n", "16M", ...options);
    assert(received > 8 << 20, `${received} bytes ${options}`);
  }
}

async function iperfOverUdp(): Promise<void> {
  const { received, lost } = await iperf("-u", "-b", "20M", "-t", "1", "-l", "1200");
  assert(received > 1_000_000);
  assertEquals(lost, 0);
}

async function saysUnreachable({ stack }: Host): Promise<void> {
  await run("ip", "route", "replace", "10.66.0.0/16", "via", GODWIT);
  assertMatch(
    await ping("-c", "1", "10.66.0.1"),
    /From 10\.77\.0\.2 .*Destination Net Unreachable/,
  );
  stack.route.add("10.66.1.0/24", { kind: "reject" });
  const refused = await ping("-c", "1", "10.66.1.1");
  assertMatch(refused, /From 10\.77\.0\.2 .*Destination Host Unreachable/);
  stack.route.add("10.66.2.0/24", { kind: "blackhole" });
  const swallowed = await attempt("ping", "-n", "-c", "1", "-W", "0.3", "10.66.2.1");
  assertMatch(swallowed.stdout, /0 received/);
  assert(!/From/.test(swallowed.stdout), swallowed.stdout);
  assertMatch(await ping("-c", "1", NOBODY), /From 10\.77\.0\.2 .*Destination Host Unreachable/);
}

/** Sets the MTU of the far link, at both its ends. */
async function setMtu({ stack }: Host, mtu: number): Promise<void> {
  const fd = stack.sys.socket(Af.INET, Sock.DGRAM);
  stack.sys.ioctl(fd, Sioc.SIFMTU, { ifname: FAR_DEVICE, mtu });
  await stack.sys.close(fd);
  await far.run("ip", "link", "set", FAR_DEVICE, "mtu", String(mtu));
}

/** A link behind the router that takes less: the kernel is told, and finds its way. */
async function tellsOfTheMtu(host: Host): Promise<void> {
  await setMtu(host, 1000);
  const whole = await ping("-c", "1", "-M", "do", "-s", "1400", FAR);
  assertMatch(whole, /From 10\.77\.0\.2 .*Frag(mentation)? needed.*mtu = 1000/i);
  await run("ip", "route", "flush", "cache");
  const cut = host.counter(Stat.IP_FRAGMENTED);
  assertMatch(await ping("-c", "1", "-M", "dont", "-s", "1400", FAR), /1 received/);
  assertEquals(host.counter(Stat.IP_FRAGMENTED) - cut, 1);
  await transfers(host);
  await setMtu(host, 1500);
  await run("ip", "route", "flush", "cache");
}

async function filters({ stack, counter }: Counted): Promise<void> {
  const name = `net.ipv4.conf.${stack.interfaces[0].name}.rp_filter`;
  await run("ip", "addr", "add", "10.99.0.1/32", "dev", DEVICE);
  stack.route.add("10.99.0.0/16", { gateway: KERNEL });
  const from = () => ping("-c", "1", "-W", "1", "-I", "10.99.0.1", FAR);
  stack.sysctl.set(name, 1);
  assertMatch(await from(), /1 received/, "where packets to it go");
  stack.route.change("10.99.0.0/16", { gateway: FAR });
  const dropped = counter(Stat.IP_REVERSE_PATH);
  await attempt("ping", "-n", "-c", "1", "-W", "0.2", "-I", "10.99.0.1", FAR);
  assertEquals(counter(Stat.IP_REVERSE_PATH) - dropped, 1);
  stack.sysctl.set(name, 0);
  stack.route.del("10.99.0.0/16");
  await run("ip", "addr", "del", "10.99.0.1/32", "dev", DEVICE);
}

/** A way for some sources only: two addresses of one kernel, of which one gets through. */
async function sendsBySource({ stack }: Host): Promise<void> {
  const [chosen, target] = ["10.99.0.1", "10.68.0.1"];
  await run("ip", "addr", "add", `${chosen}/32`, "dev", DEVICE);
  await run("ip", "route", "replace", "10.68.0.0/16", "via", GODWIT);
  await far.run("ip", "addr", "add", `${target}/32`, "dev", "lo");
  stack.route.add(chosen, { gateway: KERNEL });
  stack.route.add("10.68.0.0/16", { gateway: FAR, from: "10.99.0.0/16" });
  assertMatch(await ping("-c", "2", "-i", "0.05", "-I", chosen, target), /2 received/);
  const other = await ping("-c", "1", "-I", KERNEL, target);
  assertMatch(other, /From 10\.77\.0\.2 .*Destination Net Unreachable/);
  stack.route.del("10.68.0.0/16", { from: "10.99.0.0/16" });
  stack.route.del(chosen);
  await run("ip", "addr", "del", `${chosen}/32`, "dev", DEVICE);
}

const FLOWS = 40;
const EACH = 5;
/** Datagrams of the kernel, of each of many ports the same number. */
const FLOWS_SENT = `
import socket
for port in range(${FLOWS}):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("${KERNEL}", 20000 + port))
    for _ in range(${EACH}): s.sendto(b"flow", ("10.68.0.1", 9))
`;

/** Two ways that are equal: each flow takes one of them, all of it. */
async function sharesFlows({ stack }: Host): Promise<void> {
  const second = "10.78.0.3";
  await far.run("ip", "addr", "add", `${second}/24`, "dev", FAR_DEVICE);
  for (const gateway of [FAR, second]) stack.route.add("10.68.0.0/16", { gateway });
  const uses = () =>
    [...stack.route].filter(({ destination }) => destination === "10.68.0.0/16")
      .map(({ use }) => use);
  await run("python3", "-c", FLOWS_SENT);
  const sum = () => uses().reduce((all, use) => all + use, 0);
  for (const end = Date.now() + 5000; sum() < FLOWS * EACH && Date.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assertEquals(sum(), FLOWS * EACH);
  assertEquals(uses().map((use) => use % EACH), [0, 0], "flows are whole");
  assert(Math.min(...uses()) >= EACH * 8, `shared as ${uses()}`);
  for (let i = 0; i < 2; i++) stack.route.del("10.68.0.0/16");
}

/** A host of the near network that is behind the router. */
async function answersArp({ stack }: Host): Promise<void> {
  const apart = "10.77.0.200";
  await far.run("ip", "addr", "add", `${apart}/32`, "dev", FAR_DEVICE);
  stack.route.add(apart, { gateway: FAR });
  stack.sysctl.set("net.ipv4.conf.all.proxy_arp", 1);
  assertMatch(await ping("-c", "1", apart), /1 received.*/);
  const [mine, its] = await Promise.all(
    [GODWIT, apart].map((ip) => run("ip", "neigh", "show", ip)),
  );
  const hwaddr = /lladdr (\S+)/.exec(mine)?.[1];
  assertEquals(/lladdr (\S+)/.exec(its)?.[1], hwaddr, "at the stack's own hardware address");
  stack.sysctl.set("net.ipv4.conf.all.proxy_arp", 0);
  stack.route.del(apart);
}

/** The kernel is told of a router that is nearer: itself. */
async function redirects({ stack, counter }: Counted): Promise<void> {
  await run("ip", "addr", "add", "10.77.0.3/24", "dev", DEVICE);
  await run("ip", "route", "replace", "10.67.0.0/16", "via", GODWIT);
  stack.route.add("10.67.0.0/16", { gateway: "10.77.0.3" });
  stack.sysctl.set("net.ipv4.conf.all.send_redirects", 1);
  const { stdout } = await attempt("ping", "-n", "-c", "1", "-W", "0.5", "10.67.0.1");
  assertMatch(stdout, /From 10\.77\.0\.2.*Redirect Host.*New nexthop: 10\.77\.0\.3/i);
  assert(counter(Stat.ICMP_REDIRECTS_OUT) > 0);
  stack.sysctl.set("net.ipv4.conf.all.send_redirects", 0);
}

/** A host, and its counters by themselves. */
type Counted = Pick<Host, "stack"> & { readonly counter: (which: Stat) => number };

function counted(check: (host: Counted) => Promise<void>): Case["run"] {
  return (host) => check({ stack: host.stack, counter: (which) => host.counter(which) });
}

/** The cases; `offload`: whether frames stand for many, on the far link too. */
export function forwarding(offload: boolean): Case[] {
  return [
    {
      name: "nothing goes through a host that is no router",
      run: async ({ stack }) => {
        far = await Far.open(stack, offload);
        stack.route.del("default");
        await run("ip", "route", "add", "10.78.0.0/24", "via", GODWIT);
        const { stdout } = await attempt("ping", "-n", "-c", "1", "-W", "0.3", FAR);
        assertMatch(stdout, /0 received/);
        stack.forwarding = true;
      },
    },
    { name: "ping goes through a router, which takes one off the TTL", run: answers },
    { name: "each hop tells of itself when a TTL ends there", run: tellsEachHop },
    { name: "each packet is counted once, by the stack and the route", run: counted(counts) },
    { name: "curl downloads and uploads through the router", run: transfers },
    { name: "iperf3 sends and receives through it over TCP", run: iperfOverTcp, seconds: 40 },
    { name: "iperf3 loses nothing through it over UDP", run: iperfOverUdp },
    { name: "ping is told of what cannot be reached, and why", run: saysUnreachable },
    { name: "a narrow link behind it is told of, or cut for", run: tellsOfTheMtu, seconds: 40 },
    { name: "sources that are elsewhere are dropped if asked for", run: counted(filters) },
    { name: "a route for some sources is for those only", run: sendsBySource },
    { name: "routes that are equal share flows, each of them whole", run: sharesFlows },
    { name: "it answers ARP for hosts behind it if asked for", run: answersArp },
    { name: "it tells of a nearer router if asked for", run: counted(redirects) },
    {
      name: "its interface goes, and the way with it",
      run: async () => {
        await far[Symbol.asyncDispose]();
        assertMatch(await ping("-c", "1", FAR), /From 10\.77\.0\.2 .*Destination Net Unreachable/);
      },
    },
  ];
}

/** The cases, frame by frame. */
export const group: Group = {
  name: "interop forward",
  module: import.meta.url,
  tools: ["curl", "iperf3", "nsenter", "ping", "python3"],
  cases: forwarding(false),
  seen: [
    { name: "redirects", filter: `icmp.type == 5 && ip.src == ${GODWIT}` },
    { name: "TTLs that ended", filter: `icmp.type == 11 && ip.src == ${GODWIT}` },
    { name: "what must be cut", filter: "icmp.type == 3 && icmp.code == 4 && icmp.mtu == 1000" },
  ],
};
