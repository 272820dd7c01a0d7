/**
 * The contract cases over a TAP device, and what only TAP and TUN devices do. Runs inside a network
 * namespace of its own, as root: tap_contract_test.ts starts it there.
 */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Ifnet } from "../../runtime/device/driver.ts";
import { SocketError } from "../../runtime/errors.ts";
import { FaultDriver } from "../../drivers/fault.ts";
import { TapDriver } from "../../drivers/tap.ts";
import type { DriverUnderTest } from "../../drivers/contract/world.ts";
import { contractOf } from "../../drivers/contract.ts";
import { FakeIfnet, FarEnd, VirtualClock } from "../../drivers/contract/fake_ifnet.ts";
import { run } from "./netns_kit.ts";
import { joinTaps, waitForward } from "./taps_kit.ts";

/** A TAP device that is only attached once the bridge sees its carrier. */
class BridgedTap extends TapDriver {
  override attach(ifp: Ifnet): void {
    super.attach(ifp);
    waitForward([this.device]);
  }
}

function tapWorld(name: string, wrapped: boolean): DriverUnderTest {
  return {
    name,
    carries: true,
    arrives: true,
    wakes: false,
    open: (arrivals) => {
      const clock = new VirtualClock();
      const tap = new BridgedTap({ name: "near" });
      const driver = wrapped ? new FaultDriver(tap, { schedule: clock.schedule }) : tap;
      const far = new BridgedTap({ name: "far" });
      const farIfp = new FakeIfnet("far", clock, 2);
      far.attach(farIfp);
      const end = new FarEnd(far, farIfp, 4096);
      return {
        driver,
        ifp: new FakeIfnet("near", clock),
        arrive: () => end.send(arrivals),
        gone: () => end.receive(),
        settle: () => {
          clock.advance(2000);
          far.poll(3000);
        },
        close: () => far.detach(),
      };
    },
  };
}

joinTaps();
for (const under of [tapWorld("tap", false), tapWorld("fault over tap", true)]) {
  for (const { name, run } of contractOf(under)) Deno.test(name, run);
}

Deno.test("tap: takes the interface down when the device is removed", () => {
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  const tap = new TapDriver({ name: "gone%d" });
  tap.attach(ifp);
  assertEquals(tap.device, "gone0");
  run("ip", "link", "del", "gone0");
  assertEquals(tap.rx(ifp.freeBatch(4, 2048)), 0);
  assertEquals(ifp.downs, ["the device gone0 was removed (EBADFD)"]);
  assertEquals(tap.start(ifp.txBatch([new Uint8Array(60)])), 1);
  assertEquals(tap.poll(1000), false);
  assertEquals(tap.stats.txDropped, 1);
  tap.detach();
  assertEquals(ifp.downs.length, 1);
});

Deno.test("tap: poll notices that the device is removed", () => {
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  const tap = new TapDriver({ name: "gone1" });
  tap.attach(ifp);
  run("ip", "link", "del", "gone1");
  assertEquals(tap.poll(1000), false);
  assertEquals(ifp.downs.length, 1);
  tap.detach();
});

Deno.test("tap: sets the link up, reads the MTU, counts what a link that is down refuses", () => {
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  run("ip", "tuntap", "add", "dev", "small", "mode", "tap");
  run("ip", "link", "set", "small", "mtu", "1280");
  const tap = new TapDriver({ name: "small" });
  tap.attach(ifp);
  assertEquals(tap.caps.mtu, 1280);
  assertEquals(tap.start(ifp.txBatch([new Uint8Array(60).fill(1)])), 1);
  assertEquals(tap.stats.txFrames, 1);
  run("ip", "link", "set", "small", "down");
  assertEquals(tap.start(ifp.txBatch([new Uint8Array(60), new Uint8Array(60)])), 2);
  assertEquals(tap.stats.txDropped, 2);
  assertEquals(ifp.downs, []);
  tap.detach();
  run("ip", "link", "del", "small");
});

/** RFC 1071, over bytes. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An echo request (RFC 792) from 10.77.0.2 to 10.77.0.1. */
function echoRequest(payloadBytes: number): Uint8Array {
  const packet = new Uint8Array(28 + payloadBytes).map((_, i) => i & 255);
  const view = new DataView(packet.buffer);
  packet.set([0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 1, 0, 0, 10, 77, 0, 2, 10, 77, 0, 1, 8, 0, 0, 0]);
  view.setUint16(2, packet.length);
  view.setUint16(10, checksum(packet.subarray(0, 20)));
  view.setUint16(22, checksum(packet.subarray(20)));
  return packet;
}

Deno.test("tun: the kernel answers an echo request", () => {
  const ifp = new FakeIfnet("tun0", new VirtualClock());
  const tun = new TapDriver({ name: "echo0", tun: true });
  tun.attach(ifp);
  assertEquals(tun.caps, { mtu: 1500, medium: "ip", pointToPoint: true });
  run("ip", "addr", "add", "10.77.0.1/24", "dev", "echo0");
  for (const size of [0, 1, 56, 1472]) {
    const request = echoRequest(size);
    assertEquals(tun.start(ifp.txBatch([request])), 1);
    assert(tun.poll(1e6), "no answer within a second");
    const free = ifp.freeBatch(4, 2048);
    const [reply] = ifp.filled(free, tun.rx(free));
    assertEquals(reply[20], 0, "not an echo reply");
    assertEquals(reply.slice(12, 20), Uint8Array.of(10, 77, 0, 1, 10, 77, 0, 2));
    assertEquals(reply.slice(28), request.slice(28));
  }
  tun.detach();
  assert(!run("ip", "link").includes("echo0"), "the device outlives its driver");
});

Deno.test("tap: says what is wrong with a device that is taken, or of another kind", () => {
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  const first = new TapDriver({ name: "taken" });
  first.attach(ifp);
  const busy = assertThrows(() => new TapDriver({ name: "taken" }).attach(ifp), SocketError);
  assertEquals(busy.code, "EBUSY");
  assertStringIncludes(busy.message, "taken is in use by another program");
  first.detach();
  const kind = assertThrows(
    () => new TapDriver({ name: "near", tun: true }).attach(ifp),
    SocketError,
  );
  assertEquals(kind.code, "EINVAL");
  assertStringIncludes(kind.message, "ip tuntap add dev near mode tun user $USER");
});

Deno.test("tun: with offloads, frames begin with a virtio header in both directions", () => {
  const ifp = new FakeIfnet("tun0", new VirtualClock());
  const tun = new TapDriver({ name: "echo1", tun: true, offload: true });
  tun.attach(ifp);
  assertEquals(tun.caps, { mtu: 1500, medium: "ip", pointToPoint: true, vnetHeader: true });
  run("ip", "addr", "add", "10.77.0.1/24", "dev", "echo1");
  const request = echoRequest(1000);
  const frame = new Uint8Array(10 + request.length);
  frame.set(request, 10);
  assertEquals(tun.start(ifp.txBatch([frame])), 1);
  assert(tun.poll(1e6), "no answer within a second");
  const free = ifp.freeBatch(4, 65_600);
  const [reply] = ifp.filled(free, tun.rx(free));
  assertEquals(reply.length, frame.length);
  assertEquals(reply[1], 0, "not an ordinary frame");
  assertEquals(reply.slice(10 + 28), request.slice(28));
  tun.detach();
});

Deno.test("tun: several drivers share a device with several queues", () => {
  const ifp = new FakeIfnet("tun0", new VirtualClock());
  const several = new TapDriver({ name: "multi0", tun: true, queues: 2 });
  const one = new TapDriver({ name: "multi0", tun: true, queues: 1 });
  several.attach(ifp);
  one.attach(ifp);
  run("ip", "addr", "add", "10.77.0.1/24", "dev", "multi0");
  const request = echoRequest(56);
  for (const tun of [several, one]) assertEquals(tun.start(ifp.txBatch([request, request])), 2);
  let replies = 0;
  for (let i = 0; i < 100 && replies < 4; i++) {
    for (const tun of [several, one]) {
      tun.poll(10_000);
      const free = ifp.freeBatch(8, 2048);
      for (const reply of ifp.filled(free, tun.rx(free))) {
        assertEquals(reply.slice(28), request.slice(28));
        replies++;
      }
    }
  }
  assertEquals(replies, 4);
  several.detach();
  assert(run("ip", "link").includes("multi0"), "the device goes with the first of its drivers");
  assertEquals(one.start(ifp.txBatch([request])), 1);
  run("ip", "link", "del", "multi0");
  assertEquals(one.poll(1000), false);
  assertEquals(ifp.downs, ["the device multi0 was removed (EBADFD)"]);
  one.detach();
  assertThrows(() => new TapDriver({ name: "multi0", queues: 257 }), RangeError, "queues");
});

Deno.test("tun: wakes the stack when a frame comes, and when the device is removed", async () => {
  const anchor = setInterval(() => {}, 1e6);
  const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
  for (let round = 0, before = 0; round < 4; round++) {
    const woken = { call: () => {} };
    class WakingIfnet extends FakeIfnet {
      override wake(): void {
        woken.call();
      }
    }
    const ifp = new WakingIfnet("tun0", new VirtualClock());
    const tun = new TapDriver({ name: "watch0", tun: true });
    tun.attach(ifp);
    const next = () => new Promise<void>((resolve) => woken.call = resolve);
    run("ip", "addr", "add", "10.77.0.1/24", "dev", "watch0");
    tun.rx(ifp.freeBatch(8, 2048));
    let wake = next();
    assert(tun.watch());
    assertEquals(tun.start(ifp.txBatch([echoRequest(8)])), 1);
    await wake;
    const free = ifp.freeBatch(4, 2048);
    assertEquals(tun.rx(free), 1);
    wake = next();
    assert(tun.watch());
    run("ip", "link", "del", "watch0");
    await wake;
    assertEquals(ifp.downs, ["the device watch0 was removed (EBADFD)"]);
    assertEquals(tun.watch(), false);
    await tun.detach();
    if (round === 0) before = descriptors();
    else assert(descriptors() <= before + 2, `${descriptors()} descriptors, ${before} before`);
  }
  clearInterval(anchor);
});

const ATTACH_AND_TELL = `
  import { TapDriver } from ${JSON.stringify(import.meta.resolve("../../drivers/tap.ts"))};
  const memory = new Uint8Array(65536);
  try {
    new TapDriver({ name: "mine" }).attach({ name: "eth0", memory, now: () => 0 });
    console.log("attached");
  } catch (error) {
    console.log(error.code + " " + error.syscall + " " + error.message);
  }`;

/** What a program says that attaches a TAP device, started with a prefix and permissions. */
function attachAs(prefix: string[], permissions: string[]): string {
  const file = Deno.makeTempFileSync({ suffix: ".ts" });
  Deno.writeTextFileSync(file, ATTACH_AND_TELL);
  try {
    const deno = [Deno.execPath(), "run", "--no-check", "--no-prompt", ...permissions, file];
    return run(...prefix, ...deno);
  } finally {
    Deno.removeSync(file);
  }
}

Deno.test("tap: says what to run without the permission of Deno", () => {
  const said = attachAs([], ["--allow-read"]);
  assertStringIncludes(said, "EACCES dlopen");
  assertStringIncludes(said, "--allow-ffi=/lib/");
});

Deno.test({
  name: "tap: says what to run without the privilege",
  ignore: !new Deno.Command("sh", { args: ["-c", "command -v setpriv"] }).outputSync().success,
  fn: () => {
    const without = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"];
    const said = attachAs(without, ["-A"]);
    assertStringIncludes(said, "EPERM ioctl");
    assertStringIncludes(said, "sudo ip tuntap add dev mine mode tap user $USER");
    assertStringIncludes(said, "sudo ip link set mine up");
  },
});
