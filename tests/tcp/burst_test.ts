/** Bursts: what leaves at once is, segment by segment, what would have left one by one. */

import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { type Conn, pattern, type Shake } from "./harness.ts";
import { established } from "./shake.ts";

const SEED = 20_260_711;
const NODELAY: [number, number, number][] = [[IpProto.TCP, TcpOpt.NODELAY, 1]];

function connection(shake: Shake): Promise<Conn> {
  return established({
    wscale: 7,
    win: 65535,
    sndbuf: 1 << 20,
    options: NODELAY,
    ...shake,
    host: { ...shake.host, tcp: { push_writes: 1, initial_cwnd_segments: 400 } },
  });
}

/** Checks the stream that has left from `seq` on; answers its segments. */
function checkStream(c: Conn, data: Uint8Array, mss: number, ends: number[], seq = 1) {
  const segments = c.takeAll();
  for (const s of segments) {
    assertEquals(s.seq, seq);
    assertEquals(s.data, data.subarray(seq - 1, seq - 1 + s.data.length));
    seq += s.data.length;
    const last = ends.some((end) => end > s.seq && end <= seq);
    assertEquals(s.flags, last ? "PA" : "A", `segment at ${s.seq}`);
    if (!ends.includes(seq)) assertEquals(s.data.length, mss, `segment at ${s.seq}`);
  }
  assertEquals(seq - 1, data.length);
  return segments;
}

Deno.test("property: a burst is cut, numbered, pushed and summed like lone segments", async () => {
  const writes = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 6 })
    .filter((sizes) => sizes.reduce((a, b) => a + b) <= 65_535); // the window of the SYN-ACK
  const shake = fc.record({
    mss: fc.integer({ min: 200, max: 1460 }),
    ts: fc.boolean(),
    host: fc.record({ vnet: fc.boolean() }), // a device that cuts, or one that does not
  });
  await fc.assert(
    fc.asyncProperty(shake, writes, async (shake, sizes) => {
      const c = await connection(shake);
      const mss = shake.mss - (shake.ts ? 12 : 0);
      const data = pattern(sizes.reduce((a, b) => a + b, 0));
      const before = [Stat.TCP_SEGMENTS_OUT, Stat.IP_OUT].map((n) => c.stat(n));
      let at = 0;
      const ends = sizes.map((size) => {
        c.write(data.subarray(at, at + size));
        return at += size;
      });
      const segments = checkStream(c, data, mss, ends.map((end) => end + 1));
      assertEquals(c.stat(Stat.TCP_SEGMENTS_OUT) - before[0], segments.length);
      assertEquals(c.stat(Stat.IP_OUT) - before[1], segments.length);
      assertEquals(c.tcb("sent_count"), segments.length, "each has a record of its own");
      c.send({ ack: data.length + 1 });
      assertEquals(c.tcb("sent_count"), 0);
      c.end();
    }),
    { seed: SEED, numRuns: 60 },
  );
});

Deno.test("a burst: all but its ends are made from the frame of the first", async () => {
  const c = await connection({ mss: 1000, ts: true });
  c.write(pattern(50 * 988));
  assertEquals(c.takeAll().length, 50);
  assertEquals(c.stat(Stat.TCP_CLONED), 48);
  c.end();
});

Deno.test("a burst stops where cwnd ends, and the rest follows the ACKs", async () => {
  const c = await established({
    mss: 1000,
    sndbuf: 1 << 20,
    options: NODELAY,
    host: { tcp: { initial_cwnd_segments: 10 } },
  });
  c.write(pattern(40_000));
  assertEquals(c.takeAll().length, 10);
  assertEquals(c.tcb("cwnd_limited"), 1);
  c.send({ ack: 10_001 });
  assertEquals(c.takeAll().length, 18, "slow start, with the L of RFC 9406 4.2: eight at most");
  assert(c.stat(Stat.TCP_CLONED) > 20);
  c.end();
});

Deno.test("a burst never leaves beyond the peer's window", async () => {
  const c = await connection({ mss: 1000, wscale: 0, win: 7_500 });
  c.write(pattern(40_000));
  assertEquals(c.takeAll().map((s) => s.data.length), Array(7).fill(1000));
  c.end();
});

Deno.test("a lost segment of a burst is found and sent again alone", async () => {
  const c = await connection({ mss: 1000, sackOk: true, ts: true, rtt_us: 10_000 });
  c.write(pattern(30 * 988));
  const all = c.takeAll();
  assertEquals(all.length, 30);
  const lost = all[4];
  c.send({ ack: lost.seq, sack: [[lost.seq + 988, all[29].seq + 988]] });
  c.host.advance(20_000);
  const again = c.takeAll().filter((s) => s.data.length > 0);
  assertEquals(again.map((s) => [s.seq, s.data.length]), [[lost.seq, 988]]);
  c.send({ ack: all[29].seq + 988 });
  c.end();
});
