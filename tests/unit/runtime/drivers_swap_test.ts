/** Drivers that take each other's place under an interface, while its connections go on. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Iff, Sioc } from "../../../assembly/abi/ifnet.ts";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { NullDriver } from "../../../drivers/null.ts";
import { pipe } from "../../../drivers/pipe.ts";
import type { Ifnet, NetDriver } from "../../../runtime/device/driver.ts";
import type { DriverSource } from "../../../runtime/device/load.ts";
import { SocketError } from "../../../runtime/errors.ts";
import type { Stack } from "../../../runtime/stack.ts";
import { cable, dressed, type Hosts, hosts, mbufsUsed, transfer } from "./drivers_swap_kit.ts";

/** Plugs both hosts into another cable; the left one first. */
async function replug({ left, right }: Hosts, [near, far]: readonly NetDriver[]): Promise<void> {
  await left.drivers.swap("eth0", near);
  await right.drivers.swap("eth0", far);
}

async function refusal(
  stack: Stack,
  source: DriverSource,
  name = "eth0",
): Promise<SocketError> {
  const before = stack.drivers.list();
  const error = await assertRejects(() => stack.drivers.swap(name, source), SocketError);
  assertEquals(error.syscall, "drivers.swap");
  assertEquals(stack.drivers.list(), before, "the old driver stays, in its state");
  return error;
}

async function close({ left, right }: Hosts): Promise<void> {
  await left.close();
  await right.close();
}

Deno.test("swap: a bulk transfer goes over ten cables, one after the other", async () => {
  const world = await hosts();
  const steps = Array.from({ length: 9 }, () => () => replug(world, pipe()));
  await transfer(world, 4_000_000, steps);
  const [info] = world.left.drivers.list();
  assertEquals([info.name, info.state], ["pipe", "up"]);
  await close(world);
});

Deno.test("swap: MTU, offloads and slots become those of the device", async () => {
  const world = await hosts();
  const { left, right, sim } = world;
  sim.advance(60_000_000);
  const mine = mbufsUsed(left);
  const mtus: number[] = [];
  const kinds: [Parameters<typeof cable>[0], Parameters<typeof cable>[1]][] = [
    [{ mtu: 9000 }, undefined],
    [{ mtu: 1200 }, undefined],
    [{ mtu: 65_535 }, { mtu: 1500, vnetHeader: true }],
    [{ mtu: 1500 }, { rxChecksum: true }],
    [{ mtu: 65_535 }, { mtu: 9000, vnetHeader: true }],
    [{ mtu: 2032 }, undefined],
    [{ mtu: 2033 }, undefined],
    [{ mtu: 576 }, undefined],
    [{ mtu: 1500 }, undefined],
  ];
  const steps = kinds.map(([options, caps]) => async () => {
    await replug(world, cable(options, caps));
    mtus.push(left.drivers.list()[0].statistics!.mtu);
  });
  await transfer(world, 6_000_000, steps);
  assertEquals(mtus, [9000, 1200, 1500, 1500, 9000, 2032, 2033, 576, 1500]);
  for (const stack of [left, right]) {
    const { statistics } = stack.drivers.list()[0];
    assertEquals([statistics!.ierrors, statistics!.oerrors], [0, 0]);
  }
  sim.advance(600_000_000);
  assertEquals(mbufsUsed(left), mine, "nothing is held for the drivers that were");
  await close(world);
});

Deno.test("swap: a hardware address of the device's own is announced and used", async () => {
  const world = await hosts();
  const { left, right, sim } = world;
  const own = Uint8Array.of(2, 0, 0, 0, 0, 0x77);
  const before = left.interfaces[0].hwaddr;
  const swapping = () => {
    const [near, far] = pipe();
    return replug(world, [dressed(near, { hwaddr: own }), far]);
  };
  await transfer(world, 500_000, [swapping]);
  const [attachment] = left.interfaces;
  assertEquals([attachment.hwaddr, before.length], [own, 6]);
  const known = () => right.netstat().neighbors.map(({ hwaddr }) => hwaddr);
  assertEquals(known(), ["02:00:00:00:00:77"]);
  await transfer(world, 500_000, [() => replug(world, pipe())]);
  assertEquals(left.interfaces[0].hwaddr, own, "a driver without one leaves it as it was");
  sim.advance(1000);
  await close(world);
});

Deno.test("swap: from a factory or a module, with options", async () => {
  const { left, right } = await hosts();
  const url = new URL("../../../drivers/null.ts", import.meta.url).href;
  const info = await left.drivers.swap("eth0", url, { options: { mtu: 1280 } });
  assertEquals([info.name, info.module, info.statistics!.mtu], ["null", url, 1280]);
  const again = await left.drivers.swap("eth0", () => Promise.resolve(pipe()[0]));
  assertEquals([again.name, again.module, again.statistics!.mtu], ["pipe", undefined, 1500]);
  assertEquals(left.drivers.list().length, 1);
  await close({ left, right } as Hosts);
});

Deno.test("swap: addresses, routes, sockets and an MTU set by hand stay", async () => {
  const world = await hosts();
  const { left } = world;
  left.route.add("10.9.0.0/16", { gateway: "10.0.0.2" });
  const fd = left.sys.socket(Af.INET, Sock.DGRAM);
  left.sys.ioctl(fd, Sioc.SIFMTU, { ifname: "eth0", mtu: 1000 });
  const routes = [...left.route];
  const tables = () => [left.netstat().interfaces[1].addresses, left.netstat().sockets.length];
  const before = tables();
  await left.drivers.swap("eth0", new NullDriver({ mtu: 4000 }));
  assertEquals([...left.route].map(({ destination }) => destination), [
    ...routes.map(({ destination }) => destination),
  ]);
  assertEquals(tables(), before);
  assertEquals(left.drivers.list()[0].statistics!.mtu, 1000);
  await left.drivers.swap("eth0", new NullDriver({ mtu: 900 }));
  assertEquals(left.drivers.list()[0].statistics!.mtu, 900);
  await left.drivers.swap("eth0", new NullDriver());
  assertEquals(left.drivers.list()[0].statistics!.mtu, 1500, "900 was what the device took");
  await close(world);
});

Deno.test("swap: what fails leaves the old driver, and a transfer does not notice", async () => {
  const world = await hosts();
  const { left } = world;
  const broken = Object.assign(new NullDriver(), {
    attach: () => Promise.reject(new Error("no such device")),
  });
  const quitting = new NullDriver();
  quitting.attach = (ifp: Ifnet) => ifp.down("it was removed");
  const cases: [DriverSource, string, string][] = [
    [broken, "EIO", "the driver null for eth0: Error: no such device"],
    [quitting, "EIO", "has taken its interface down: it was removed"],
    [new NullDriver({ medium: "ip" }), "EINVAL", "eth0 carries Ethernet frames, and the new"],
    [dressed(pipe()[0], { pointToPoint: true }), "EINVAL", "the new driver has one peer"],
    [dressed(pipe()[0], { mtu: 1 }), "EINVAL", "has an MTU of 1"],
    [left.interfaces[0].driver, "EBUSY", "already attached"],
    [import.meta.resolve("./none.ts"), "ENOENT", "none.ts cannot be imported"],
  ];
  const steps = cases.map(([source, code, words]) => async () => {
    const error = await refusal(left, source);
    assertEquals(error.code, code);
    assertStringIncludes(error.message, words);
  });
  await transfer(world, 500_000, steps);
  assertEquals((await refusal(left, new NullDriver(), "eth7")).code, "ENXIO");
  assertEquals((await refusal(left, new NullDriver(), "lo0")).code, "ENXIO");
  await close(world);
});

Deno.test("swap: bare IP and one peer go together, and take each other's place", async () => {
  const world = await hosts(pipe({ medium: "ip" }));
  await transfer(world, 300_000, [() => replug(world, pipe({ medium: "ip", mtu: 9000 }))]);
  const error = await refusal(world.left, new NullDriver());
  assertStringIncludes(error.message, "eth0 carries bare IP packets");
  await close(world);
});

Deno.test("swap: connections outlive a fault, if another driver comes in time", async () => {
  const [near, far] = pipe();
  const failing = dressed(near, {});
  const world = await hosts([failing, far]);
  const { left, sim } = world;
  let loaded = false;
  await transfer(world, 600_000, [async () => {
    failing.rx = () => {
      throw new Error("it burns");
    };
    left.turn();
    const [down] = left.drivers.list();
    assertEquals([down.state, down.reason], ["down", "dressed driver, rx: Error: it burns"]);
    sim.advance(3_000_000);
    await replug(world, pipe());
    const [up] = left.drivers.list();
    assertEquals([up.state, up.reason], ["up", undefined]);
    loaded = true;
  }]);
  assert(loaded);
  await close(world);
});

Deno.test("swap: what was set down by hand stays down", async () => {
  const world = await hosts();
  const { left } = world;
  const fd = left.sys.socket(Af.INET, Sock.DGRAM);
  left.sys.ioctl(fd, Sioc.SIFFLAGS, { ifname: "eth0", flags: 0 });
  const info = await left.drivers.swap("eth0", new NullDriver());
  assertEquals(info.state, "down");
  left.sys.ioctl(fd, Sioc.SIFFLAGS, { ifname: "eth0", flags: Iff.UP });
  assertEquals(left.drivers.list()[0].state, "up");
  await close(world);
});

Deno.test("swap: one at a time; the interface or the stack may go meanwhile", async () => {
  const { left, right } = await hosts();
  const slow = (gate: Promise<void>) => Object.assign(new NullDriver(), { attach: () => gate });
  const gate = Promise.withResolvers<void>();
  const first = left.drivers.swap("eth0", slow(gate.promise));
  await new Promise((done) => setTimeout(done));
  assertEquals(left.drivers.list()[0].state, "swapping");
  const second = await assertRejects(() => left.drivers.swap("eth0", new NullDriver()));
  assertEquals((second as SocketError).code, "EBUSY");
  gate.resolve();
  assertEquals((await first).name, "null");
  for (const end of [() => left.drivers.unload("eth0"), () => right.close()]) {
    const stack = end.toString().includes("right") ? right : left;
    const late = Promise.withResolvers<void>();
    const driver = slow(late.promise);
    let detached = 0;
    driver.detach = () => void detached++;
    const swapping = assertRejects(() => stack.drivers.swap("eth0", driver), SocketError);
    await new Promise((done) => setTimeout(done));
    await end();
    late.resolve();
    assertEquals([(await swapping).code, detached], ["ENXIO", 1]);
  }
  await left.close();
});

Deno.test("swap: the driver that leaves is heard no more, and may fail to go", async () => {
  const world = await hosts();
  const { left } = world;
  let ifp: Ifnet | undefined;
  const old = Object.assign(new NullDriver(), {
    attach: (given: Ifnet) => void (ifp = given),
    detach: () => {
      ifp!.down("my device is closed");
      throw new Error("stuck");
    },
  });
  await left.drivers.swap("eth0", old);
  const info = await left.drivers.swap("eth0", new NullDriver());
  assertEquals([info.state, info.reason], ["up", undefined]);
  assertEquals(info.fault, "null driver, detach: Error: stuck");
  while (left.wanted) left.turn();
  ifp!.wake();
  ifp!.down("still here");
  assert(!left.wanted);
  const [row] = left.drivers.list();
  assertEquals([row.state, row.fault], ["up", info.fault]);
  assertEquals("fault" in await left.drivers.swap("eth0", new NullDriver()), false);
  await close(world);
});

Deno.test("swap: asked for its last frames, a driver may take its interface away", async () => {
  const world = await hosts();
  const { left } = world;
  let going: Promise<void> | undefined;
  const old = new NullDriver();
  await left.drivers.swap("eth0", old);
  while (left.wanted) left.turn();
  old.rx = () => {
    going ??= left.detach("eth0");
    return 0;
  };
  const error = await assertRejects(() => left.drivers.swap("eth0", new NullDriver()), SocketError);
  assertEquals(error.code, "ENXIO");
  await going;
  assertEquals([left.drivers.list(), left.netstat().interfaces.length], [[], 1]);
  await close(world);
});

Deno.test("drivers come and go while traffic flows over another", async () => {
  const world = await hosts();
  const { left } = world;
  const come = () => left.drivers.load(new NullDriver(), { addresses: ["10.5.0.1/24"] });
  const steps = Array.from({ length: 8 }, (_, i) => async () => {
    if (i % 2 === 0) await come();
    else await left.drivers.unload("null0");
  });
  await transfer(world, 1_000_000, steps);
  assertEquals(left.drivers.list().map((row) => row.interface), ["eth0"]);
  await close(world);
});
