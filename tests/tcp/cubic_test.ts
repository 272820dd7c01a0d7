/** CUBIC (RFC 9438) against the RFC's formulas in real numbers. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Cc } from "../../assembly/abi/tcp.ts";
import * as layout from "../../runtime/wasm/layout.gen.ts";
import { Flow } from "../contract/congestion_kit.ts";
import { freshEngine } from "../unit/engine_instance.ts";
import { CubicReference } from "./cubic_reference.ts";

const SECOND = 1_000_000;

/** A flow in congestion avoidance: a window of so many segments was just lost from. */
function afterLoss(segments: number, rttUs = 100_000, settings = {}): Flow {
  const f = new Flow({ algorithm: Cc.CUBIC, rttUs, settings });
  f.cwnd = segments * f.mss;
  f.lose();
  return f;
}

Deno.test("what CUBIC and HyStart++ keep fits into a connection's 96 bytes", () => {
  const { Cubic, Hystart, Tcb } = layout;
  assertEquals(Hystart.size % 8, 0, "f64 stand behind it");
  assert(Hystart.size + Cubic.size <= 96);
  assertEquals(Tcb.cc_11 - Tcb.cc_0, 88);
});

Deno.test("property: the cube root is exact to the last bits", () => {
  const { call } = freshEngine();
  assertEquals(call.probe_cubic_cbrt(0), 0);
  assertEquals(call.probe_cubic_cbrt(-1), 0);
  fc.assert(
    fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), (x) => {
      const error = Math.abs(call.probe_cubic_cbrt(x) / Math.cbrt(x) - 1);
      assert(error < 1e-14, `cbrt(${x}) is off by ${error}`);
    }),
    { numRuns: 2000, seed: 9438 },
  );
});

/** What happens between two stretches of round trips. */
type Event = "loss" | "mark" | "timeout";

const course = fc.record({
  mss: fc.integer({ min: 64, max: 9000 }),
  rttMs: fc.integer({ min: 1, max: 300 }),
  start: fc.integer({ min: 4, max: 800 }),
  per: fc.integer({ min: 1, max: 3 }),
  stages: fc.array(
    fc.tuple(fc.integer({ min: 2, max: 60 }), fc.constantFrom<Event>("loss", "mark", "timeout")),
    { minLength: 1, maxLength: 5 },
  ),
});

Deno.test("property: losses, marks and timeouts: the window follows RFC 9438's formulas", () => {
  fc.assert(
    fc.property(course, ({ mss, rttMs, start, per, stages }) => {
      const settings = { abc_l: 0, hystart: 0, ecn_beta: 1 };
      const f = new Flow({ algorithm: Cc.CUBIC, mss, rttUs: rttMs * 1000, settings });
      const r = new CubicReference(start);
      f.cwnd = start * mss;
      happen("loss", f, r);
      for (const [rounds, event] of stages) {
        for (let i = 0; i < rounds && f.window < 3000; i++) {
          together(f, r, per);
          const off = Math.abs(f.window - r.cwnd);
          assert(off <= 0.1 + 0.001 * r.cwnd, `${f.window} segments, the RFC's are ${r.cwnd}`);
        }
        happen(event, f, r);
      }
    }),
    { numRuns: 150, seed: 9438 },
  );
});

/** A round trip of both. */
function together(f: Flow, r: CubicReference, per: number): void {
  const segments = Math.max(1, Math.floor(f.window));
  const acks = Math.ceil(segments / per);
  f.fill();
  for (let i = 0; i < acks; i++) {
    f.advance(Math.floor(f.rtt / acks));
    const n = Math.min(per, segments - i * per);
    f.ack(n * f.mss);
    r.ack(n, f.now / SECOND, f.rtt / SECOND);
  }
}

/** The event, from the same window: a rounded one may stand on the other side of W_max. */
function happen(event: Event, f: Flow, r: CubicReference): void {
  r.cwnd = f.window;
  if (event === "timeout") {
    f.timeout();
    r.timeout();
  } else {
    if (event === "loss") f.lose();
    else f.mark();
    r.congestion(event === "loss" ? 0.7 : 0.85);
  }
  const cut = r.ssthresh * f.mss - f.ssthresh;
  assert(cut < 1 && cut > -1e-6, "ssthresh is the RFC's in whole bytes");
  r.cwnd = f.window;
}

Deno.test("RFC 9438 4.6: a loss leaves 0.7 of the window, at least two segments", () => {
  for (const [window, ssthresh] of [[100, 70], [10, 7], [11, 7.7], [3, 2.1], [2, 2], [1, 2]]) {
    const f = afterLoss(window);
    assertEquals(f.ssthresh, ssthresh * f.mss, `of ${window}`);
  }
});

Deno.test("RFC 9438 4.2: K seconds after the loss the window is W_max again, flat there", () => {
  const f = afterLoss(1000);
  const k = Math.cbrt(300 / 0.4); // 9.09 s
  const at: number[] = [];
  const begin = f.now;
  while (f.now - begin < 2 * k * SECOND) {
    f.round();
    at.push(f.window);
  }
  const [quarter, half, full] = [at.length / 4, at.length / 2, at.length - 1].map(Math.floor);
  const near = (a: number, b: number, what: string) => assert(Math.abs(a - b) < 8, `${what}: ${a}`);
  near(at[half], 1000, "W_max");
  near(at[quarter], 1000 - 0.4 * (k / 2) ** 3, "concave");
  near(at[full], 1300, "convex");
});

Deno.test("RFC 9438 4.7: a window that could not grow back to W_max gives way", () => {
  const f = afterLoss(1000);
  f.round();
  const second = f.window; // below 1000
  f.lose();
  const begin = f.now;
  const wMax = second * 0.85;
  const k = Math.cbrt((wMax - Math.floor(second * 0.7)) / 0.4);
  while (f.now - begin < k * SECOND) f.round();
  assert(Math.abs(f.window - wMax) < 8, `${f.window}, not ${wMax}`);
});

Deno.test("RFC 9438 4.3: on a short path the window grows as Reno's would", () => {
  const f = afterLoss(20, 1000);
  for (let i = 0; i < 40; i++) f.round();
  // alpha = 9/17 a round trip as far as 20 segments, one from there on
  const rounds = 6 / (9 / 17);
  const reno = 20 + (40 - rounds);
  assert(Math.abs(f.window - reno) <= 2, `${f.window}, not ${reno}`);
});

Deno.test("RFC 9438 4.2: in a round trip the window grows by half at most", () => {
  const f = afterLoss(20, 300_000);
  for (let i = 0; i < 60; i++) {
    const before = f.window;
    f.round();
    assert(f.window <= 1.5 * before + 1, `${before} to ${f.window}`);
  }
  assert(f.window > 1000);
});

Deno.test("RFC 9438 4.8: after a timeout slow start, then convex from there", () => {
  const f = afterLoss(200);
  f.round();
  const before = f.window;
  f.timeout();
  assertEquals(f.ssthresh, Math.floor(before * 0.7 * f.mss));
  while (f.cwnd < f.ssthresh) f.round();
  const from = f.window;
  const begin = f.now;
  while (f.now - begin < 5 * SECOND) f.round();
  const want = from + 0.4 * 5.1 ** 3;
  assert(Math.abs(f.window - want) < 5, `${f.window}, not ${want}`);
});

Deno.test("RFC 9438 4.2, 5.8: time in which the window was not used does not count", () => {
  const busy = afterLoss(300);
  const paused = afterLoss(300);
  for (let i = 0; i < 30; i++) {
    busy.round();
    paused.round();
    if (i % 10 === 5) paused.advance(3 * SECOND);
  }
  // a round trip of each pause counts: it could have been one between two ACKs
  assert(Math.abs(busy.window - paused.window) <= 4, `${busy.window}, ${paused.window}`);
  const [b, p] = [busy, paused].map((f) => f.window);
  busy.round();
  paused.round();
  assert(paused.window - p <= busy.window - b + 1, "no jump after the pause");
});

Deno.test("RFC 9438 4.9.2: what a spurious loss changed is as before", () => {
  const f = afterLoss(500);
  for (let i = 0; i < 20; i++) f.round();
  const same = afterLoss(500);
  for (let i = 0; i < 20; i++) same.round();
  const before = { cwnd: f.cwnd, ssthresh: f.ssthresh };
  f.lose();
  assert(f.cwnd < before.cwnd);
  f.undo();
  assertEquals({ cwnd: f.cwnd, ssthresh: f.ssthresh }, before);
  same.advance(same.rtt);
  for (let i = 0; i < 20; i++) {
    f.round();
    same.round();
    assert(Math.abs(f.window - same.window) <= 1, `${f.window}, ${same.window}`);
  }
});

Deno.test("RFC 9438 4.9.2: a window that has grown beyond keeps its own values", () => {
  const f = afterLoss(20);
  f.lose();
  for (let i = 0; i < 60; i++) f.round();
  const [window, state] = [f.window, f.state()];
  f.undo();
  assertEquals(f.window, window);
  assertEquals(f.state(), state);
});

Deno.test("RFC 8511: a CE mark leaves 0.85 of the window, or as the setting says", () => {
  for (const [beta, left] of [[0, 70], [1, 85], [60, 60], [200, 100]]) {
    const f = new Flow({ algorithm: Cc.CUBIC, settings: { ecn_beta: beta } });
    f.cwnd = 100 * f.mss;
    f.mark();
    assertEquals(f.ssthresh, left * f.mss, `ecn_beta ${beta}`);
  }
});
