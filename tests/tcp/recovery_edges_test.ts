/** Edges of loss recovery that meet by chance only. */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { Ca } from "./flags.ts";
import { type Conn, pattern } from "./harness.ts";
import { established, NEWRENO } from "./shake.ts";

const MSS = 1460;
const RTT = 100_000;
const SECOND = 1_000_000;
const NODELAY: [number, number, number] = [IpProto.TCP, TcpOpt.NODELAY, 1];

const at = (i: number) => 1 + i * MSS;
const block = (from: number, to: number) => [at(from), at(to)] as const;
const seqs = (c: Conn) => c.takeAll().map((s) => s.seq);

Deno.test("RFC 9293 3.8.6: a window that opens after duplicate ACKs without SACK", async () => {
  const c = await established({ rtt_us: RTT });
  c.write(pattern(3 * MSS));
  c.takeAll();
  c.send({ ack: 1 }, { ack: 1 });
  assertEquals(c.tcb("sacked_bytes"), 2 * MSS);
  c.send({ ack: 1, win: 0 });
  c.host.advance(SECOND);
  c.takeAll();
  c.send({ ack: 1 });
  assertEquals(c.tcb("sacked_bytes"), 0, "what was inferred went with the window");
  assertEquals(seqs(c), [at(0), at(1), at(2)]);
  c.end();
});

Deno.test("RFC 9293 3.8.1: single bytes sent again together stay within one segment", async () => {
  const c = await established({
    rtt_us: RTT,
    options: [NODELAY, NEWRENO],
    settings: { initial_cwnd_segments: 1 },
  });
  for (let i = 0; i < 3; i++) c.write("x");
  c.takeAll();
  c.write(pattern(2 * MSS)); // a whole segment has no room beside them
  c.silent();
  c.host.advance(SECOND);
  const again = c.takeAll();
  assert(again.length > 0);
  for (const s of again) assertEquals([s.seq, s.data.length], [1, 3]);
  c.end();
});

Deno.test("RFC 6298 3: what a retransmission has set free is no round trip", async () => {
  const c = await established({ rtt_us: RTT, sackOk: false });
  c.write(pattern(4 * MSS));
  c.takeAll();
  c.host.advance(RTT);
  c.send({ ack: 1 }, { ack: 1 }, { ack: 1 });
  assertEquals(seqs(c), [1]);
  const srtt = c.tcb("srtt_us");
  c.host.advance(190_000);
  c.takeAll();
  c.send({ ack: at(4) });
  assertEquals(c.tcb("srtt_us"), srtt);
  c.end();
});

Deno.test("RFC 6298 5.1: new data after a probe does not put the RTO off for ever", async () => {
  const c = await established({ rtt_us: RTT, sackOk: true, options: [NODELAY] });
  for (let i = 0; i < 60 && c.stat(Stat.TCP_RTO) === 0; i++) {
    c.write("x");
    c.host.advance(50_000);
    c.takeAll();
  }
  assertEquals(c.stat(Stat.TCP_RTO), 1);
  c.end();
});

Deno.test("RFC 1122 4.2.3.4: a loss probe sends no sliver of the peer's window", async () => {
  const c = await established({ rtt_us: RTT, sackOk: true, win: MSS + 10 });
  c.write(pattern(3 * MSS));
  assertEquals(seqs(c), [1]);
  c.expectWithin(SECOND, { seq: 1, len: MSS });
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: an ACK older than SND.UNA sets no window", async () => {
  const c = await established({ rtt_us: RTT });
  c.write(pattern(2 * MSS));
  c.takeAll();
  c.send({ ack: at(2) });
  c.send({ seq: 3, ack: at(1), win: 77, data: "ab" });
  assertEquals(c.tcb("snd_wnd"), 65535);
  c.end();
});

Deno.test("RFC 2883 4: what the network has doubled does not undo", async () => {
  const c = await established({ rtt_us: RTT, sackOk: true, options: [NEWRENO] });
  c.write(pattern(10 * MSS));
  c.takeAll();
  c.host.advance(RTT);
  c.send({ ack: 1, sack: [block(1, 10)] });
  assertEquals(seqs(c), [1]);
  c.send({ ack: 1, sack: [block(5, 6), block(1, 10)] });
  assertEquals(c.stat(Stat.TCP_DSACK_IN), 1);
  assertEquals(c.tcb("ca_state"), Ca.RECOVERY);
  c.send({ ack: at(10) });
  assertEquals(c.stat(Stat.TCP_UNDO), 0);
  c.end();
});

Deno.test("RFC 2883 4: a loss probe counts among what must come twice", async () => {
  const c = await established({ rtt_us: RTT, sackOk: true, options: [NEWRENO] });
  c.write(pattern(10 * MSS));
  c.takeAll();
  assert(c.expectWithin(SECOND, { seq: at(9), len: MSS }) > RTT); // the probe
  c.send({ ack: 1, sack: [block(1, 9)] });
  assertEquals(seqs(c)[0], 1);
  c.send({ ack: 1, sack: [[at(9), at(10)], block(1, 10)] }); // the probe came twice
  assertEquals(c.stat(Stat.TCP_UNDO), 0);
  c.send({ ack: at(10), sack: [[1, at(1)]] }); // and so did the first
  assertEquals(c.stat(Stat.TCP_UNDO), 1);
  c.end();
});

Deno.test("RFC 3168 6.1.2: undoing a recovery does not undo what a mark asked for", async () => {
  const c = await established({
    rtt_us: RTT,
    sackOk: true,
    ts: true,
    ecn: true,
    sndbuf: 1 << 20,
    options: [NEWRENO],
  });
  const mss = MSS - 12;
  const b = (from: number, to: number) => [1 + from * mss, 1 + to * mss] as const;
  c.write(pattern(10 * mss));
  c.takeAll();
  c.host.advance(RTT);
  // reduces; nothing new has left, so CWR is still to be told
  c.send({ ack: 1 + mss, flags: "AE" });
  const cwnd = c.tcb("ssthresh");
  c.send({ ack: 1 + mss, sack: [b(2, 10)], flags: "AE" });
  assertEquals(c.tcb("ca_state"), Ca.RECOVERY);
  const ecr = c.tsEcr;
  c.host.advance(20_000);
  c.tsEcr = ecr - 10; // of the original
  c.send({ ack: 1 + 10 * mss });
  assertEquals(c.stat(Stat.TCP_UNDO), 1);
  assert(c.tcb("ssthresh") <= cwnd, "the reduction for the mark stands");
  c.takeAll();
  c.write(pattern(mss));
  c.expect({ flags: "AC" });
  c.end();
});

Deno.test("RFC 2018 4: grown and joined blocks are taken in, repeated ones skipped", async () => {
  const c = await established({ rtt_us: RTT, sackOk: true, sndbuf: 1 << 20 });
  c.write(pattern(10 * MSS));
  c.takeAll();
  c.send({ ack: 1, sack: [block(2, 3)] });
  c.send({ ack: 1, sack: [block(6, 7), block(2, 3)] });
  assertEquals(c.tcb("sacked_segments"), 2);
  c.send({ ack: 1, sack: [block(2, 4), block(6, 7)] });
  assertEquals(c.tcb("sacked_segments"), 3);
  c.send({ ack: 1, sack: [block(5, 7), block(2, 4)] });
  assertEquals(c.tcb("sacked_segments"), 4);
  c.send({ ack: 1, sack: [block(2, 8)] });
  assertEquals(c.tcb("sacked_segments"), 6);
  // two that meet within a segment, and the whole of it next
  c.send({ ack: 1, sack: [[at(2), at(8) + 100]] });
  c.send({ ack: 1, sack: [[at(2), at(9)]] });
  assertEquals(c.tcb("sacked_segments"), 7);
  c.end();
});
