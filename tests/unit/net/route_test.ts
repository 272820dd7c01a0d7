/** The routing table, against a plain reference and case by case. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Iff, Medium, Sioc } from "../../../assembly/abi/ifnet.ts";
import { Rtf } from "../../../assembly/abi/route.ts";
import { Sock } from "../../../assembly/abi/socket.ts";
import { bytes, icmp, ip, ip4, ipText, readIp4 } from "./frames.ts";
import { etherHost, Host, maskOf, toHost } from "./host.ts";

const SEED = 20261122;

interface Prefix {
  readonly dst: number;
  readonly length: number;
}

Deno.test("route: lookups find the longest prefix, as a plain search does", () => {
  const prefix = fc.record({
    dst: fc.integer({ min: 0, max: 0xff }).map((n) => (0x0a000000 | (n << 12)) >>> 0),
    length: fc.integer({ min: 8, max: 32 }),
  }).map(({ dst, length }): Prefix => ({ dst: (dst & maskOf(length)) >>> 0, length }));
  const step = fc.record({ prefix, add: fc.boolean() });
  const target = fc.integer({ min: 0, max: 0xfffff }).map((n) => (0x0a000000 | n) >>> 0);
  const property = fc.property(
    fc.array(step, { maxLength: 40 }),
    fc.array(target, { minLength: 1, maxLength: 20 }),
    (steps, targets) => {
      const host = new Host();
      const port = host.attach({ medium: Medium.IP, flags: Iff.POINTOPOINT });
      host.address(port, "192.0.2.1", { dst: ip("192.0.2.2") });
      const table = new Map<string, Prefix>();
      for (const { prefix, add } of steps) {
        const name = `${ipText(prefix.dst)}/${prefix.length}`;
        const result = add ? host.route(name, "192.0.2.2") : host.unroute(name);
        if (add) {
          assertEquals(result, table.has(name) ? -Errno.EEXIST : 0);
          table.set(name, prefix);
        } else {
          assertEquals(result, table.delete(name) ? 0 : -Errno.ESRCH);
        }
        for (const dst of targets) check(host, [...table.values()], dst);
      }
    },
  );
  fc.assert(property, { seed: SEED, numRuns: 60 });
});

function check(host: Host, table: readonly Prefix[], dst: number): void {
  let best: Prefix | undefined;
  for (const prefix of table) {
    const matches = (dst & maskOf(prefix.length)) >>> 0 === prefix.dst;
    if (matches && (!best || prefix.length > best.length)) best = prefix;
  }
  const found = host.lookup(ipText(dst));
  assertEquals(found && [found.dst, found.mask], best && [best.dst, maskOf(best.length)]);
}

Deno.test("route: an address brings routes to itself, its broadcast and its subnet", () => {
  const { host, port } = etherHost();
  const flags = (dst: string) => (host.lookup(dst)?.flags ?? 0) & (Rtf.LOCAL | Rtf.BROADCAST);
  assertEquals(flags("10.0.0.1"), Rtf.LOCAL);
  assertEquals(flags("10.0.0.255"), Rtf.BROADCAST);
  assertEquals(flags("10.0.0.0"), Rtf.BROADCAST);
  assertEquals(flags("10.0.0.7"), 0);
  assertEquals(host.lookup("10.0.0.7")?.ifindex, port);
  assertEquals(host.lookup("10.0.0.7")?.src, ip("10.0.0.1"));
  assertEquals(host.lookup("10.0.0.1")?.ifindex, 1, "by way of lo0");
  assertEquals(host.lookup("10.0.1.1"), undefined);
  assertEquals(host.lookup("127.9.9.9")?.ifindex, 1);
});

Deno.test("route: several addresses of one subnet share its route, and inherit it", () => {
  const { host, port } = etherHost();
  assertEquals(host.address(port, "10.0.0.2/24"), 0);
  assertEquals(host.address(port, "10.9.0.1/16"), 0);
  assertEquals(host.address(port, "10.0.0.2/24"), -Errno.EEXIST);
  assertEquals(host.route("10.5.0.0/16", "10.0.0.77"), 0);
  assertEquals(host.ioctl(Sioc.DIFADDR, { ifindex: port, addr: ip("10.0.0.1") }), 0);
  assertEquals(host.lookup("10.0.0.7")?.src, ip("10.0.0.2"));
  assertEquals(host.lookup("10.0.0.255")?.flags !== undefined, true);
  assertEquals(host.lookup("10.5.1.1")?.src, ip("10.0.0.2"), "a route of the user goes on");
  assertEquals(host.lookup("10.0.0.1")?.flags === undefined, false, "a neighbour now");
  assertEquals(host.lookup("10.9.3.4")?.src, ip("10.9.0.1"));
  assertEquals(host.ioctl(Sioc.DIFADDR, { ifindex: port, addr: ip("10.0.0.2") }), 0);
  assertEquals(host.lookup("10.0.0.7"), undefined);
  assertEquals(host.lookup("10.5.1.1"), undefined);
  const error = host.ioctl(Sioc.DIFADDR, { ifindex: port, addr: ip("10.0.0.2") });
  assertEquals(error, -Errno.EADDRNOTAVAIL);
});

Deno.test("route: bad requests are refused with their errno", () => {
  const { host, port } = etherHost();
  assertEquals(host.route("0.0.0.0/0", "10.0.0.254"), 0);
  assertEquals(host.route("10.1.0.1/16", "10.0.0.254"), -Errno.EINVAL, "host bits");
  const mask = ip("255.0.255.0");
  assertEquals(host.route("10.1.0.0/16", "10.0.0.254", { mask }), -Errno.EINVAL, "no mask");
  assertEquals(host.route("10.1.0.0/16", "192.0.2.1"), -Errno.ENETUNREACH, "gateway off the link");
  assertEquals(host.route("10.1.0.0/16", "10.0.0.1"), -Errno.EINVAL, "gateway is us");
  assertEquals(host.route("10.1.0.0/16", "10.0.0.255"), -Errno.EINVAL, "gateway is everybody");
  assertEquals(host.route("10.1.0.0/16", "0.0.0.0"), -Errno.EINVAL, "no way at all");
  assertEquals(host.route("10.1.0.0/16", "0.0.0.0", { ifindex: 9 }), -Errno.ENXIO);
  assertEquals(host.route("10.1.0.0/16", "0.0.0.0", { ifindex: port }), 0);
  assertEquals(host.unroute("10.0.0.0/24"), -Errno.ESRCH, "belongs to the address");
  assertEquals(host.unroute("10.2.0.0/16"), -Errno.ESRCH);
});

Deno.test("route: packets go to the gateway; a refusing route answers at once", () => {
  const { host, port } = etherHost();
  const so = host.udp(0);
  assertEquals(host.send(so, bytes(1), "192.0.2.1", 9), -Errno.ENETUNREACH);
  host.route("0.0.0.0/0", "10.0.0.254");
  host.route("192.0.2.128/25", "0.0.0.0", { flags: Rtf.REJECT });
  host.route("198.51.100.0/24", "0.0.0.0", { flags: Rtf.BLACKHOLE });
  assertEquals(host.send(so, bytes(1), "192.0.2.1", 9), 1);
  assertEquals(host.output(port).length, 1, "asks for the gateway");
  assertEquals(host.ioctl(Sioc.GARP, { ifindex: port, addr: ip("10.0.0.254") }), 0);
  assertEquals(host.send(so, bytes(1), "192.0.2.200", 9), -Errno.EHOSTUNREACH);
  assertEquals(host.send(so, bytes(1), "198.51.100.1", 9), 1);
  assertEquals(host.output(port).length, 0);
});

Deno.test("route: while an interface is down its routes lead nowhere, or elsewhere", () => {
  const { host, port } = etherHost();
  const tun = host.attach({ medium: Medium.IP, flags: Iff.POINTOPOINT, name: "tun0" });
  host.address(tun, "10.0.0.65/26");
  assertEquals(host.lookup("10.0.0.66")?.ifindex, tun);
  host.ioctl(Sioc.SIFFLAGS, { ifindex: tun, flags: 0 });
  assertEquals(host.lookup("10.0.0.66")?.ifindex, port);
  host.ioctl(Sioc.SIFFLAGS, { ifindex: tun, flags: Iff.UP });
  assertEquals(host.lookup("10.0.0.66")?.ifindex, tun);
  assertEquals(host.send(host.udp(0), bytes(7), "10.0.0.66", 9), 1);
  const [packet] = host.output(tun);
  assertEquals(readIp4(packet).src, "10.0.0.65");
  assertEquals(host.call.if_detach(tun), 0);
  assertEquals(host.lookup("10.0.0.66")?.ifindex, port);
  assertEquals(host.call.if_detach(tun), -Errno.ENXIO);
});

Deno.test("route: the table has a limit and says so", () => {
  const { host } = etherHost({ routes: 8 });
  const results = Array.from(
    { length: 10 },
    (_, i) => host.route(`10.${i + 1}.0.0/16`, "10.0.0.2"),
  );
  assertEquals(results.includes(-Errno.ENOBUFS), true);
  const added = results.filter((r) => r === 0).length;
  for (let i = 0; i < added; i++) assertEquals(host.unroute(`10.${i + 1}.0.0/16`), 0);
  assertEquals(host.route("10.77.0.0/16", "10.0.0.2"), 0, "room again");
  assertEquals(host.socket(Sock.DGRAM, 0) > 0, true);
});

Deno.test("route: our own addresses stay ours while lo0 is down", () => {
  const { host, port } = etherHost();
  const echo = toHost(ip4({ src: "10.0.0.2", dst: "10.0.0.1", proto: 1, payload: icmp(8, 0, 1) }));
  assertEquals(host.ioctl(Sioc.SIFFLAGS, { ifindex: 1, flags: 0 }), 0);
  assertEquals(host.input(port, echo), ["ICMP_ECHO_ANSWERED"]);
  assertEquals(host.send(host.udp(0), bytes(1), "10.0.0.1", 9), -Errno.ENETDOWN);
});

Deno.test("route: an MTU is that of the route it was given with", () => {
  const { host } = etherHost();
  assertEquals(host.route("10.9.0.0/16", "10.0.0.2", { metric: 1 }), 0);
  assertEquals(host.route("10.9.0.0/16", "10.0.0.3", { metric: 2, mtu: 600 }), 0);
  assertEquals(host.lookup("10.9.0.1")?.mtu, 1500);
  assertEquals(host.unroute("10.9.0.0/16"), 0);
  assertEquals(host.lookup("10.9.0.1")?.mtu, 600);
});
