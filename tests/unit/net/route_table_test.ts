/** The routing table with all that tells routes to one prefix apart, against a plain reference. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Iff, Medium, Sioc } from "../../../assembly/abi/ifnet.ts";
import { Rtf } from "../../../assembly/abi/route.ts";
import { Sock } from "../../../assembly/abi/socket.ts";
import { bytes, ip, ipText, readIp4 } from "./frames.ts";
import { Host, maskOf } from "./host.ts";

const SEED = 20261123;
const GATEWAYS = ["192.0.2.2", "198.51.100.2"];
const SOURCES = ["192.0.2.1", "198.51.100.1"];

/** A host between two point-to-point links. */
function twoUplinks(): { host: Host; ports: number[] } {
  const host = new Host({ routes: 4096 });
  const ports = GATEWAYS.map((gateway, i) => {
    const port = host.attach({ medium: Medium.IP, flags: Iff.POINTOPOINT });
    assertEquals(host.address(port, SOURCES[i], { dst: ip(gateway) }), 0);
    return port;
  });
  return { host, ports };
}

interface Entry {
  readonly dst: number;
  readonly length: number;
  readonly metric: number;
  /** Which of SOURCES packets must come from; any for 2. */
  readonly from: number;
  readonly way: number;
}

const entry: fc.Arbitrary<Entry> = fc.record({
  dst: fc.integer({ min: 0, max: 15 }).map((n) => (0x0a000000 | (n << 20) | n) >>> 0),
  length: fc.constantFrom(0, 1, 8, 11, 12, 16, 24, 31, 32),
  metric: fc.integer({ min: 0, max: 2 }),
  from: fc.integer({ min: 0, max: 2 }),
  way: fc.integer({ min: 0, max: 1 }),
}).map((it) => ({ ...it, dst: (it.dst & maskOf(it.length)) >>> 0 }));

function nameOf({ dst, length }: Entry): string {
  return `${ipText(dst)}/${length}`;
}

function fieldsOf({ metric, from }: Entry): { metric: number; from: number; from_mask: number } {
  return from < 2
    ? { metric, from: ip(SOURCES[from]), from_mask: 0xffffffff }
    : { metric, from: 0, from_mask: 0 };
}

/** The best routes for a packet: those that share its traffic. `up`: which ways lead somewhere. */
function best(table: readonly Entry[], dst: number, src: number, up: readonly boolean[]): Entry[] {
  const fits = table.filter((it) =>
    (dst & maskOf(it.length)) >>> 0 === it.dst && up[it.way] && (it.from === 2 || it.from === src)
  );
  const sourced = (it: Entry) => it.from < 2 ? 1 : 0;
  const order = (a: Entry, b: Entry) =>
    b.length - a.length || sourced(b) - sourced(a) || a.metric - b.metric;
  fits.sort(order);
  return fits.filter((it) => order(it, fits[0]) === 0);
}

Deno.test("route table: prefixes, sources, metrics and ways, as a plain search has them", () => {
  const step = fc.record({ entry, kind: fc.constantFrom("add", "add", "del", "down", "up") });
  const packet = fc.record({
    dst: fc.integer({ min: 0, max: 15 }).map((n) => (0x0a000000 | (n << 20) | n) >>> 0),
    src: fc.integer({ min: 0, max: 2 }),
  });
  const property = fc.property(
    fc.array(step, { maxLength: 60 }),
    fc.array(packet, { minLength: 1, maxLength: 10 }),
    (steps, packets) => {
      const { host, ports } = twoUplinks();
      const up = [true, true];
      let table: Entry[] = [];
      const same = (a: Entry, b: Entry) =>
        nameOf(a) === nameOf(b) && a.metric === b.metric && a.from === b.from && a.way === b.way;
      for (const { entry, kind } of steps) {
        if (kind === "add") {
          // what an interface that is down leads to is on no link
          const expected = !up[entry.way]
            ? -Errno.ENETUNREACH
            : table.some((it) => same(it, entry))
            ? -Errno.EEXIST
            : 0;
          // a default route leads everywhere, but a gateway must be on a link
          const result = host.route(nameOf(entry), GATEWAYS[entry.way], fieldsOf(entry));
          assertEquals(result, expected);
          if (result === 0) table.push(entry);
        } else if (kind === "del") {
          // 0 of metric and source stands for any
          const choice = table.filter((it) =>
            nameOf(it) === nameOf(entry) && it.way === entry.way &&
            (entry.metric === 0 || it.metric === entry.metric) &&
            (entry.from === 2 || it.from === entry.from)
          );
          const gone = choice.sort((a, b) =>
            (a.from === 2 ? 1 : 0) - (b.from === 2 ? 1 : 0) || a.metric - b.metric
          );
          // of two sources equally exact, the one that came first
          const more = { ...fieldsOf(entry), gateway: ip(GATEWAYS[entry.way]) };
          assertEquals(host.unroute(nameOf(entry), more), gone.length > 0 ? 0 : -Errno.ESRCH);
          table = table.filter((it) => it !== gone[0]);
        } else {
          up[entry.way] = kind === "up";
          const flags = kind === "up" ? Iff.UP : 0;
          host.ioctl(Sioc.SIFFLAGS, { ifindex: ports[entry.way], flags });
        }
        for (const { dst, src } of packets) check(host, ports, best(table, dst, src, up), dst, src);
      }
      mustWalk(host, table);
    },
  );
  fc.assert(property, { seed: SEED, numRuns: 150 });
});

/** The route found is one of those that share the traffic; a source of our own has its own way. */
function check(host: Host, ports: number[], ways: Entry[], dst: number, src: number): void {
  const found = host.lookup(ipText(dst), SOURCES[src]);
  if (ways.length === 0) return assertEquals(found, undefined);
  const own = ways.filter(({ way }) => way === src);
  const allowed = (own.length > 0 ? own : ways).map(({ way }) => ports[way]);
  assertEquals(allowed.includes(found!.ifindex), true);
  assertEquals([found!.dst, found!.mask], [ways[0].dst, maskOf(ways[0].length)]);
  assertEquals([found!.metric, found!.from_mask !== 0], [ways[0].metric, ways[0].from < 2]);
}

/** Walking the table meets each of these once, beside the routes of addresses. */
function mustWalk(host: Host, table: readonly Entry[]): void {
  const met: string[] = [];
  for (let i = 0;; i++) {
    const it = host.walk(i);
    if (it === undefined) break;
    if (it.flags & Rtf.STATIC) met.push([it.dst, it.mask, it.metric, it.from, it.gateway].join());
  }
  const expected = table.map((it) => {
    const { metric, from } = fieldsOf(it);
    return [it.dst, maskOf(it.length), metric, from, ip(GATEWAYS[it.way])].join();
  });
  assertEquals(met.sort(), expected.sort());
}

Deno.test("route table: equal routes share connections, each of which keeps its way", () => {
  const { host, ports } = twoUplinks();
  for (const gateway of GATEWAYS) assertEquals(host.route("0.0.0.0/0", gateway), 0);
  const counts = ports.map(() => 0);
  for (let i = 0; i < 64; i++) {
    const so = host.socket(Sock.DGRAM, 0);
    assertEquals(host.connect(so, "203.0.113.9", 9), 0);
    const first = sendOne(host, ports, so);
    counts[first.way] += 1;
    assertEquals(first.src, SOURCES[first.way], "with the address of the way");
    assertEquals(sendOne(host, ports, so), first);
    host.call.so_close(so);
  }
  assertEquals(counts.every((n) => n > 0 && n < 64), true, String(counts));
});

Deno.test("route table: what is bound to an address of ours goes out where that is", () => {
  const { host, ports } = twoUplinks();
  for (const gateway of GATEWAYS) assertEquals(host.route("0.0.0.0/0", gateway), 0);
  for (const [i, source] of SOURCES.entries()) {
    for (let port = 1; port < 9; port++) {
      const so = host.udp(1000 + port, source);
      assertEquals(host.send(so, bytes(1), "203.0.113.9", port), 1);
      assertEquals(host.output(ports[i]).length, 1);
      host.call.so_close(so);
    }
  }
});

Deno.test("route table: when one way is down the other has all, and loses it again", () => {
  const { host, ports } = twoUplinks();
  for (const gateway of GATEWAYS) assertEquals(host.route("0.0.0.0/0", gateway), 0);
  const so = host.udp(5);
  for (const i of [0, 1]) {
    host.ioctl(Sioc.SIFFLAGS, { ifindex: ports[i], flags: 0 });
    assertEquals(host.lookup("203.0.113.9", SOURCES[i])?.ifindex, ports[1 - i]);
    assertEquals(host.send(so, bytes(1), "203.0.113.9", 9), 1);
    assertEquals(host.output(ports[1 - i]).length, 1);
    host.ioctl(Sioc.SIFFLAGS, { ifindex: ports[i], flags: Iff.UP });
  }
});

/** Sends a byte; by which way it went, and from which address. */
function sendOne(host: Host, ports: number[], so: number): { way: number; src: string } {
  assertEquals(host.send(so, bytes(1)), 1);
  const out = ports.map((port) => host.output(port));
  const way = out.findIndex((packets) => packets.length === 1);
  return { way, src: readIp4(out[way][0]).src };
}

Deno.test("route table: a change keeps what was counted, and is refused as an addition is", () => {
  const { host, ports } = twoUplinks();
  assertEquals(host.reroute("10.0.0.0/8", { mtu: 600 }), -Errno.ESRCH);
  assertEquals(host.route("10.0.0.0/8", GATEWAYS[0], { metric: 3 }), 0);
  const so = host.udp(5);
  assertEquals(host.send(so, bytes(1), "10.1.1.1", 9), 1);
  assertEquals(host.lookup("10.1.1.1")?.use, 1);
  assertEquals(host.reroute("10.0.0.0/8", { mtu: 60 }), -Errno.EINVAL);
  assertEquals(host.reroute("10.0.0.0/8", { mtu: 70_000 }), -Errno.EINVAL);
  assertEquals(host.reroute("10.0.0.0/8", { gateway: ip("203.0.113.1") }), -Errno.ENETUNREACH);
  assertEquals(host.reroute("10.0.0.0/8", { ifindex: 40 }), -Errno.ENXIO);
  assertEquals(host.reroute("10.0.0.0/8", { metric: 4, mtu: 600 }), -Errno.ESRCH);
  assertEquals(host.reroute("10.0.0.0/8", { mtu: 600, mss: 500 }), 0);
  assertEquals(host.reroute("10.0.0.0/8", { gateway: ip(GATEWAYS[1]) }), 0);
  const { ifindex, mtu, mss, metric, use } = host.lookup("10.1.1.1")!;
  const found = { ifindex, mtu, mss, metric, use };
  assertEquals(found, { ifindex: ports[1], mtu: 600, mss: 500, metric: 3, use: 1 });
  assertEquals(host.reroute("10.0.0.0/8", { flags: Rtf.REJECT }), 0);
  assertEquals(host.send(so, bytes(1), "10.1.1.1", 9), -Errno.EHOSTUNREACH);
  assertEquals(host.route("10.0.0.0/8", GATEWAYS[0], { metric: 4 }), 0);
  const wrong = { metric: 4, gateway: ip(GATEWAYS[1]) };
  assertEquals(host.unroute("10.0.0.0/8", wrong), -Errno.ESRCH);
  assertEquals(host.unroute("10.0.0.0/8", { metric: 4 }), 0);
  assertEquals(host.unroute("10.0.0.0/8"), 0);
});

Deno.test("route table: of two that share, one that refuses shares no more", () => {
  const { host, ports } = twoUplinks();
  for (const gateway of GATEWAYS) assertEquals(host.route("0.0.0.0/0", gateway), 0);
  assertEquals(host.reroute("0.0.0.0/0", { flags: Rtf.REJECT }), 0);
  for (let i = 0; i < 16; i++) {
    const found = host.lookup(`203.0.113.${i}`, "192.0.2.1");
    assertEquals([found?.ifindex, found?.gateway], [ports[1], ip(GATEWAYS[1])]);
  }
  assertEquals(host.unroute("0.0.0.0/0", { gateway: ip(GATEWAYS[1]) }), 0);
  assertEquals(host.lookup("203.0.113.1", "192.0.2.1")!.flags & Rtf.REJECT, Rtf.REJECT);
  assertEquals(host.route("10.0.0.0/8", "0.0.0.0", { flags: Rtf.BLACKHOLE }), 0);
  assertEquals(host.lookup("10.0.0.1", "192.0.2.1")!.flags & Rtf.BLACKHOLE, Rtf.BLACKHOLE);
});

Deno.test("route table: a source that cannot be is refused", () => {
  const { host } = twoUplinks();
  for (
    const [from, from_mask] of [
      [ip("10.0.0.1"), ip("255.0.0.0")],
      [ip("10.0.0.0"), ip("255.0.255.0")],
      [0, ip("255.0.0.0")],
      [ip("10.0.0.0"), 0],
    ]
  ) {
    const result = host.route("0.0.0.0/0", GATEWAYS[0], { from, from_mask });
    assertEquals(result, -Errno.EINVAL, `${ipText(from)} ${ipText(from_mask)}`);
  }
});
