/** ECN (SHLD-8) once it is agreed: RFC 3168 6.1.2 to 6.1.6, RFC 8511. */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { IpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { Cc } from "../../assembly/abi/tcp.ts";
import { bulk, CE, ECT_0, ECT_1, INFO_ECN, INFO_ECN_SEEN, infoOptions } from "./ecn_kit.ts";
import { Conn, Host, pattern } from "./harness.ts";
import { established } from "./shake.ts";

const MSS = 1460;
const SECOND = 1_000_000;
const RTT = 50_000;

Deno.test("RFC 3168 6.1.2: new data is ECT(0); IP_TOS leaves the ECN field alone", async () => {
  const c = await bulk();
  for (const s of c.takeAll()) assertEquals(s.tos, s.data.length > 0 ? ECT_0 : 0);
  c.host.setopt(c.so, IpProto.IP, IpOpt.TOS, 0xb8 | CE);
  assertEquals(c.host.getopt(c.so, IpProto.IP, IpOpt.TOS), 0xb8);
  c.send({});
  assert(c.takeAll().every((s) => s.tos === (0xb8 | ECT_0)));
  c.end();
  const plain = await bulk({ ecn: false });
  plain.host.setopt(plain.so, IpProto.IP, IpOpt.TOS, 0xb8 | ECT_0);
  plain.takeAll();
  plain.send({});
  assert(plain.takeAll().every((s) => s.tos === 0xb8));
  plain.end();
});

Deno.test("RFC 3168 6.1.5: data sent again is Not-ECT and does not say CWR", async () => {
  const c = await bulk();
  c.takeAll();
  c.rcv = 1;
  c.host.advance(RTT);
  for (let i = 2; i <= 4; i++) c.send({ ack: 1, sack: [[1 + MSS, 1 + i * MSS]] });
  const again = c.takeAll().filter((s) => s.seq === 1);
  assertEquals(again.map((s) => [s.tos, s.flags]), [[0, "A"]]);
  c.host.advance(10 * SECOND); // the timer sends it again
  const late = c.takeAll();
  assert(late.length > 0);
  for (const s of late) assertEquals([s.tos, s.flags], [0, "A"]);
  c.end();
});

Deno.test("RFC 3168 6.1.6: window probes are Not-ECT and do not say CWR", async () => {
  const c = await established({ ecn: true, win: 1000 });
  c.write(pattern(3000));
  c.expect({ len: 1000, tos: ECT_0 });
  c.send({ flags: "AE", win: 0 });
  for (let i = 0; i < 3; i++) c.expectWithin(60 * SECOND, { flags: "A", tos: 0 });
  c.send({ win: 5000 });
  // the first new data tells of the reduction; the byte of the probe was sent before
  const sent = c.takeAll().filter((s) => s.data.length > 0);
  assertEquals(sent.flatMap((s) => s.flags.includes("C") ? [s.tos] : []), [ECT_0]);
  c.end();
});

Deno.test("RFC 3168 6.1.3: CE makes every ACK say ECE until CWR comes", async () => {
  const c = await established({ ecn: true });
  assertEquals(infoOptions(c) & INFO_ECN_SEEN, 0);
  c.send({ data: "a", tos: ECT_0 });
  assertEquals(infoOptions(c) & INFO_ECN_SEEN, INFO_ECN_SEEN);
  c.host.advance(SECOND);
  c.expect({ flags: "A", ack: 2 });
  c.send({ data: "b", tos: CE });
  c.expect({ flags: "AE", ack: 3 }); // at once
  assertEquals(c.stat(Stat.TCP_CE_IN), 1);
  c.send({ data: "c", tos: ECT_0 });
  c.host.advance(SECOND);
  c.expect({ flags: "AE", ack: 4 });
  c.write("x");
  c.expect({ flags: "AE", len: 1, tos: ECT_0 });
  c.send({ data: "d", tos: ECT_0, flags: "AC" });
  c.expect({ flags: "A", ack: 5 }); // at once
  c.send({ data: "e", tos: ECT_1 });
  c.host.advance(SECOND);
  c.expect({ flags: "A", ack: 6 });
  c.send({ data: "f", tos: CE, flags: "AC" });
  c.expect({ flags: "AE", ack: 7 });
  c.send({ data: "g", tos: CE, flags: "AC" });
  c.expect({ flags: "AE", ack: 8 });
  c.end();
});

Deno.test("RFC 3168 6.1.3: CE is echoed before a CWR of the same batch ends it", async () => {
  const c = await established({ ecn: true });
  c.send({ data: "a", tos: CE }, { data: "b", tos: ECT_0, flags: "AC" });
  c.expect({ flags: "AE", ack: 2 });
  c.expect({ flags: "A", ack: 3 });
  c.end();
});

Deno.test("RFC 3168 6.1.3: CE counts out of order, with FIN, and behind a listener", async () => {
  const c = await established({ ecn: true, sackOk: true });
  c.send({ seq: 3, data: "c", tos: CE });
  c.expect({ flags: "AE", ack: 1, sack: [[3, 4]] });
  c.send({ seq: 1, data: "ab", tos: ECT_0, flags: "AC" });
  c.expect({ flags: "A", ack: 4 });
  c.send({ flags: "FA", data: "d", tos: CE });
  c.expect({ flags: "AE", ack: 6 });
  c.end();
  const host = await Host.boot();
  const listener = host.listen(80);
  const d = new Conn(host, 80, 40000);
  d.send({ flags: "SEC", mss: 1460 });
  d.expect({ flags: "SAE" });
  d.send({ flags: "A", ack: 1, data: "first", tos: CE });
  d.expect({ flags: "AE", ack: 6 });
  d.so = host.accept(listener);
  d.end(listener);
});

Deno.test("RFC 3168 6.1.5: CE outside the window and on pure ACKs is ignored", async () => {
  const c = await established({ ecn: true });
  c.send({ data: "abc", tos: ECT_0 });
  c.host.advance(SECOND);
  c.expect({ flags: "A", ack: 4 });
  c.send({ seq: 1, data: "abc", tos: CE });
  c.expect({ flags: "A", ack: 4 });
  c.send({ seq: 1 << 22, data: "z", tos: CE });
  c.expect({ flags: "A", ack: 4 });
  c.nxt = 4;
  c.send({ tos: CE });
  c.write("x");
  c.expect({ flags: "A", len: 1 });
  assertEquals(c.stat(Stat.TCP_CE_IN), 0);
  c.end();
});

Deno.test("RFC 3168 6.1.6: CE on a probe of our closed window is echoed", async () => {
  const c = await established({ ecn: true, rcvbuf: 2000 });
  c.send({ data: pattern(1460), tos: ECT_0 });
  c.send({ data: pattern(540, 1460), tos: ECT_0 });
  c.host.advance(SECOND);
  assertEquals(c.takeAll().at(-1)!.win, 0);
  c.send({ data: "p", tos: CE });
  c.expect({ flags: "AE", ack: 2001, win: 0 });
  c.end();
});

Deno.test("ECN: a connection without it takes no notice of CE, ECE and CWR", async () => {
  const c = await bulk({ ecn: false });
  c.takeAll();
  const before = c.tcb("cwnd");
  c.send({ flags: "AE", data: "a", tos: CE });
  c.send({ flags: "AEC", data: "b", tos: CE });
  assert(c.tcb("cwnd") >= before);
  assert(c.takeAll().every((s) => !/[EC]/.test(s.flags)));
  assertEquals(infoOptions(c) & (INFO_ECN | INFO_ECN_SEEN), 0);
  c.end();
});

Deno.test("RFC 3168 6.1.2: ECE reduces the window once, and new data says CWR", async () => {
  const c = await bulk();
  const sent = c.takeAll();
  assertEquals(sent.length, 10);
  assert(sent.every((s) => !s.flags.includes("C")));
  c.rcv = 1;
  c.host.advance(RTT);
  c.send({ ack: 1 + MSS, flags: "AE" });
  assertEquals(c.stat(Stat.TCP_ECE_REDUCTIONS), 1);
  // the rest of the window says so too: no further reduction, and no growth
  for (let i = 2; i <= 10; i++) c.send({ ack: 1 + i * MSS, flags: "AE" });
  assertEquals(c.stat(Stat.TCP_ECE_REDUCTIONS), 1);
  const reduced = c.tcb("cwnd");
  assert(reduced < 10 * MSS && reduced >= 2 * MSS, `${reduced}`);
  const next = c.takeAll();
  assert(next.length > 0);
  assertEquals(next.map((s) => s.flags.includes("C")), next.map((_, i) => i === 0));
  assert(next.every((s) => s.tos === ECT_0));
  assertEquals(next[0].seq, 1 + 10 * MSS);
  // what said CWR has arrived; ECE that still comes is a new instance
  const before = c.tcb("cwnd");
  for (const { seq } of next) c.send({ ack: seq + MSS, flags: "AE" });
  assertEquals(c.stat(Stat.TCP_ECE_REDUCTIONS), 2);
  assert(c.tcb("cwnd") < before);
  assertEquals(c.stat(Stat.TCP_REXMT_SEGMENTS), 0);
  c.end();
});

Deno.test("RFC 3168 6.1.2: an ACK with ECE does not make the window grow", async () => {
  const c = await bulk();
  c.takeAll();
  c.rcv = 1;
  c.host.advance(RTT);
  c.send({ ack: 1 + MSS, flags: "AE" });
  const after = c.tcb("cwnd");
  for (let i = 2; i <= 10; i++) {
    c.send({ ack: 1 + i * MSS, flags: "AE" });
    assert(c.tcb("cwnd") <= after);
  }
  c.end();
});

Deno.test("RFC 3168 6.1.2: ECE without data in the network changes nothing", async () => {
  const c = await established({ ecn: true });
  const before = c.tcb("cwnd");
  c.send({ flags: "AE" });
  c.send({ flags: "AE", data: "abc" });
  assertEquals(c.stat(Stat.TCP_ECE_REDUCTIONS), 0);
  assertEquals(c.tcb("cwnd"), before);
  c.write("x");
  c.expect({ flags: "A", len: 1 });
  c.end();
});

Deno.test("RFC 3168 6.1.2: a loss in the window that ECE has reduced is no news", async () => {
  const c = await bulk();
  c.takeAll();
  c.rcv = 1;
  c.host.advance(RTT);
  c.send({ ack: 1 + MSS, flags: "AE" });
  const threshold = c.tcb("ssthresh");
  for (let i = 4; i <= 8; i++) {
    c.send({ ack: 1 + MSS, flags: "AE", sack: [[1 + 2 * MSS, 1 + i * MSS]] });
  }
  assert(c.takeAll().some((s) => s.seq === 1 + MSS), "fast retransmit");
  assertEquals(c.tcb("ssthresh"), threshold);
  assertEquals(c.stat(Stat.TCP_ECE_REDUCTIONS), 1);
  c.end();
});

Deno.test("RFC 3168 6.1.2: the loss of what said CWR reduces again, and is told", async () => {
  const c = await bulk();
  c.takeAll();
  c.rcv = 1;
  c.host.advance(20_000);
  for (let i = 1; i <= 10; i++) c.send({ ack: 1 + i * MSS, flags: "AE" });
  const sent = c.takeAll();
  const [lost] = sent;
  assert(lost.flags.includes("C") && sent.length >= 4, `${sent.length} segments`);
  c.host.advance(20_000);
  const threshold = c.tcb("ssthresh");
  const end = sent.at(-1)!.seq + sent.at(-1)!.data.length;
  c.send({ ack: lost.seq, flags: "AE", sack: [[lost.seq + MSS, end]] });
  c.host.untilSent(SECOND);
  const next = c.takeAll();
  assert(next.some((s) => s.seq === lost.seq && !s.flags.includes("C")), "fast retransmit");
  assert(c.tcb("ssthresh") < threshold);
  c.send({ ack: end, flags: "AE" });
  const news = [...next, ...c.takeAll()].filter((s) => s.seq >= end);
  assertEquals(news.map((s) => s.flags.includes("C")), news.map((_, i) => i === 0));
  c.end();
});

Deno.test("RFC 3168 6.1.2: after a loss new data says CWR, and ECE is no news", async () => {
  const c = await bulk();
  c.takeAll();
  c.rcv = 1;
  c.host.advance(RTT);
  for (let i = 2; i <= 5; i++) c.send({ ack: 1, sack: [[1 + MSS, 1 + i * MSS]] });
  const threshold = c.tcb("ssthresh");
  const sent = c.takeAll();
  const end = Math.max(...sent.map((s) => s.seq + s.data.length));
  c.send({ ack: end, flags: "AE" });
  assertEquals(c.tcb("ssthresh"), threshold);
  assertEquals(c.stat(Stat.TCP_ECE_REDUCTIONS), 0);
  const next = [...sent, ...c.takeAll()].filter((s) => s.flags.includes("C"));
  assertEquals(next.length, 1);
  assert(next[0].seq > 1 + 9 * MSS);
  c.end();
});

Deno.test("RFC 3168 6.1.2: after a timeout the next new data says CWR", async () => {
  const c = await established({ ecn: true });
  c.write(pattern(MSS));
  c.expect({ len: MSS, tos: ECT_0 });
  c.expectWithin(2 * SECOND, { flags: "A", len: MSS, tos: 0 });
  c.send({});
  c.write(pattern(3 * MSS));
  const sent = c.takeAll();
  assertEquals(sent.map((s) => s.flags.includes("C")), sent.map((_, i) => i === 0));
  c.end();
});

Deno.test("RFC 8511 3: a mark leaves four fifths of the flight; by itself, half", async () => {
  for (const [ecn_beta, fifths] of [[80, 4], [0, 2.5], [50, 2.5]]) {
    const c = await bulk({ host: { tcp: { ecn_beta, congestion: Cc.NEWRENO } } });
    c.takeAll();
    c.rcv = 1;
    c.send({ ack: 1, flags: "AE", sack: [[1 + MSS, 1 + 2 * MSS]] });
    assertEquals(c.tcb("ssthresh"), 10 * MSS * fifths / 5);
    c.end();
  }
});

Deno.test("RFC 8511 3: ssthresh is at least two segments, cwnd at least one", async () => {
  const c = await bulk({ host: { tcp: { initial_cwnd_segments: 2 } } });
  let end = 1;
  const cwnds: number[] = [];
  for (let i = 0; i < 3; i++) {
    c.host.untilSent(SECOND);
    const sent = c.takeAll();
    end = Math.max(end, ...sent.map((s) => s.seq + s.data.length));
    c.send({ ack: end, flags: "AE" });
    assertEquals(c.tcb("ssthresh"), 2 * MSS);
    cwnds.push(c.tcb("cwnd") / MSS);
  }
  assertEquals(cwnds, [1, 1, 1]);
  c.end();
});

Deno.test("RFC 3168 6.1.2: with a window of one segment new data waits for the timer", async () => {
  const c = await bulk({ host: { tcp: { initial_cwnd_segments: 1 } } });
  c.expect({ len: MSS, tos: ECT_0 });
  c.silent();
  c.send({ flags: "AE" });
  assertEquals(c.tcb("cwnd"), MSS);
  c.silent();
  const delay = c.expectWithin(5 * SECOND, { flags: "AC", seq: 1 + MSS, len: MSS, tos: ECT_0 });
  assertEquals(delay, 200_000);
  assertEquals(c.stat(Stat.TCP_REXMT_SEGMENTS), 0);
  c.send({});
  assert(c.takeAll().length > 0, "without ECE the window is used at once");
  c.end();
});
