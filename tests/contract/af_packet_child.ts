/**
 * The contract cases over AF_PACKET, and what only this driver does. Runs inside a network
 * namespace of its own, as root: af_packet_contract_test.ts starts it there.
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import { SocketError } from "../../runtime/errors.ts";
import { AfPacketDriver, type AfPacketOptions } from "../../drivers/af_packet.ts";
import { FaultDriver } from "../../drivers/fault.ts";
import { createStack } from "../../mod.ts";
import { crowd, echo } from "../interop/kit/crowd.ts";
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
import { WithoutVnet } from "./without_vnet.ts";

silenceKernel();
makeVeth("near", "far");
for (const ring of ["blocks", "slots"] as const) {
  contractOverVeth(
    `af_packet, ${ring}`,
    () => new WithoutVnet(new AfPacketDriver({ interface: "near", ring })),
  );
  contractOverVeth(
    `af_packet without offload, past the qdisc, ${ring}`,
    () => new AfPacketDriver({ interface: "near", ring, offload: false, bypassQdisc: true }),
  );
}
contractOverVeth(
  "fault over af_packet",
  () => new FaultDriver(new AfPacketDriver({ interface: "near", hwaddr: "own", offload: false })),
);

function open(options: AfPacketOptions): End<AfPacketDriver> {
  return new End(new AfPacketDriver({ offload: false, ...options }));
}

Deno.test("af_packet: has the MTU and the hardware address of its interface, or its own", () => {
  makeVeth("size0", "size1", 1280);
  const [, hwaddr] = /link\/ether (\S+)/.exec(run("ip", "link", "show", "size0"))!;
  using taken = open({ interface: "size0" });
  const { caps } = taken.driver;
  assertEquals(caps.mtu, 1280);
  assertEquals(Array.from(caps.hwaddr!, (b) => b.toString(16).padStart(2, "0")).join(":"), hwaddr);
  using own = open({ interface: "size0", hwaddr: "own", mtu: 600 });
  assertEquals(own.driver.caps, { mtu: 600, medium: "ethernet" });
  using given = open({ interface: "size0", hwaddr: Uint8Array.of(2, 0, 0, 0, 0, 7) });
  assertEquals(given.driver.caps.hwaddr, Uint8Array.of(2, 0, 0, 0, 0, 7));
  assert(run("ip", "-d", "link", "show", "size0").includes("promiscuity 2"));
});

for (const ring of ["blocks", "slots"] as const) {
  Deno.test(`af_packet: takes the interface down when the host's is removed (${ring})`, () => {
    for (const notice of ["poll", "start"]) {
      makeVeth("gone0", "gone1");
      using end = open({ interface: "gone0", ring });
      run("ip", "link", "del", "gone0");
      if (notice === "poll") assertEquals(end.driver.poll(1000), false);
      else assertEquals(end.send(makeFrame("ethernet", 60, 1)), 1);
      assertEquals(end.ifp.downs, ["the interface gone0 was removed (ENODEV)"]);
      assertEquals(end.send(makeFrame("ethernet", 60, 1)), 1);
      assertEquals(end.driver.stats.txDropped, notice === "poll" ? 1 : 2);
      assertEquals(end.driver.poll(1000), false);
      assertEquals(end.driver.rx(end.ifp.freeBatch(4, 2048)), 0);
      assertEquals(end.ifp.downs.length, 1);
    }
  });

  Deno.test(`af_packet: counts what the kernel drops from a full ring (${ring})`, () => {
    using near = open({ interface: "near", ring, ringBytes: 1 << 19 });
    using far = open({ interface: "far" });
    const frames = Array.from({ length: 64 }, (_, i) => makeFrame("ethernet", 1514, i));
    for (let i = 0; i < 20; i++) assertEquals(far.send(...frames), 64);
    const got = near.receive(1280);
    assert(got.length >= 64 && got.length < 1280, `${got.length} frames`);
    assertEquals(got[0], frames[0]);
    const { rxFrames, rxDropped } = near.driver.stats;
    assertEquals(rxFrames, got.length);
    // A busy machine may lose some on the way between the two devices.
    assert(rxDropped > 0 && rxFrames + rxDropped <= 1280, `${rxFrames} and ${rxDropped} dropped`);
    assertEquals(near.driver.stats.rxDropped, rxDropped, "counted twice");
  });

  Deno.test(`af_packet: puts VLAN tags back that the kernel has taken out (${ring})`, () => {
    using near = open({ interface: "near", ring });
    using far = open({ interface: "far", ring });
    const tagged = [0x8100, 0x88a8].map((protocol, i) => {
      const frame = makeFrame("ethernet", 90, i);
      frame.set([protocol >> 8, protocol & 255, 0x60 + i, 42, 0x88, 0xb5], 12);
      return frame;
    });
    assertEquals(far.send(...tagged), 2);
    assertEquals(near.receive(2), tagged);
  });
}

Deno.test("af_packet: lives on when its link goes down and comes up again", () => {
  makeVeth("flap0", "flap1");
  using near = open({ interface: "flap0" });
  using far = open({ interface: "flap1" });
  const frame = makeFrame("ethernet", 60, 1);
  run("ip", "link", "set", "flap0", "down");
  assertEquals(near.driver.poll(1000), false);
  assertEquals(near.send(frame, frame), 2);
  assertEquals(near.driver.stats.txDropped, 2);
  run("ip", "link", "set", "flap0", "up");
  assertEquals(near.send(frame), 1);
  assertEquals(far.receive(1), [frame]);
  assertEquals(far.send(frame), 1);
  assertEquals(near.receive(1), [frame]);
  assertEquals(near.ifp.downs, []);
  run("ip", "link", "del", "flap0");
});

/** A UDP datagram over IPv4 from a port of 10.0.0.1 to 10.0.0.2. */
function datagram(port: number): Uint8Array {
  const frame = new Uint8Array(60);
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 46, 0, 1, 0, 0, 64, 17]);
  frame.set([0, 0, 10, 0, 0, 1, 10, 0, 0, 2, port >> 8, port & 255, 0, 9, 0, 26, 0, 0], 24);
  return frame;
}

Deno.test("af_packet: a fan-out group shares flows, each frame once, a flow in one place", () => {
  const fanout = { group: 77 };
  using first = open({ interface: "near", fanout });
  using second = open({ interface: "near", fanout });
  using far = open({ interface: "far" });
  const ports = Array.from({ length: 128 }, (_, i) => 5000 + i % 64);
  for (let i = 0; i < ports.length; i += 64) far.send(...ports.slice(i, i + 64).map(datagram));
  const got = [first, second].map((end) => end.receive(128).map((f) => f[34] << 8 | f[35]));
  assertEquals([...got[0], ...got[1]].toSorted(), ports.toSorted());
  assert(got.every((flows) => flows.length > 16), `${got[0].length} and ${got[1].length} frames`);
  assertEquals(got[0].filter((port) => got[1].includes(port)), []);
  const mode = { group: 77, mode: "balance" } as const;
  const error = assertThrows(() => open({ interface: "near", fanout: mode }), SocketError);
  assertStringIncludes(error.message, "group 77 has another mode");
});

Deno.test("af_packet: ARP comes to every driver of a group", () => {
  const fanout = { group: 78 };
  using first = open({ interface: "near", fanout });
  using second = open({ interface: "near", fanout });
  using far = open({ interface: "far" });
  const request = new Uint8Array(60);
  request.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
  assertEquals(far.send(request), 1);
  for (const end of [first, second]) {
    const got = end.receive(1);
    assert(got.length >= 1, "no ARP");
    assertEquals(got[0], request);
  }
});

Deno.test("af_packet: two stacks of a group serve one address to the kernel", async () => {
  makeVeth("many0", "many1");
  run("ip", "addr", "add", "10.78.0.1/24", "dev", "many1");
  const fanout = { group: 79 };
  const served = [0, 0];
  const stacks = await Promise.all(served.map(async (_, which) => {
    const driver = new AfPacketDriver({ interface: "many0", ring: "slots", fanout });
    const stack = await createStack({ interfaces: [{ driver, addresses: ["10.78.0.2/24"] }] });
    const listener = stack.listen({ port: 80 });
    const serving = (async () => {
      for await (const conn of listener) {
        served[which]++;
        await echo(conn);
      }
    })();
    return { stack, listener, serving };
  }));
  const connect = () => Deno.connect({ hostname: "10.78.0.2", port: 80 });
  await crowd(connect, 40, 10_000);
  for (const { stack, listener, serving } of stacks) {
    listener.close();
    await serving;
    await stack.close();
  }
  assertEquals(served[0] + served[1], 40);
  assert(served[0] > 4 && served[1] > 4, `${served}`);
  run("ip", "link", "del", "many0");
});

/** A TCP segment of IPv4 with a virtio header that says it stands for many. */
function superFrame(payload: number): Uint8Array {
  const frame = new Uint8Array(10 + 54 + payload).map((_, i) => i & 255);
  const view = new DataView(frame.buffer);
  frame.set([1, 1]);
  [54, 1448, 34, 16].forEach((value, i) => view.setUint16(2 + 2 * i, value, true));
  frame.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 0, 0, 1, 0, 0, 64, 6, 0, 0], 10);
  frame.set([10, 0, 0, 1, 10, 0, 0, 2, 0, 7, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10], 36);
  view.setUint16(26, 40 + payload);
  return frame;
}

for (const ring of ["blocks", "slots"] as const) {
  Deno.test(`af_packet: carries frames that stand for many, with their header (${ring})`, () => {
    using near = open({ interface: "near", offload: true, ring });
    using plain = open({ interface: "near", ring });
    using far = open({ interface: "far", offload: true });
    assertEquals(near.driver.caps.vnetHeader, true);
    const sent = [1449, 60_000, 65_481].map(superFrame);
    for (let round = 0; round < 70; round++) {
      assertEquals(far.send(...sent), 3);
      const got = near.receive(3, 70_000);
      assertEquals(got.map((frame) => frame.length), sent.map((frame) => frame.length));
      got.forEach((frame, i) => {
        // The kernel has its own idea of hdr_len, which is a hint.
        assertEquals(
          [0, 1, 4, 5, 6, 7, 8, 9].map((at) => frame[at] ^ sent[i][at]).join(""),
          "00000000",
        );
        assertEquals(Buffer.compare(frame.subarray(10), sent[i].subarray(10)), 0);
      });
    }
    assertEquals(plain.receive(1), []);
    assert(plain.driver.stats.rxDropped >= 210, `${plain.driver.stats.rxDropped} were dropped`);
  });
}

Deno.test("af_packet: computes a checksum that was left to the device", () => {
  for (const odd of [0, 1]) {
    const sent = new Uint8Array(10 + 60 + odd);
    sent.set(datagram(7), 10);
    // NEEDS_CSUM from byte 34 of the frame, the field 6 after it; it holds the pseudo header's sum.
    sent.set([1, 0, 0, 0, 0, 0, 34, 0, 6, 0]);
    sent.set([1, 2, 3], 10 + 60 + odd - 3);
    sent.set([0, 26 + odd], 10 + 38);
    sent[10 + 17] += odd;
    const pseudo = 0x0a00 + 1 + 0x0a00 + 2 + 17 + 26 + odd;
    sent.set([pseudo >> 8, pseudo & 255], 10 + 40);
    using near = open({ interface: "near" });
    using far = open({ interface: "far", offload: true });
    assertEquals(far.send(sent), 1);
    const [got] = near.receive(1);
    let sum = pseudo;
    for (let i = 34; i < got.length; i += 2) sum += got[i] << 8 | (got[i + 1] ?? 0);
    assertEquals(sum % 0xffff, 0, `the checksum is ${got[40]}, ${got[41]}`);
    assert(got[40] !== sent[50] || got[41] !== sent[51], "nothing was computed");
  }
});

Deno.test("af_packet: leaves no descriptor and no mapping behind", () => {
  open({ interface: "near" })[Symbol.dispose]();
  const before = holdings();
  for (let i = 0; i < 20; i++) {
    using _near = open({ interface: "near", ring: i % 2 ? "slots" : "blocks" });
    assertEquals(holdings().descriptors, before.descriptors + 1);
    assertEquals(holdings().mappings, before.mappings + 1);
    assertThrows(() => open({ interface: "absent" }), SocketError);
    open({ interface: "near", fanout: { group: 80 } })[Symbol.dispose]();
    const group = { group: 80, mode: "queue" } as const;
    assertThrows(() => open({ interface: "absent", fanout: group }), SocketError);
  }
  assertEquals(holdings(), before);
});

wakesIdle("af_packet", () => open({ interface: "idle0" }));

Deno.test("af_packet: says what is wrong with an interface", () => {
  const absent = assertThrows(() => open({ interface: "absent" }), SocketError);
  assertEquals(absent.code, "ENODEV");
  assertStringIncludes(absent.message, "there is no interface absent");
  const loopback = assertThrows(() => open({ interface: "lo" }), SocketError);
  assertEquals(loopback.code, "EOPNOTSUPP");
  assertStringIncludes(loopback.message, "lo is not an Ethernet interface");
});

const MAKE = "new drivers.AfPacketDriver({ interface: 'near' })";

Deno.test("af_packet: says what to run without the permission of Deno", () => {
  const said = attachAs("af_packet", MAKE, [], ["--allow-read"]);
  assertStringIncludes(said, "EACCES dlopen");
  assertStringIncludes(said, "--allow-ffi=/lib/");
});

Deno.test({
  name: "af_packet: says what to run without the privilege",
  ignore: !CAN_DROP_PRIVILEGE,
  fn: () => {
    const missing: [string, string[]][] = [
      ["-net_raw", ["EPERM socket", "run as root, or with CAP_NET_RAW", "setcap cap_net_raw=ep"]],
    ];
    for (const [capabilities, words] of missing) {
      const without = [`--bounding-set=${capabilities}`, `--inh-caps=${capabilities}`];
      const said = attachAs("af_packet", MAKE, ["setpriv", ...without], ["-A"]);
      for (const part of words) assertStringIncludes(said, part);
    }
  },
});
