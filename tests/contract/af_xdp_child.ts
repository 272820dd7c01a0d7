/**
 * The contract cases over AF_XDP, and what only this driver does. Runs inside a network namespace
 * of its own, as root: af_xdp_contract_test.ts starts it there.
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { SocketError } from "../../runtime/errors.ts";
import { AfXdpDriver, type AfXdpOptions } from "../../drivers/af_xdp.ts";
import { AfPacketDriver } from "../../drivers/af_packet.ts";
import { FaultDriver } from "../../drivers/fault.ts";
import { makeFrame } from "../../drivers/contract/world.ts";
import {
  attachAs,
  CAN_DROP_PRIVILEGE,
  contractOverVeth,
  End,
  holdings,
  makeVeth,
  run,
  silenceKernel,
  wakesIdle,
} from "./netns_kit.ts";

silenceKernel();
makeVeth("near", "far");
for (const mode of ["skb", "native"] as const) {
  contractOverVeth(`af_xdp, ${mode}`, () => new AfXdpDriver({ interface: "near", mode }));
}
contractOverVeth(
  "fault over af_xdp",
  () => new FaultDriver(new AfXdpDriver({ interface: "near", hwaddr: "own" }), {}),
);

function open(options: AfXdpOptions): End {
  return new End(new AfXdpDriver(options));
}

for (const mode of ["skb", "native"] as const) {
  Deno.test(`af_xdp: takes the interface down when the host's is removed (${mode})`, () => {
    for (const notice of ["poll", "start"]) {
      makeVeth("gone0", "gone1");
      using end = open({ interface: "gone0", mode });
      run("ip", "link", "del", "gone0");
      if (notice === "poll") assertEquals(end.driver.poll!(1000), false);
      else assertEquals(end.send(makeFrame("ethernet", 60, 1)), 1);
      assertEquals(end.ifp.downs, ["the interface gone0 was removed (ENODEV)"]);
      assertEquals(end.send(makeFrame("ethernet", 60, 1)), 1);
      assertEquals(end.driver.poll!(1000), false);
      assertEquals(end.driver.rx(end.ifp.freeBatch(4, 2048)), 0);
      assertEquals(end.ifp.downs.length, 1);
    }
  });

  Deno.test(`af_xdp: counts what the kernel has no room for (${mode})`, () => {
    const driver = new AfXdpDriver({ interface: "near", mode });
    using near = new End(driver);
    using far = new End(new AfPacketDriver({ interface: "far", offload: false }));
    const frames = Array.from({ length: 64 }, (_, i) => makeFrame("ethernet", 200, i));
    for (let i = 0; i < 40; i++) assertEquals(far.send(...frames), 64);
    const got = near.receive(2560);
    assertEquals(got.length, 2048);
    assertEquals(got.slice(0, 64), frames);
    // A busy machine may lose some on the way between the two devices.
    const { rxDropped } = driver.stats;
    assert(rxDropped > 0 && rxDropped <= 512, `${rxDropped} were dropped`);
    assertEquals(driver.stats.rxDropped, rxDropped, "counted twice");
    assertEquals(far.send(...frames), 64);
    assertEquals(near.receive(64), frames);
  });

  Deno.test(`af_xdp: many frames, both ways at once, none lost or damaged (${mode})`, () => {
    using near = open({ interface: "near", mode });
    using far = new End(new AfPacketDriver({ interface: "far", offload: false }));
    for (let round = 0; round < 100; round++) {
      const frames = Array.from(
        { length: 64 },
        (_, i) => makeFrame("ethernet", 60 + (round * 64 + i) % 1455, i + round),
      );
      assertEquals([near.send(...frames), far.send(...frames)], [64, 64]);
      assertEquals(near.receive(64), frames);
      assertEquals(far.receive(64), frames);
    }
  });

  Deno.test(`af_xdp: leaves no descriptor, mapping or program behind (${mode})`, () => {
    open({ interface: "near", mode })[Symbol.dispose]();
    const before = holdings();
    for (let i = 0; i < 10; i++) {
      using _near = open({ interface: "near", mode });
      // Two sockets, a map, a program and its link; four rings and the memory for frames.
      assertEquals(holdings().descriptors, before.descriptors + 5);
      assertEquals(holdings().mappings, before.mappings + 5);
      assert(run("ip", "link", "show", "near").includes("xdp"), "no program is attached");
      const busy = assertThrows(() => open({ interface: "near", mode }), SocketError);
      assertEquals(busy.code, "EBUSY");
      assertThrows(() => open({ interface: "near", queue: 99, mode }), SocketError);
    }
    assertEquals(holdings(), before);
    assert(!run("ip", "link", "show", "near").includes("xdp"), "a program is left");
  });
}

Deno.test("af_xdp: sends what waited when the link that was down comes up again", () => {
  makeVeth("flap0", "flap1");
  using near = open({ interface: "flap0" });
  using far = new End(new AfPacketDriver({ interface: "flap1", offload: false }));
  const frame = makeFrame("ethernet", 60, 1);
  run("ip", "link", "set", "flap0", "down");
  assertEquals(near.driver.poll!(1000), false);
  assertEquals(near.send(frame), 1);
  run("ip", "link", "set", "flap0", "up");
  assertEquals(near.driver.rx(near.ifp.freeBatch(1, 2048)), 0);
  assertEquals(far.receive(1), [frame]);
  assertEquals(far.send(frame), 1);
  assertEquals(near.receive(1), [frame]);
  assertEquals(near.ifp.downs, []);
  run("ip", "link", "del", "flap0");
});

Deno.test("af_xdp: carries what a piece of memory has room for, and refuses more", () => {
  makeVeth("large0", "large1", 3000);
  {
    using near = open({ interface: "large0" });
    using far = new End(new AfPacketDriver({ interface: "large1", offload: false }));
    assertEquals(near.driver.caps.mtu, 3000);
    const frame = makeFrame("ethernet", 3014, 1);
    assertEquals([near.send(frame), far.send(frame)], [1, 1]);
    assertEquals(near.receive(1, 4096), [frame]);
    assertEquals(far.receive(1, 4096), [frame]);
  }
  run("ip", "link", "set", "large0", "mtu", "9000");
  const large = assertThrows(() => open({ interface: "large0" }), SocketError);
  assertEquals(large.code, "EMSGSIZE");
  assertStringIncludes(large.message, "MTU of 9000, and AF_XDP carries 3820 at most");
});

wakesIdle("af_xdp", () => open({ interface: "idle0" }));

Deno.test("af_xdp: says what is wrong with an interface or a queue", () => {
  const absent = assertThrows(() => open({ interface: "absent" }), SocketError);
  assertEquals(absent.code, "ENODEV");
  const queue = assertThrows(() => open({ interface: "near", queue: 99 }), SocketError);
  assertEquals(queue.code, "EINVAL");
  assertStringIncludes(queue.message, "near has no queue 99: ethtool -l near");
});

const MAKE = "new drivers.AfXdpDriver({ interface: 'near' })";

Deno.test("af_xdp: says what to run without the permission of Deno", () => {
  const said = attachAs("af_xdp", MAKE, [], ["--allow-read"]);
  assertStringIncludes(said, "EACCES dlopen");
  assertStringIncludes(said, "--allow-ffi=/lib/");
});

Deno.test({
  name: "af_xdp: says what to run without the privilege",
  ignore: !CAN_DROP_PRIVILEGE,
  fn: () => {
    const missing: [string, string[]][] = [
      ["-net_raw", ["EPERM socket", "run as root, or with CAP_NET_RAW"]],
      ["-net_admin,-bpf,-sys_admin", [
        "EPERM bpf",
        "run as root, or with CAP_BPF and CAP_NET_ADMIN",
      ]],
    ];
    for (const [capabilities, words] of missing) {
      const without = [`--bounding-set=${capabilities}`, `--inh-caps=${capabilities}`];
      const said = attachAs("af_xdp", MAKE, ["setpriv", ...without], ["-A"]);
      for (const part of words) assertStringIncludes(said, part);
    }
  },
});
