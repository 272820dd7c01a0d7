/**
 * What tests of the drivers for devices of Linux share: a pair of virtual Ethernet devices, and
 * what a process has open. Runs inside a network namespace of its own, as root.
 */

import { assert, assertEquals } from "@std/assert";
import { contractOf } from "../../drivers/contract.ts";
import { type DriverUnderTest, makeFrame, type World } from "../../drivers/contract/world.ts";
import type { NetDriver } from "../../runtime/device/driver.ts";
import { AfPacketDriver } from "../../drivers/af_packet.ts";
import { FakeIfnet, FarEnd, VirtualClock } from "../../drivers/contract/fake_ifnet.ts";

/** Runs a program to its end; throws if it fails. */
export function run(...command: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(command[0], {
    args: command.slice(1),
  }).outputSync();
  const text = new TextDecoder();
  if (!success) throw new Error(`${command.join(" ")}: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

/** Keeps the kernel from sending what nobody asked for. */
export function silenceKernel(): void {
  for (const which of ["all", "default"]) {
    const path = `/proc/sys/net/ipv6/conf/${which}/disable_ipv6`;
    try {
      Deno.writeTextFileSync(path, "1");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Makes two devices joined by a cable, and sets them up. */
export function makeVeth(near: string, far: string, mtu = 1500): void {
  const size = ["mtu", String(mtu)];
  run("ip", "link", "add", near, ...size, "type", "veth", "peer", "name", far, ...size);
  for (const name of [near, far]) run("ip", "link", "set", name, "up");
}

/** How many descriptors, mappings of sockets and of shared memory this process has. */
export function holdings(): { descriptors: number; mappings: number } {
  const maps = Deno.readTextFileSync("/proc/self/maps").split("\n");
  return {
    descriptors: [...Deno.readDirSync("/proc/self/fd")].length,
    mappings: maps.filter((line) => /socket:|zero|anon_inode/.test(line)).length,
  };
}

/** A device of the pair `near` and `far` with a driver, and an AF_PACKET socket at the far end. */
export function vethWorld(make: () => NetDriver, arrivals: readonly Uint8Array[]): World {
  const clock = new VirtualClock();
  const far = new AfPacketDriver({ interface: "far", ring: "slots", offload: false });
  const farIfp = new FakeIfnet("far", clock, 2);
  far.attach(farIfp);
  const end = new FarEnd(far, farIfp, 16_384);
  return {
    driver: make(),
    ifp: new FakeIfnet("near", clock),
    arrive: () => end.send(arrivals),
    gone: () => end.receive(),
    settle: () => {
      clock.advance(2000);
      far.poll(3000);
    },
    close: () => far.detach(),
  };
}

/** A driver with an interface, detached at the end of its scope. */
export class End<D extends NetDriver = NetDriver> implements Disposable {
  readonly ifp = new FakeIfnet("eth0", new VirtualClock());

  constructor(readonly driver: D) {
    driver.attach(this.ifp);
  }

  send(...frames: Uint8Array[]): number {
    return this.driver.start(this.ifp.txBatch(frames));
  }

  /** What arrives until `count` frames have, or for 200 ms nothing does. */
  receive(count: number, room = 2048): Uint8Array[] {
    const frames: Uint8Array[] = [];
    while (frames.length < count && this.driver.poll!(200_000)) {
      const free = this.ifp.freeBatch(Math.floor((1 << 20) / room), room);
      frames.push(...this.ifp.filled(free, this.driver.rx(free)));
    }
    return frames;
  }

  [Symbol.dispose](): void {
    this.driver.detach();
  }
}

/**
 * What a program says that attaches a driver, started with a prefix and permissions.
 *
 * @param module the file in drivers/, without its ending
 * @param make an expression that makes the driver
 */
export function attachAs(
  module: string,
  make: string,
  prefix: readonly string[],
  permissions: readonly string[],
): string {
  const url = JSON.stringify(import.meta.resolve(`../../drivers/${module}.ts`));
  const file = Deno.makeTempFileSync({ suffix: ".ts" });
  const source = `
    import * as drivers from ${url};
    const memory = new Uint8Array(65536);
    try {
      (${make}).attach({ name: "eth0", memory, now: () => 0 });
      console.log("attached");
    } catch (error) {
      console.log(error.code + " " + error.syscall + " " + error.message);
    }`;
  Deno.writeTextFileSync(file, source);
  try {
    const deno = [Deno.execPath(), "run", "--no-check", "--no-prompt", ...permissions, file];
    return run(...prefix, ...deno);
  } finally {
    Deno.removeSync(file);
  }
}

/** True if privileges can be taken from a program. */
export const CAN_DROP_PRIVILEGE: boolean = new Deno.Command("sh", {
  args: ["-c", "command -v setpriv"],
}).outputSync().success;

/** Runs the contract over a driver on the device `near`. */
export function contractOverVeth(name: string, make: () => NetDriver): void {
  const under: DriverUnderTest = {
    name,
    carries: true,
    arrives: true,
    wakes: false,
    open: (arrivals) => vethWorld(make, arrivals),
  };
  for (const { name, run } of contractOf(under)) Deno.test(name, run);
}

/** Has an idle driver of idle0 wake its stack, for frames and for the end of its interface. */
async function wakeIdle(open: () => End): Promise<void> {
  makeVeth("idle0", "idle1");
  const near = open();
  const wakes = async (from: number) => {
    for (let i = 0; i < 500 && near.ifp.wakes === from; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert(near.ifp.wakes > from, "not woken");
  };
  {
    using far = new End(new AfPacketDriver({ interface: "idle1", offload: false }));
    for (let i = 0; i < 3; i++) {
      const frame = makeFrame("ethernet", 60, i);
      const from = near.ifp.wakes;
      assertEquals(near.driver.watch!(), true);
      assertEquals(far.send(frame), 1);
      await wakes(from);
      assertEquals(near.receive(1), [frame]);
    }
  }
  const from = near.ifp.wakes;
  assertEquals(near.driver.watch!(), true);
  run("ip", "link", "del", "idle0");
  await wakes(from);
  assertEquals(near.ifp.downs, ["the interface idle0 was removed (ENODEV)"]);
  assertEquals(near.driver.watch!(), false);
  await near.driver.detach();
}

/** The test that a driver which `open` attaches to idle0 wakes an idle stack. */
export function wakesIdle(name: string, open: () => End): void {
  Deno.test(`${name}: wakes an idle stack for a frame, and when the interface goes`, async () => {
    // The first Worker of a program opens some descriptors for good.
    await wakeIdle(open);
    const before = holdings();
    for (let i = 0; i < 3; i++) await wakeIdle(open);
    assertEquals(holdings(), before);
  });
}
