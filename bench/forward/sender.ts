/** Sends datagrams of 64 bytes as fast as it can: `sender.ts HWADDR MILLISECONDS`, on device a0. */

import { AfPacketDriver } from "../../drivers/af_packet.ts";
import type { FrameBatch } from "../../mod.ts";

const [hwaddr, ms] = Deno.args;
const BATCH = 64;
const ROOM = 128;
const DATA_BYTES = 64;

const word = (n: number) => [n >> 8, n & 255];

/** An Ethernet frame with a datagram from 10.1.0.2 to 10.3.0.1. */
function frame(): Uint8Array {
  const total = 28 + DATA_BYTES;
  const header = [0x45, 0, ...word(total), 0, 0, 0, 0, 64, 17, 0, 0, 10, 1, 0, 2, 10, 3, 0, 1];
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += header[i] << 8 | header[i + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  header.splice(10, 2, ...word(~sum & 0xffff));
  const to = hwaddr.split(":").map((byte) => parseInt(byte, 16));
  const udp = [...word(5000), ...word(7), ...word(8 + DATA_BYTES), 0, 0];
  const data = new Array<number>(DATA_BYTES).fill(0);
  return Uint8Array.from([...to, 2, 0, 0, 0, 0, 1, 8, 0, ...header, ...udp, ...data]);
}

const bytes = frame();
const memory = new Uint8Array(BATCH * ROOM);
for (let i = 0; i < BATCH; i++) memory.set(bytes, i * ROOM);
const batch: FrameBatch = {
  memory,
  count: BATCH,
  address: (i) => i * ROOM,
  length: () => bytes.length,
  setLength: () => {},
  view: (i) => memory.subarray(i * ROOM, i * ROOM + bytes.length),
};
const driver = new AfPacketDriver({ interface: "a0", offload: false });
driver.attach({
  name: "a0",
  index: 1,
  hwaddr: new Uint8Array(6),
  memory,
  now: () => 0,
  wake: () => {},
  down: (reason) => {
    throw new Error(reason);
  },
});
console.log("sending");
for (const end = performance.now() + Number(ms); performance.now() < end;) {
  for (let i = 0; i < 8; i++) driver.start(batch);
}
await driver.detach();
