/** Routing sockets: what comes of packets, redirects and routes that lose them. */
import { assertEquals } from "@std/assert";
import { Iff, Sioc } from "../../assembly/abi/ifnet.ts";
import { Af, Sock } from "../../assembly/abi/socket.ts";
import type { Stack } from "../../mod.ts";
import { Rtf, Rtm } from "../../protocols/route/mod.ts";
import { createSim } from "../sim_pair.ts";
import { heardRoutes, socket } from "./route_kit.ts";

/** A datagram to an address behind a router. */
function knock({ sys }: Stack, fd: number): void {
  sys.nb.sendto(fd, Uint8Array.of(1), 0, { address: "192.0.2.9", port: 9 });
}

Deno.test("monitor: a redirect that was taken names the new way and its author", async () => {
  await using sim = await createSim({ hosts: 3 });
  const [host, gateway, nearer] = sim.stacks;
  host.sysctl.set("net.ipv4.conf.all.accept_redirects", 1);
  host.route.add("default", { gateway: "10.0.0.2" });
  for (const router of [gateway, nearer]) router.forwarding = true;
  gateway.sysctl.set("net.ipv4.conf.all.send_redirects", 1);
  gateway.route.add("192.0.2.0/24", { gateway: "10.0.0.3" });
  nearer.route.add("192.0.2.0/24", { kind: "blackhole" });
  const fd = socket(host);
  const udp = host.sys.socket(Af.INET, Sock.DGRAM);
  knock(host, udp);
  sim.advance(1_000_000);
  const [message, ...more] = heardRoutes(host, fd);
  assertEquals(more, []);
  const { type, destination, gateway: way, author, flags, pid } = message;
  assertEquals({ type, destination, way, author, pid }, {
    type: Rtm.REDIRECT,
    destination: "192.0.2.9",
    way: "10.0.0.3",
    author: "10.0.0.2",
    pid: 0,
  });
  assertEquals(flags, Rtf.UP | Rtf.GATEWAY | Rtf.HOST | Rtf.DYNAMIC | Rtf.DONE);
  assertEquals(host.route.get("192.0.2.9").gateway, "10.0.0.3");
  assertEquals(host.route.get("192.0.2.8").gateway, "10.0.0.2");
});

Deno.test("monitor: TCP tells of a way that loses packets; one of a redirect goes", async () => {
  await using sim = await createSim({ hosts: 3 });
  const [host, gateway, nearer] = sim.stacks;
  host.sysctl.set("net.ipv4.conf.all.accept_redirects", 1);
  host.route.add("default", { gateway: "10.0.0.2" });
  for (const router of [gateway, nearer]) router.forwarding = true;
  gateway.sysctl.set("net.ipv4.conf.all.send_redirects", 1);
  gateway.route.add("192.0.2.0/24", { gateway: "10.0.0.3" });
  nearer.route.add("192.0.2.0/24", { kind: "blackhole" });
  const fd = socket(host);
  const tcp = host.sys.socket(Af.INET, Sock.STREAM);
  try {
    host.sys.nb.connect(tcp, { address: "192.0.2.9", port: 9 });
  } catch {
    // It has begun.
  }
  sim.advance(20_000_000);
  const types = heardRoutes(host, fd).map(({ type, destination }) => `${type} ${destination}`);
  assertEquals(types.slice(0, 3), [
    `${Rtm.REDIRECT} 192.0.2.9`,
    `${Rtm.LOSING} 192.0.2.9`,
    `${Rtm.DELETE} 192.0.2.9`,
  ]);
});

Deno.test("monitor: a router tells of packets that it knows no way for", async () => {
  await using sim = await createSim();
  const [host, router] = sim.stacks;
  host.route.add("default", { gateway: "10.0.0.2" });
  router.forwarding = true;
  const fd = socket(router);
  knock(host, host.sys.socket(Af.INET, Sock.DGRAM));
  sim.advance(1_000_000);
  const heard = heardRoutes(router, fd).map(({ type, destination }) => [type, destination]);
  assertEquals(heard, [[Rtm.MISS, "192.0.2.9"]]);
});

Deno.test("monitor: an interface that goes down takes nothing away but the way", async () => {
  await using sim = await createSim();
  const [host] = sim.stacks;
  const { sys } = host;
  host.route.add("default", { gateway: "10.0.0.2" });
  const fd = socket(host);
  const udp = sys.socket(Af.INET, Sock.DGRAM);
  sys.ioctl(udp, Sioc.SIFFLAGS, { ifindex: 2, flags: 0 });
  assertEquals(heardRoutes(host, fd), []);
  sys.ioctl(udp, Sioc.SIFFLAGS, { ifindex: 2, flags: Iff.UP });
  assertEquals(host.route.get("192.0.2.9").gateway, "10.0.0.2");
});
