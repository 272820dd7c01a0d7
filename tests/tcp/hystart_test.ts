/** HyStart++ (RFC 9406), through the algorithms that use it. */

import { assert, assertEquals } from "@std/assert";
import { Cc } from "../../assembly/abi/tcp.ts";
import { Flow, SSTHRESH_NONE } from "../contract/congestion_kit.ts";

const MS = 1000;
const ALGORITHMS = [Cc.NEWRENO, Cc.CUBIC];

/** A flow whose first two round trips took so long; it is in slow start. */
function flow(algorithm: Cc, ms = 100, settings = {}): Flow {
  const f = new Flow({ algorithm, settings });
  grows(f, ms, "all");
  grows(f, ms, "all");
  return f;
}

/** How many ACKs of a round trip grow the window by a segment; the others by a quarter of one. */
function grows(f: Flow, ms: number, whole: number | "all"): void {
  const before = f.cwnd;
  const acks = f.lap(ms * MS);
  const n = whole === "all" ? acks : Math.min(whole, acks);
  assertEquals(f.cwnd - before, (n + (acks - n) / 4) * f.mss, `${n} of ${acks} at ${ms} ms`);
}

function test(name: string, check: (algorithm: Cc) => void): void {
  for (const algorithm of ALGORITHMS) {
    Deno.test(`${algorithm === Cc.CUBIC ? "CUBIC" : "NewReno"}: ${name}`, () => check(algorithm));
  }
}

test("RFC 9406 4.2: without more delay slow start goes on", (algorithm) => {
  const f = flow(algorithm);
  for (let i = 0; i < 6; i++) grows(f, 100, "all");
  assertEquals([f.ssthresh, f.exits], [SSTHRESH_NONE, 0]);
});

test("RFC 9406 4.2: more delay slows growth to a quarter, for five rounds", (algorithm) => {
  const f = flow(algorithm);
  grows(f, 113, 8); // the eighth sample tells; what is left of the round counts as one
  for (let i = 0; i < 4; i++) {
    assertEquals([f.ssthresh, f.exits], [SSTHRESH_NONE, 0], `round ${i}`);
    grows(f, 113, 0);
  }
  assertEquals(f.ssthresh, f.cwnd);
  assertEquals(f.exits, 1);
  const end = f.window;
  f.lap(113 * MS);
  assert(f.window <= end + 1, "congestion avoidance");
});

test("RFC 9406 4.2: when round trips become shorter again slow start resumes", (algorithm) => {
  const f = flow(algorithm);
  grows(f, 130, 8);
  grows(f, 130, 0);
  const before = f.cwnd;
  const acks = f.lap(129 * MS);
  assertEquals(f.cwnd - before, (8 / 4 + (acks - 8)) * f.mss, "eight samples, then whole segments");
  grows(f, 130, "all");
  assertEquals(f.exits, 0);
});

test("RFC 9406 4.2: a new rise after that counts its five rounds anew", (algorithm) => {
  const f = flow(algorithm);
  grows(f, 130, 8);
  for (let i = 0; i < 3; i++) grows(f, 130, 0);
  f.lap(129 * MS);
  grows(f, 150, 8);
  for (let i = 0; i < 4; i++) {
    assertEquals(f.exits, 0);
    grows(f, 150, 0);
  }
  assertEquals(f.exits, 1);
});

test("RFC 9406 4.3: the threshold is an eighth of the round trip, 4 ms to 16 ms", (algorithm) => {
  for (const [base, thresh] of [[8, 4], [64, 8], [100, 12.5], [400, 16]]) {
    grows(flow(algorithm, base), base + thresh - 0.1, "all");
    grows(flow(algorithm, base), base + thresh, 8);
  }
});

test("RFC 9406 4.3: fewer than eight samples say nothing", (algorithm) => {
  for (const [samples, slow] of [[7, false], [8, true]] as const) {
    const f = flow(algorithm);
    const before = f.cwnd;
    for (let i = 0; i < 20; i++) f.ack(f.mss, i < samples ? 200 * MS : undefined);
    assertEquals(f.cwnd - before < 20 * f.mss, slow, `${samples} samples`);
  }
});

test("RFC 9406 4.2: one short round trip among many is enough to go on", (algorithm) => {
  const f = flow(algorithm);
  const before = f.cwnd;
  for (let i = 0; i < 20; i++) f.ack(f.mss, i === 3 ? 100 * MS : 300 * MS);
  assertEquals(f.cwnd - before, 20 * f.mss);
});

test("the first flight is one round, however far its ACKs are spread", (algorithm) => {
  const f = new Flow({ algorithm });
  for (let i = 0; i < 10; i++) f.ack(f.mss, (20 + 12 * i) * MS);
  assertEquals(f.window, 20);
});

test("RFC 9406 4.3: a later slow start is the ordinary one", (algorithm) => {
  const f = flow(algorithm);
  f.cwnd = 5000 * f.mss;
  f.timeout();
  for (let i = 0; i < 6; i++) grows(f, 100 + 50 * i, "all");
  assertEquals(f.exits, 0);
});

test("an ssthresh that is known beforehand ends slow start, not the delay", (algorithm) => {
  const f = flow(algorithm);
  f.ssthresh = 200 * f.mss;
  grows(f, 200, "all");
  assertEquals(f.exits, 0);
});

test("an undone loss in the first slow start leaves it to HyStart++ again", (algorithm) => {
  const f = flow(algorithm);
  f.lose();
  f.undo();
  grows(f, 100, "all");
  f.lap(113 * MS); // the rounds begin anew, not where the loss was
  grows(f, 113, 0);
});

test("hystart = 0 switches it off", (algorithm) => {
  const f = flow(algorithm, 100, { hystart: 0 });
  for (let i = 0; i < 6; i++) grows(f, 100 + 50 * i, "all");
});

Deno.test("RFC 9438 4.10: after HyStart++ CUBIC is convex from where slow start ended", () => {
  const f = flow(Cc.CUBIC);
  for (let i = 0; i < 5; i++) f.lap(150 * MS);
  assertEquals(f.exits, 1);
  const [from, begin] = [f.window, f.now];
  while (f.now - begin < 8_000_000) f.round();
  const want = from + 0.4 * 8.1 ** 3;
  assert(Math.abs(f.window - want) < 8, `${f.window}, not ${want}`);
});
