/** Routes as programs add, change, see and delete them, and the settings of single interfaces. */

import { assertEquals, assertThrows } from "@std/assert";
import { NullDriver } from "../../../drivers/null.ts";
import { createStack, SocketError, type Stack } from "../../../mod.ts";

async function twoUplinks(): Promise<Stack> {
  return await createStack({
    interfaces: [
      { driver: new NullDriver(), name: "eth0", addresses: ["192.0.2.2/24"] },
      { driver: new NullDriver(), name: "eth1", addresses: ["198.51.100.2/24"] },
    ],
  });
}

function code(call: () => unknown): string {
  return assertThrows(call, SocketError).code;
}

Deno.test("routes: limits, sources and metrics are seen as they were given", async () => {
  await using stack = await twoUplinks();
  const { route } = stack;
  route.add("default", { gateway: "192.0.2.1" });
  route.add("default", { gateway: "198.51.100.1", from: "198.51.100.2", mtu: 1400, mss: 1300 });
  route.add("10.0.0.0/8", { gateway: "192.0.2.9", metric: 5 });
  const table = [...route].filter(({ gateway }) => gateway !== "");
  assertEquals(
    table.map((it) => [it.destination, it.gateway, it.from, it.metric, it.mtu, it.mss]),
    [
      ["10.0.0.0/8", "192.0.2.9", "", 5, 1500, 0],
      ["0.0.0.0/0", "198.51.100.1", "198.51.100.2/32", 0, 1400, 1300],
      ["0.0.0.0/0", "192.0.2.1", "", 0, 1500, 0],
    ],
  );
  assertEquals(route.get("203.0.113.1").interface, "eth0");
  assertEquals(route.get("203.0.113.1", "198.51.100.2").interface, "eth1");
  route.change("default", { gateway: "192.0.2.3", mtu: 1000 });
  assertEquals(route.get("203.0.113.1", "198.51.100.2").gateway, "192.0.2.3", "the best is meant");
  route.change("default", { kind: "reject", from: "198.51.100.2" });
  assertEquals(code(() => route.change("default", { metric: 8, mtu: 600 })), "ESRCH");
  assertEquals(code(() => route.del("default", { gateway: "192.0.2.77" })), "ESRCH");
  route.del("default", { gateway: "192.0.2.1" });
  route.del("default");
  assertEquals(code(() => route.get("203.0.113.1", "198.51.100.2")), "ESRCH");
  assertEquals(code(() => route.add("default", { gateway: "192.0.2.1", from: "x" })), "EINVAL");
  assertEquals(code(() => route.add("default", { gateway: "192.0.2.1", mtu: 60 })), "EINVAL");
});

Deno.test("routes: a hundred thousand are added, listed in order, and deleted", async () => {
  await using stack = await createStack({
    memory: { routes: 100_100 },
    interfaces: [{ driver: new NullDriver(), name: "eth0", addresses: ["192.0.2.2/24"] }],
  });
  const { route } = stack;
  const name = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
  for (let i = 0; i < 100_000; i++) route.add(name(i), { gateway: "192.0.2.1" });
  const hosts = [...route].filter(({ gateway }) => gateway !== "");
  assertEquals(hosts.length, 100_000);
  assertEquals(hosts[77_777].destination, `${name(77_777)}/32`);
  assertEquals(route.get(name(99_999)).destination, `${name(99_999)}/32`);
  for (let i = 0; i < 100_000; i++) route.del(name(i));
  assertEquals([...route].filter(({ gateway }) => gateway !== "").length, 0);
});

Deno.test("settings of an interface are its own, beside those of all", async () => {
  await using stack = await twoUplinks();
  const { sysctl } = stack;
  for (
    const [field, most] of [["rp_filter", 2], ["proxy_arp", 1], ["send_redirects", 1]] as const
  ) {
    const name = `net.ipv4.conf.eth1.${field}`;
    assertEquals(sysctl.get(name), 0);
    sysctl.set(name, most);
    assertEquals(sysctl.get(`net/ipv4/conf/eth1/${field}`), most);
    assertEquals(sysctl.get(`net.ipv4.conf.eth0.${field}`), 0);
    assertEquals(sysctl.get(`net.ipv4.conf.all.${field}`), 0);
    assertEquals(sysctl.describe(name).name, name);
    assertEquals(code(() => sysctl.set(name, most + 1)), "EINVAL");
  }
  sysctl.set("net.ipv4.conf.eth0.accept_redirects", true);
  assertEquals(sysctl.get("net.ipv4.conf.eth0.accept_redirects"), 1);
  sysctl.set("net.ipv4.conf.all.accept_redirects", 1);
  assertEquals(sysctl.get("net.ipv4.conf.all.accept_redirects"), 1);
  assertEquals(sysctl.get("net.ipv4.conf.eth1.accept_redirects"), 0);
  assertEquals(code(() => sysctl.get("net.ipv4.conf.eth7.rp_filter")), "ENOENT");
  assertEquals(code(() => sysctl.get("net.ipv4.conf.eth0.no_such")), "ENOENT");
});
