/**
 * The commands in processes of their own, on a stack that runs, with the Linux kernel at the other
 * end of the wire: what they say of it, and what it says of them.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type ControlServer, serveControl } from "../../../commands/mod.ts";
import { ABSENT, DEVICE, GODWIT, KERNEL } from "../kit/addresses.ts";
import { BEYOND, Beyond } from "../kit/beyond.ts";
import type { Case, Group } from "../kit/case.ts";
import { command, Running } from "../kit/command.ts";
import type { Host } from "../kit/host.ts";
import { countFrames, judge } from "../kit/judge.ts";
import { kernelUdp, type Outcome, run } from "../kit/kernel.ts";

const PORT = 4000;
const TEXT = "the quick brown fox\n";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

let control: string;
let server: ControlServer;
let beyond: Beyond;

/** A command that works, or not. */
function its(name: string, ...args: string[]): Promise<Outcome> {
  return command(control, name, args);
}

/** What a command prints; throws unless it works. */
async function says(name: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await its(name, ...args);
  assertEquals([code, stderr], [0, ""], `${name} ${args.join(" ")}: ${stdout}`);
  return stdout;
}

function started(name: string, ...args: string[]): Running {
  return new Running(control, name, args);
}

async function pings(): Promise<void> {
  const small = await says("ping", "-c", "3", "-i", "0.05", KERNEL);
  assertMatch(small, /^PING 10\.77\.0\.1: 56 data bytes\n64 bytes from 10\.77\.0\.1: icmp_seq=/);
  assertMatch(small, /3 packets transmitted, 3 packets received, 0\.0% packet loss/);
  const large = await says("ping", "-c", "1", "-s", "6000", "--json", KERNEL);
  const [reply, summary] = large.split("\n").map((line) => JSON.parse(line));
  assertEquals([reply.kind, reply.bytes, summary.received], ["reply", 6008, 1]);
  const far = await its("ping", "-c", "1", "-t", "1", BEYOND);
  assertEquals(far.code, 1);
  assertMatch(far.stdout, /From 10\.77\.0\.1 icmp_seq=0 .*[Tt]ime to live exceeded/);
  const nobody = await its("ping", "-c", "1", "-W", "0.2", ABSENT);
  assertEquals(nobody.code, 1);
  assertMatch(nobody.stdout, /1 packets transmitted, 0 packets received, .*100\.0% packet loss/);
}

async function stopsAtCtrlC(): Promise<void> {
  const endless = started("ping", "-i", "0.05", KERNEL);
  for (let i = 0; i < 3; i++) await endless.line();
  endless.interrupt();
  const { code, stdout } = await endless.end();
  assertEquals(code, 0);
  assertMatch(stdout, /packets transmitted, .* 0\.0% packet loss/);
}

async function tracesTheWay(): Promise<void> {
  for (const how of [[], ["-I"]]) {
    const lines = (await says("traceroute", ...how, "-q", "1", BEYOND)).trim().split("\n");
    assertEquals(lines.length, 3, lines.join("\n"));
    assertMatch(lines[1], /^ 1 +10\.77\.0\.1 +[\d.]+ ms$/);
    assertMatch(lines[2], /^ 2 +10\.79\.0\.2 +[\d.]+ ms$/);
  }
}

/** A server of the kernel, which sends back what comes and hangs up at the end. */
async function callsAServer(): Promise<void> {
  using listener = Deno.listen({ hostname: KERNEL, port: PORT });
  const served = (async () => {
    using conn = await listener.accept();
    for await (const piece of conn.readable) await conn.write(piece).catch(() => {});
  })();
  const calling = started("nc", KERNEL, String(PORT));
  await calling.type(TEXT);
  assertEquals(`${await calling.line()}\n`, TEXT);
  await calling.closeInput();
  assertEquals(await calling.end(), { code: 0, stdout: "", stderr: "" });
  await served.catch(() => {});
}

async function isCalled({ stack, until }: Watched): Promise<void> {
  const listening = started("nc", "-k", "-l", String(PORT));
  const listens = () => stack.netstat().sockets.some(({ local }) => local.endsWith(`:${PORT}`));
  await until("nc listens", listens);
  for (const words of ["one", "two"]) {
    const conn = await Deno.connect({ hostname: GODWIT, port: PORT });
    await conn.write(encoder.encode(`${words}\n`));
    assertEquals(await listening.line(), words);
    if (words === "two") {
      await listening.type("three\n");
      const buffer = new Uint8Array(99);
      const length = await conn.read(buffer) ?? 0;
      assertEquals(decoder.decode(buffer.subarray(0, length)), "three\n");
    }
    conn.close();
  }
  listening.interrupt();
  assertEquals((await listening.end()).code, 1);
  await until("nobody listens", () => !listens());
}

async function sendsDatagrams({ stack, until }: Watched): Promise<void> {
  using peer = kernelUdp(KERNEL, PORT);
  const calling = started("nc", "-u", "-w", "1", KERNEL, String(PORT));
  await calling.type(TEXT);
  const [data, from] = await peer.receive();
  assertEquals([decoder.decode(data), (from as Deno.NetAddr).hostname], [TEXT, GODWIT]);
  await peer.send(encoder.encode("answer\n"), from);
  assertEquals(await calling.line(), "answer");
  await calling.closeInput();
  assertEquals((await calling.end()).code, 0);

  const listening = started("nc", "-u", "-l", String(PORT));
  const bound = () => stack.netstat().sockets.some(({ local }) => local.endsWith(`:${PORT}`));
  await until("nc listens", bound);
  const to = { transport: "udp", hostname: GODWIT, port: PORT } as const;
  await peer.send(encoder.encode("question\n"), to);
  assertEquals(await listening.line(), "question");
  await listening.type("answer\n");
  assertEquals(decoder.decode((await peer.receive())[0]), "answer\n");
  listening.interrupt();
  await listening.end();
  await until("nobody listens", () => !bound());
}

async function scans(): Promise<void> {
  using _listener = Deno.listen({ hostname: KERNEL, port: PORT });
  const ports = `${PORT - 1}-${PORT + 1}`;
  const { code, stdout, stderr } = await its("nc", "-z", "-v", "-w", "2", KERNEL, ports);
  assertEquals([code, stdout], [1, `Connection to ${KERNEL} port ${PORT} succeeded`]);
  assertEquals(stderr.match(/ECONNREFUSED/g)?.length, 2, stderr);
}

/** Routes and addresses by commands are the stack's, and the monitor tells of them. */
async function configures({ stack, until }: Watched): Promise<void> {
  const monitor = started("route", "monitor");
  const routed = () => stack.protocols.list().some((it) => it.name === "route" && it.sockets > 0);
  await until("the monitor listens", routed);
  await says("route", "add", "10.81.0.0/16", KERNEL, "--mtu", "1400");
  assertMatch(await monitor.line(), /^RTM_ADD .*10\.81\.0\.0\/16/);
  const got = await says("route", "get", "10.81.1.1");
  assertMatch(got, /gateway: 10\.77\.0\.1\n(.*\n)* +mtu: 1400/);
  await run("ip", "addr", "add", "10.81.0.1/32", "dev", "lo");
  await says("ping", "-c", "1", "10.81.0.1");
  await says("route", "delete", "10.81.0.0/16");
  assertMatch(await monitor.line(), /^RTM_DELETE .*10\.81\.0\.0\/16/);
  const [{ name }] = stack.interfaces.filter((it) => it.name !== "lo0");
  await says("ifconfig", name, "10.77.0.55/24");
  assertMatch(await run("ping", "-n", "-c", "1", "-W", "5", "10.77.0.55"), /1 received/);
  await says("ifconfig", name, "10.77.0.55/24", "delete");
  monitor.interrupt();
  assertMatch((await monitor.end()).stdout, /RTM_NEWADDR.*10\.77\.0\.55(.*\n)+.*RTM_DELADDR/);
}

async function knowsNeighbours(): Promise<void> {
  await says("ping", "-c", "1", KERNEL);
  const hwaddr = /link\/ether (\S+)/.exec(await run("ip", "link", "show", DEVICE))?.[1] ?? "none";
  assert((await says("arp", "-a")).includes(`(${KERNEL}) at ${hwaddr}`), await says("arp", "-a"));
  await says("arp", "-d", KERNEL);
  assertEquals((await says("arp", "-a")).includes(hwaddr), false);
  await says("ping", "-c", "1", KERNEL);
}

/** The interfaces that can be listened on. */
async function listsInterfaces({ stack }: Host): Promise<void> {
  const [{ name }] = stack.interfaces.filter((it) => it.name !== "lo0");
  const lines = (await says("tcpdump", "-D")).split("\n");
  assertEquals(lines, ["1.lo0 [Up, Running, Loopback]", `2.${name} [Up, Running]`]);
  const { code, stderr } = await its("tcpdump", "-i", "none");
  assertEquals([code, stderr], [1, `tcpdump: there is no interface none; there are lo0, ${name}`]);
}

/** Frames that tcpdump writes are what tshark reads. */
async function captures({ folder }: Host): Promise<void> {
  const file = `${folder}/by_tcpdump.pcapng`;
  const writing = started("tcpdump", "-w", file, "-c", "4", "icmp");
  const printing = started("tcpdump", "-t", "-c", "4", "icmp");
  for (const { errors } of [writing, printing]) {
    assertMatch((await errors.next()).value, /^listening on /);
  }
  await run("ping", "-n", "-c", "2", "-i", "0.2", "-W", "5", GODWIT);
  assertEquals((await writing.end()).code, 0);
  await judge(file);
  assertEquals(await countFrames(file, `icmp.type == 8 && ip.dst == ${GODWIT}`), 2);
  assertEquals(await countFrames(file, `icmp.type == 0 && ip.src == ${GODWIT}`), 2);
  const { code, stdout } = await printing.end();
  const lines = stdout.trim().split("\n");
  assertEquals([code, lines.length], [0, 4]);
  assertMatch(lines[0], /^IP 10\.77\.0\.1 > 10\.77\.0\.2: ICMP echo request, id \d+, seq 1, /);
  assertMatch(lines[3], /^IP 10\.77\.0\.2 > 10\.77\.0\.1: ICMP echo reply, id \d+, seq 2, /);
}

async function showsConnections({ stack }: Host): Promise<void> {
  using listener = stack.listen({ port: PORT });
  using conn = await Deno.connect({ hostname: GODWIT, port: PORT });
  using accepted = await listener.accept();
  await conn.write(new Uint8Array(1000));
  const port = (conn.localAddr as Deno.NetAddr).port;
  const shown = await says("netstat", "-an");
  const line = `tcp +\\d+ +\\d+ +10\\.77\\.0\\.2:${PORT} +10\\.77\\.0\\.1:${port} +ESTABLISHED`;
  assertMatch(shown, new RegExp(line));
  assertMatch(shown, new RegExp(`tcp +0 +0 +\\*:${PORT} +\\*:\\* +LISTEN`));
  await accepted.read(new Uint8Array(1000));
  const counters = await says("netstat", "-s");
  assertMatch(counters, /\d+ /);
}

/** A host, and how to wait for something to hold. */
type Watched = Pick<Host, "stack"> & Pick<Host, "until">;

function watched(check: (host: Watched) => Promise<void>): Case["run"] {
  return (host) => check({ stack: host.stack, until: (what, holds) => host.until(what, holds) });
}

/** The cases. */
export const group: Group = {
  name: "interop commands",
  module: import.meta.url,
  tools: ["ping", "nsenter"],
  cases: [
    {
      name: "ping counts the kernel's answers, its errors and its silence",
      run: async ({ stack, folder }) => {
        control = `${folder}/control`;
        server = await serveControl(stack, { path: control });
        beyond = await Beyond.open();
        await pings();
      },
    },
    { name: "ping ends at Ctrl-C, with its figures", run: stopsAtCtrlC },
    { name: "traceroute finds the kernel that routes, and who is behind it", run: tracesTheWay },
    { name: "nc talks to a server of the kernel", run: callsAServer },
    { name: "nc is a server for clients of the kernel", run: watched(isCalled) },
    { name: "nc sends and receives datagrams", run: watched(sendsDatagrams) },
    { name: "nc tells which ports of the kernel are open", run: scans },
    { name: "route and ifconfig change what the kernel reaches", run: watched(configures) },
    { name: "arp knows the kernel, and forgets it", run: knowsNeighbours },
    {
      name: "tcpdump sees what passes, and writes what tshark reads",
      run: captures,
      seconds: 60,
    },
    { name: "tcpdump lists the interfaces", run: listsInterfaces },
    { name: "netstat shows a connection of the kernel", run: showsConnections },
    {
      name: "who asks when the server is gone is told so",
      run: async () => {
        await server[Symbol.asyncDispose]();
        await beyond[Symbol.asyncDispose]();
        const { code, stderr } = await its("netstat");
        assertEquals(code, 1);
        assertMatch(stderr, /control: no stack is there/);
      },
    },
  ],
};
