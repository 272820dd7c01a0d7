/** Batches of frames, interfaces, and drivers that misbehave. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Iff, Sioc } from "../../../assembly/abi/ifnet.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { NullDriver } from "../../../drivers/null.ts";
import { pipe } from "../../../drivers/pipe.ts";
import { ManualClock } from "../../../runtime/clock.ts";
import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../../../runtime/device/driver.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { createStack, type Stack } from "../../../runtime/stack.ts";

/** A driver whose calls do what the test says. */
class Puppet implements NetDriver {
  readonly name = "puppet";
  caps: DriverCaps = { mtu: 1500, medium: "ethernet" };
  ifp!: Ifnet;
  detached = 0;
  onRx: (free: FrameBatch) => number = () => 0;
  onStart: (tx: FrameBatch) => number = (tx) => tx.count;
  attach(ifp: Ifnet): void {
    this.ifp = ifp;
  }
  rx(free: FrameBatch): number {
    return this.onRx(free);
  }
  start(tx: FrameBatch): number {
    return this.onStart(tx);
  }
  detach(): void {
    this.detached++;
  }
}

const memory = { bytes: 8 * 2 ** 20 };

function manual(): Promise<Stack> {
  return createStack({ clock: new ManualClock(1_000_000), seed: 1, memory });
}

function settle(stack: Stack): void {
  for (let i = 0; i < 100 && stack.turn() > 0; i++);
}

/** Makes the stack send: an ARP request for a neighbour. */
function sendSomething(stack: Stack): void {
  const fd = stack.sys.socket(Af.INET, Sock.DGRAM);
  stack.sys.nb.sendto(fd, new Uint8Array(1), 0, { address: "10.0.0.9", port: 9 });
  stack.sys.nb.close(fd);
}

const address = { name: "eth0", addresses: ["10.0.0.1/24"] };

Deno.test("a driver sees the interface: name, index, address, memory, time", async () => {
  await using stack = await manual();
  const driver = new Puppet();
  const attachment = await stack.attach(driver, address);
  const { ifp } = driver;
  assertEquals([ifp.name, ifp.index, ifp.now()], ["eth0", 2, 1_000_000]);
  assertEquals([ifp.hwaddr.length, ifp.hwaddr[0] & 3], [6, 2]);
  assertEquals(ifp.memory.length, memory.bytes);
  assertEquals(attachment.reason, undefined);
  const again = await createStack({ clock: new ManualClock(), seed: 1, memory });
  const other = new Puppet();
  await again.attach(other, address);
  assertEquals(other.ifp.hwaddr, ifp.hwaddr, "the same seed gives the same address");
  await again.close();
});

Deno.test("frames to send are whole, and offered again until they are taken", async () => {
  await using stack = await manual();
  const driver = new Puppet();
  await stack.attach(driver, address);
  settle(stack);
  let offered = 0;
  driver.onStart = () => (offered++, 0);
  sendSomething(stack);
  stack.turn();
  stack.turn();
  assert(offered >= 2);
  let frame = new Uint8Array();
  driver.onStart = (tx) => {
    frame = tx.view(0).slice();
    assertEquals(frame.length, tx.length(0));
    assertThrows(() => tx.length(tx.count), RangeError);
    assertThrows(() => tx.address(-1), RangeError);
    assertThrows(() => tx.setLength(0, 1), RangeError);
    return tx.count;
  };
  settle(stack);
  assertEquals([...frame.subarray(0, 6)], [255, 255, 255, 255, 255, 255]);
  assertEquals([...frame.subarray(6, 12)], [...driver.ifp.hwaddr]);
  assertEquals([...frame.subarray(12, 14)], [8, 6]);
  assertEquals([...frame.subarray(38, 42)], [10, 0, 0, 9]);
});

Deno.test("an empty frame can be filled to its room and not beyond", async () => {
  await using stack = await manual();
  const driver = new Puppet();
  await stack.attach(driver, address);
  settle(stack);
  driver.onRx = (free) => {
    const room = free.length(0);
    assert(free.count === 64 && room >= 1514);
    assertThrows(() => free.setLength(0, room + 1), RangeError);
    assertThrows(() => free.setLength(0, -1), RangeError);
    assertThrows(() => free.setLength(0, 1.5), RangeError);
    free.setLength(0, 10);
    free.setLength(0, room);
    free.setLength(0, 60);
    driver.onRx = () => 0;
    return 1;
  };
  settle(stack);
  const [, eth0] = stack.netstat().interfaces;
  assertEquals([eth0.ipackets, eth0.ibytes, eth0.down], [1, 60, undefined]);
  const { fates } = stack.netstat();
  assertEquals(Object.values(fates).reduce((a, b) => a + b), 1, "every frame has one fate");
});

const failures: [string, (driver: Puppet) => void, RegExp][] = [
  ["rx throws", (d) => d.onRx = () => fail("cable cut"), /puppet driver, rx: Error: cable cut/],
  ["rx answers too many", (d) => d.onRx = (free) => free.count + 1, /rx: answered 65 of 64/],
  ["rx answers nonsense", (d) => d.onRx = () => NaN, /rx: answered NaN/],
  ["rx answers less than none", (d) => d.onRx = () => -1, /rx: answered -1/],
  ["start throws", (d) => d.onStart = () => fail("no carrier"), /start: Error: no carrier/],
  ["start answers too many", (d) => d.onStart = (tx) => tx.count + 1, /start: answered 2 of 1/],
  ["the driver gives up", (d) => d.onStart = () => (d.ifp.down("unplugged"), 0), /^unplugged$/],
];

function fail(words: string): never {
  throw new Error(words);
}

for (const [what, arrange, reason] of failures) {
  Deno.test(`${what}: the interface goes down with the reason, the stack lives on`, async () => {
    await using stack = await manual();
    const [driver, other] = [new Puppet(), new Puppet()];
    const attachment = await stack.attach(driver, address);
    await stack.attach(other, { name: "eth1", addresses: ["10.0.1.1/24"] });
    settle(stack);
    arrange(driver);
    sendSomething(stack);
    settle(stack);
    assert(reason.test(attachment.reason ?? ""), attachment.reason);
    const [, eth0, eth1] = stack.netstat().interfaces;
    assertEquals([eth0.flags & Iff.UP, eth0.down], [0, attachment.reason]);
    assertEquals([eth1.flags & Iff.UP, eth1.down], [Iff.UP, undefined]);
    driver.onRx = driver.onStart = () => fail("called after it went down");
    settle(stack);
    assertEquals(driver.detached, 0);
    const fd = stack.sys.socket(Af.INET, Sock.DGRAM);
    const away = () =>
      stack.sys.nb.sendto(fd, new Uint8Array(1), 0, { address: "10.0.0.9", port: 9 });
    const { code } = assertThrows(away, SocketError);
    assert(["ENETDOWN", "ENETUNREACH"].includes(code), code);
    await stack.detach("eth0");
    assertEquals(driver.detached, 1);
  });
}

Deno.test("a driver that goes down while it attaches has a reason from the start", async () => {
  await using stack = await manual();
  const driver = new Puppet();
  driver.attach = (ifp) => {
    driver.ifp = ifp;
    assertEquals([ifp.index, ifp.hwaddr.every((byte) => byte === 0)], [0, true]);
    ifp.down("no device");
  };
  const attachment = await stack.attach(driver, address);
  assertEquals(attachment.reason, "no device");
  assertEquals(stack.netstat().interfaces[1].flags & Iff.UP, 0);
});

Deno.test("attach refuses what cannot be, and leaves nothing behind", async () => {
  await using stack = await manual();
  const refusals: [DriverCaps, string[], string | undefined, string | RegExp][] = [
    [{ mtu: 67, medium: "ethernet" }, [], undefined, /MTU of 67/],
    [{ mtu: 65536, medium: "ethernet" }, [], undefined, /MTU of 65536/],
    [{ mtu: 1500, medium: "token" as "ip" }, [], undefined, /carries "token"/],
    [{ mtu: 1500, medium: "ethernet", hwaddr: new Uint8Array(5) }, [], undefined, /5 bytes/],
    [{ mtu: 1500, medium: "ethernet", hwaddr: Uint8Array.of(1, 0, 0, 0, 0, 1) }, [], "", /group/],
    [{ mtu: 1500, medium: "ethernet" }, ["10.0.0.1/33"], undefined, "EINVAL"],
    [{ mtu: 1500, medium: "ethernet" }, ["224.0.0.1/24"], undefined, "EINVAL"],
    [{ mtu: 1500, medium: "ethernet" }, ["10.0.0.1/24", "10.0.0.1/24"], undefined, "EEXIST"],
    [{ mtu: 1500, medium: "ethernet" }, ["10.0.0.1/24"], "10.9.9.9", "ENETUNREACH"],
  ];
  for (const [caps, addresses, gateway, expected] of refusals) {
    const driver = new Puppet();
    driver.caps = caps;
    const error = await assertRejects(
      () => stack.attach(driver, { name: "eth0", addresses, gateway }),
      Error,
    );
    const told = error instanceof SocketError ? error.code : error.message;
    assert(typeof expected === "string" ? told === expected : expected.test(told), told);
    assertEquals(driver.detached, 1);
    assertEquals(stack.netstat().interfaces.length, 1);
    assertEquals([...stack.route].length, 2, "only the routes of loopback");
  }
});

Deno.test("names: the driver's and a number, no two alike", async () => {
  await using stack = await manual();
  const first = await stack.attach(new NullDriver());
  const second = await stack.attach(new NullDriver());
  assertEquals([first.name, second.name], ["null0", "null1"]);
  const twice = await assertRejects(
    () => stack.attach(new NullDriver(), { name: "null0" }),
    SocketError,
  );
  assertEquals([twice.code, twice.syscall], ["EEXIST", "if_attach"]);
  await assertRejects(() => stack.attach(new NullDriver(), { name: "a b" }), RangeError);
  await assertRejects(() => stack.attach(new NullDriver(), { name: "x".repeat(16) }), RangeError);
  await stack.detach("null0");
  const gone = await assertRejects(() => stack.detach("null0"), SocketError);
  assertEquals(gone.code, "ENXIO");
  assertEquals((await stack.attach(new NullDriver())).name, "null0");
});

Deno.test("a driver serves one interface at a time", async () => {
  await using stack = await manual();
  const [end] = pipe();
  await stack.attach(end);
  const busy = await assertRejects(() => stack.attach(end), SocketError);
  assertEquals(busy.code, "EBUSY");
});

Deno.test("interfaces can be asked and changed by ioctl", async () => {
  await using stack = await manual();
  await stack.attach(new NullDriver(), { ...address, gateway: "10.0.0.254" });
  const { sys } = stack;
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  const ifname = "eth0";
  const conf = sys.ioctl(fd, Sioc.GIFCONF, { i: 1 });
  assertEquals([conf.ifname, conf.ifindex, conf.mtu], [ifname, 2, 1500]);
  const first = sys.ioctl(fd, Sioc.GIFADDR, { ifname });
  assertEquals([first.addr, first.mask, first.broadcast, first.dst], [
    "10.0.0.1",
    "255.255.255.0",
    "10.0.0.255",
    "",
  ]);
  sys.ioctl(fd, Sioc.AIFADDR, { ifname, addr: "10.7.0.1", mask: "255.255.0.0" });
  assertEquals(stack.netstat().interfaces[1].addresses, ["10.0.0.1/24", "10.7.0.1/16"]);
  assertEquals(sys.ioctl(fd, Sioc.GETRT, { dst: "10.7.3.3" }).src, "10.7.0.1");
  sys.ioctl(fd, Sioc.DIFADDR, { ifname, addr: "10.7.0.1" });
  assertEquals(sys.ioctl(fd, Sioc.GETRT, { dst: "10.7.3.3" }).gateway, "10.0.0.254");
  sys.ioctl(fd, Sioc.SIFMTU, { ifname, mtu: 1400 });
  assertEquals(sys.ioctl(fd, Sioc.GIFMTU, { ifname }).mtu, 1400);
  const { flags } = sys.ioctl(fd, Sioc.GIFFLAGS, { ifname });
  sys.ioctl(fd, Sioc.SIFFLAGS, { ifname, flags: flags! & ~Iff.UP });
  assertEquals(sys.ioctl(fd, Sioc.GIFFLAGS, { ifname }).flags! & Iff.UP, 0);
  sys.ioctl(fd, Sioc.SIFFLAGS, { ifname, flags });
  assertEquals(sys.ioctl(fd, Sioc.GIFSTATS, { ifindex: 2 }).name, ifname);
  const hwaddr = Uint8Array.of(2, 0, 0, 0, 0, 9);
  sys.ioctl(fd, Sioc.SARP, { ifname, addr: "10.0.0.9", hwaddr });
  assertEquals(sys.ioctl(fd, Sioc.GARP, { ifname, addr: "10.0.0.9" }).hwaddr, hwaddr);
  assertEquals(stack.netstat().neighbors.map((it) => [it.address, it.hwaddr, it.state]), [
    ["10.0.0.9", "02:00:00:00:00:09", "static"],
  ]);
  sys.ioctl(fd, Sioc.DARP, { ifname, addr: "10.0.0.9" });
  const refused: [number, object, string][] = [
    [Sioc.GIFCONF, { i: 9 }, "ENXIO"],
    [Sioc.GIFADDR, { ifname, i: 9 }, "EADDRNOTAVAIL"],
    [Sioc.GIFFLAGS, { ifname: "eth9" }, "ENXIO"],
    [Sioc.SIFMTU, { ifname, mtu: 67 }, "EINVAL"],
    [Sioc.GARP, { ifname, addr: "10.0.0.9" }, "ENOENT"],
    [Sioc.AIFADDR, { ifname, addr: "10.0.0.x" }, "EINVAL"],
    [999, { ifname }, "EINVAL"],
  ];
  for (const [cmd, argument, code] of refused) {
    assertEquals(assertThrows(() => sys.ioctl(fd, cmd, argument), SocketError).code, code);
  }
});

Deno.test("routes are added, found, listed and deleted", async () => {
  await using stack = await manual();
  await stack.attach(new NullDriver(), address);
  const { route } = stack;
  route.add("default", { gateway: "10.0.0.254" });
  route.add("192.168.0.0/16", { gateway: "10.0.0.2", metric: 3 });
  route.add("192.168.5.0/24", { kind: "reject" });
  assertEquals(route.get("8.8.8.8").gateway, "10.0.0.254");
  assertEquals(route.get("8.8.8.8").destination, "0.0.0.0/0");
  assertEquals(route.get("192.168.1.1").metric, 3);
  assertEquals([...route].filter((it) => it.destination.startsWith("192")).length, 2);
  assertEquals(route.get("10.0.0.77").interface, "eth0");
  const fd = stack.sys.socket(Af.INET, Sock.DGRAM);
  const rejected = assertThrows(
    () => stack.sys.nb.sendto(fd, new Uint8Array(1), 0, { address: "192.168.5.1", port: 1 }),
    SocketError,
  );
  assertEquals(rejected.code, "EHOSTUNREACH");
  const codes: [() => void, string][] = [
    [() => route.add("default", { gateway: "10.0.0.254" }), "EEXIST"],
    [() => route.add("1.0.0.0/8", { gateway: "172.16.0.1" }), "ENETUNREACH"],
    [() => route.add("1.0.0.0/8", { interface: "eth7" }), "ENXIO"],
    [() => route.add("1.0.0.0/40", { interface: "eth0" }), "EINVAL"],
    [() => route.del("172.16.0.0/12"), "ESRCH"],
  ];
  for (const [call, code] of codes) assertEquals(assertThrows(call, SocketError).code, code);
  route.del("default");
  assertEquals(assertThrows(() => route.get("8.8.8.8"), SocketError).code, "ESRCH");
});
