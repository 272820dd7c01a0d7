/**
 * What a packet costs in a driver for devices of Linux: `device_child.ts DRIVER DIRECTION PACKETS`.
 * To be started as root in a network namespace of its own, where it joins two devices by a cable,
 * `near` with the driver and `far` with the other end. Prints nanoseconds of this thread for each.
 */

import { AfPacketDriver } from "../drivers/af_packet.ts";
import { AfXdpDriver } from "../drivers/af_xdp.ts";
import type { FrameBatch, Ifnet, NetDriver } from "../mod.ts";

const [kind, direction, wanted] = Deno.args;
const BATCH = 64;
/** Batches that wait in the device at most before they are taken out again. */
const BATCHES = 8;
const FRAME_BYTES = 1514;
const ROOM = 2048;
const CLOCK_THREAD_CPUTIME_ID = 3;

const libc = Deno.dlopen("libc.so.6", {
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
});
const time = new BigInt64Array(2);

/** Nanoseconds that this thread has run. */
function cpu_ns(): number {
  libc.symbols.clock_gettime(CLOCK_THREAD_CPUTIME_ID, time);
  return Number(time[0]) * 1e9 + Number(time[1]);
}

/** Frames of one length, one after the other. */
class Batch implements FrameBatch {
  readonly memory = new Uint8Array(BATCH * ROOM);
  readonly count = BATCH;
  constructor(readonly bytes: number) {
    for (let i = 0; i < BATCH; i++) {
      this.memory.set([2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xb5], this.address(i));
    }
  }
  address(i: number): number {
    return i * ROOM + 2;
  }
  length(): number {
    return this.bytes;
  }
  setLength(): void {}
  view(i: number): Uint8Array<ArrayBuffer> {
    return this.memory.subarray(this.address(i), this.address(i) + this.bytes);
  }
}

function open(driver: NetDriver, memory: Uint8Array<ArrayBuffer>): NetDriver {
  const hwaddr = new Uint8Array(6);
  const down = (reason: string) => {
    throw new Error(reason);
  };
  const ifp: Ifnet = { name: "if", index: 1, hwaddr, memory, now: () => 0, wake: () => {}, down };
  driver.attach(ifp);
  return driver;
}

function ip(...args: string[]): void {
  const { success, stderr } = new Deno.Command("ip", { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function makeDriver(): NetDriver {
  if (kind === "af_packet") return new AfPacketDriver({ interface: "near", offload: false });
  return new AfXdpDriver({ interface: "near", mode: "native" });
}

/** Takes in what has arrived, until `count` frames have; answers how many really did. */
function takeIn(driver: NetDriver, free: Batch, count: number): number {
  let taken = 0;
  while (taken < count && driver.poll!(100_000)) taken += driver.rx(free);
  return taken;
}

ip("link", "add", "near", "type", "veth", "peer", "name", "far");
for (const name of ["near", "far"]) ip("link", "set", name, "up");
const tx = new Batch(FRAME_BYTES);
const free = new Batch(ROOM - 2);
const near = open(makeDriver(), tx.memory);
const far = open(new AfPacketDriver({ interface: "far", offload: false }), tx.memory);
const [sender, receiver] = direction === "send" ? [near, far] : [far, near];
let [sent, received, send_ns, receive_ns] = [0, 0, 0, 0];
for (let round = 0; received < Number(wanted); round++) {
  // The first rounds are for the compiler.
  if (round === 20) [sent, received, send_ns, receive_ns] = [0, 0, 0, 0];
  const begin_ns = cpu_ns();
  let out = 0;
  for (let i = 0; i < BATCHES; i++) out += sender.start(tx);
  const middle_ns = cpu_ns();
  const got = takeIn(receiver, free, out);
  receive_ns += cpu_ns() - middle_ns;
  send_ns += middle_ns - begin_ns;
  sent += out;
  received += got;
  if (got === 0) throw new Error("nothing arrives");
}
await near.detach();
await far.detach();
console.log(direction === "send" ? send_ns / sent : receive_ns / received);
