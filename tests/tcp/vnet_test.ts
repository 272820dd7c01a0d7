/** Large segments that a device has made of many: taken as what they stand for. */

import { assert, assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { Vnet, type VnetFields, withHeader } from "../unit/net/vnet.ts";
import { type Conn, pattern, type Say, type Shake } from "./harness.ts";
import { checksum } from "./segment.ts";
import { established } from "./shake.ts";

const SIZE = 1448;
/** Bytes of an IP header: the interface carries bare packets. */
const START = 20;

async function opened(shake: Shake = {}): Promise<Conn> {
  const host = { vnet: true, memory: { bytes: 64 << 20 }, ...shake.host };
  return await established({ rcvbuf: 1 << 20, wscale: 7, ts: true, sackOk: true, ...shake, host });
}

/** A frame of the peer with a large segment, whose checksum is left to be made. */
function frame(c: Conn, say: Say, fields: VnetFields = {}): Uint8Array {
  const packet = c.packet(say);
  const sum = checksum(packet.subarray(12, 20)) + 6 + packet.length - START;
  new DataView(packet.buffer).setUint16(START + 16, (sum & 0xffff) + (sum >>> 16));
  const all = { flags: Vnet.NEEDS_CSUM, type: Vnet.TCPV4, size: SIZE, start: START, offset: 16 };
  return withHeader({ ...all, ...fields }, packet);
}

Deno.test("vnet: a large segment is many, acknowledged at once, and counted", async () => {
  const c = await opened();
  const data = pattern(44 * SIZE + 100);
  c.host.inputRaw(frame(c, { flags: "PA", data }));
  const [ack, ...more] = c.takeAll();
  assertEquals([ack.ack, more.length], [1 + data.length, 0]);
  assertEquals(c.tcb("data_segs_in"), 45);
  assertEquals(c.stat(Stat.TCP_PREDICTED), 45);
  assertEquals(c.tcb("rcv_mss_seen"), SIZE, "the segments' size, not that of all");
  assertEquals(c.tryRead().data, data);
  c.end();
});

Deno.test("vnet: a large segment out of order waits, and is reported", async () => {
  const c = await opened();
  const data = pattern(20 * SIZE);
  c.host.inputRaw(frame(c, { seq: 1 + 10 * SIZE, data: data.subarray(10 * SIZE) }));
  const [dup] = c.takeAll();
  assertEquals([dup.ack, dup.sack], [1, [[1 + 10 * SIZE, 1 + 20 * SIZE]]]);
  assertEquals(c.stat(Stat.TCP_OUT_OF_ORDER), 10);
  c.host.inputRaw(frame(c, { seq: 1, data: data.subarray(0, 10 * SIZE) }));
  assertEquals(c.takeAll().at(-1)?.ack, 1 + data.length);
  assertEquals(c.tryRead().data, data);
  c.end();
});

Deno.test("vnet: a large segment that overlaps is cut to what is new and fits", async () => {
  const c = await opened({ rcvbuf: 20_000, wscale: undefined });
  const data = pattern(22 * SIZE);
  c.host.inputRaw(frame(c, { seq: 1, data: data.subarray(0, 3 * SIZE) }));
  c.host.inputRaw(frame(c, { seq: 1 + SIZE, data: data.subarray(SIZE, 5 * SIZE) }));
  assertEquals(c.takeAll().at(-1)?.ack, 1 + 5 * SIZE);
  assertEquals(c.stat(Stat.TCP_BYTES_IN), 5 * SIZE);
  c.host.inputRaw(frame(c, { seq: 1 + 5 * SIZE, data: data.subarray(5 * SIZE) }));
  const last = c.takeAll().at(-1)!;
  assertEquals(last.win, 0);
  assertEquals(last.ack, 20_001);
  assertEquals(c.tryRead().data, data.slice(0, 20_000));
  c.end();
});

Deno.test("vnet: one FIN, at the end of a large segment", async () => {
  const c = await opened();
  const data = pattern(10 * SIZE);
  c.host.inputRaw(frame(c, { flags: "FPA", data }));
  assertEquals(c.takeAll().at(-1)?.ack, 2 + data.length);
  assertEquals(c.tryRead().data, data);
  assertEquals(c.read(), "");
  c.end();
});

Deno.test("vnet: without a device's word the checksum of a large segment counts", async () => {
  const c = await opened();
  const data = pattern(10 * SIZE);
  const whole = { type: Vnet.TCPV4, size: SIZE };
  c.host.inputRaw(withHeader(whole, c.packet({ seq: 1, data, badChecksum: true })));
  c.silent();
  assertEquals(c.tcb("data_segs_in"), 0);
  c.host.inputRaw(withHeader(whole, c.packet({ seq: 1, data })));
  assertEquals(c.takeAll().at(-1)?.ack, 1 + data.length);
  c.end();
});

Deno.test("vnet: segments of the wire are put together as elsewhere", async () => {
  const c = await opened();
  c.send(...[0, 1, 2].map((i) => ({ seq: 1 + SIZE * i, data: pattern(SIZE, SIZE * i) })));
  assertEquals(c.stat(Stat.TCP_MERGED), 2);
  assertEquals(c.tryRead().data, pattern(3 * SIZE));
  c.end();
});

Deno.test("vnet: what a device says of sizes may be nonsense", async () => {
  const c = await opened();
  let seq = 1;
  for (const size of [1, 2, 100, 1447, 4999]) {
    c.host.inputRaw(frame(c, { seq, data: pattern(5000, seq - 1) }, { size }));
    seq += 5000;
    assertEquals(c.takeAll().at(-1)?.ack, seq, `size ${size}`);
  }
  assertEquals(c.tryRead().data, pattern(25_000));
  // one packet, by what it says, that is too long for the interface
  c.host.inputRaw(frame(c, { seq, data: pattern(5000) }, { size: 5000 }));
  assertEquals(c.fate(), Fate.FRAME_TOO_LONG);
  for (const end of [10, 19]) c.host.inputRaw(frame(c, { seq }).subarray(0, 10 + end));
  const short = frame(c, { seq, data: pattern(5000) });
  short[10 + 32] = 0x40; // a header of four words
  c.host.inputRaw(short);
  short[10 + 32] = 0xf0; // and one of fifteen: options that are none
  c.host.inputRaw(short);
  assert(c.stat(Stat.TCP_SEGMENTS_IN) >= 5000);
  c.takeAll();
  c.end();
});
