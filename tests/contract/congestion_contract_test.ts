/** What every congestion control algorithm must do: one table of cases for all of them. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Cc } from "../../assembly/abi/tcp.ts";
import { Tcb } from "../../runtime/wasm/layout.gen.ts";
import { Flow, type FlowOptions, SSTHRESH_NONE } from "./congestion_kit.ts";

/** An algorithm, and what it leaves of a window, per cent. */
interface Subject {
  readonly name: string;
  readonly algorithm: Cc;
  readonly loss: number;
  readonly mark: number;
}

const SUBJECTS: readonly Subject[] = [
  { name: "NewReno", algorithm: Cc.NEWRENO, loss: 50, mark: 80 },
  { name: "CUBIC", algorithm: Cc.CUBIC, loss: 70, mark: 85 },
];

const CASES: Readonly<Record<string, (s: Subject) => void>> = {
  "RFC 6928: begins with ten segments and no ssthresh": (s) => {
    const f = flow(s);
    assertEquals(f.window, 10);
    assertEquals(f.ssthresh, SSTHRESH_NONE);
  },
  "RFC 5681 3.1: slow start doubles the window, however segments are acknowledged": (s) => {
    for (const per of [1, 2, 4, 8]) {
      const f = flow(s);
      const windows = [f.window];
      for (let i = 0; i < 5; i++) {
        f.round(per);
        windows.push(f.window);
      }
      assertEquals(windows, [10, 20, 40, 80, 160, 320], `${per} by each ACK`);
    }
  },
  "RFC 3465 2.2: one ACK adds no more than abc_l segments": (s) => {
    for (const [abc_l, window] of [[1, 11], [2, 12], [8, 18], [0, 20], [1 << 31, 20]]) {
      const f = flow(s, { abc_l });
      f.fill();
      f.ack(10 * f.mss);
      assertEquals(f.window, window, `abc_l ${abc_l}`);
    }
  },
  "RFC 3465 5.1: parts of a segment count by their bytes": (s) => {
    const f = flow(s);
    f.fill();
    for (let i = 0; i < 10; i++) f.ack(f.mss / 10);
    assertEquals(f.window, 11);
  },
  "slow start ends at ssthresh, what is left over goes into avoidance": (s) => {
    const f = flow(s);
    f.ssthresh = 15_500;
    f.round(5);
    assert(f.cwnd >= 15_500 && f.cwnd <= 16_500, `${f.cwnd}`);
  },
  "avoidance never shrinks the window, and passes where the loss was": (s) => {
    const f = flow(s);
    f.cwnd = 40 * f.mss;
    f.lose();
    let last = f.window;
    for (let i = 0; i < 200; i++) {
      f.round(2);
      assert(f.window >= last && f.window <= 1.5 * last + 1, `${last} to ${f.window}`);
      last = f.window;
    }
    assert(f.window > 40, `${f.window}`);
  },
  "a loss leaves its share of the window, and cwnd to the caller": (s) => {
    const f = flow(s);
    f.cwnd = 100 * f.mss;
    f.fill();
    f.engine.call.probe_cc_reduce(f.tp);
    assertEquals([f.ssthresh, f.cwnd], [s.loss * f.mss, 100 * f.mss]);
    assertEquals(f.get("prior_cwnd"), 100 * f.mss);
    assertEquals(f.get("prior_ssthresh"), SSTHRESH_NONE);
  },
  "RFC 5681 equation 4: ssthresh is at least two segments": (s) => {
    for (const event of ["reduce", "timeout", "ecn"] as const) {
      const f = flow(s);
      f.cwnd = f.mss;
      f.fill();
      f.engine.call[`probe_cc_${event}`](f.tp);
      assertEquals(f.ssthresh, 2 * f.mss, event);
    }
  },
  "RFC 5681 3.2: what limited transmit sent beyond cwnd does not count": (s) => {
    const f = flow(s);
    f.set("snd_nxt", 12 * f.mss);
    f.engine.call.probe_cc_reduce(f.tp);
    assertEquals(f.ssthresh, s.loss / 10 * f.mss);
  },
  "RFC 8511: a mark leaves more than a loss, unless the setting says otherwise": (s) => {
    for (const [ecn_beta, left] of [[0, s.loss], [1, s.mark], [90, 90]]) {
      const f = flow(s, { ecn_beta });
      f.cwnd = 100 * f.mss;
      f.mark();
      assertEquals(f.ssthresh, left * f.mss, `ecn_beta ${ecn_beta}`);
    }
  },
  "RFC 5681 3.1: a timeout sets ssthresh, slow start leads there": (s) => {
    const f = flow(s);
    f.cwnd = 100 * f.mss;
    f.timeout();
    assertEquals(f.ssthresh, s.loss * f.mss);
    for (let i = 0; i < 5; i++) f.round();
    assertEquals(f.window, 32);
    f.round();
    assert(f.window >= Math.min(s.loss, 64) && f.window <= s.loss, `${f.window}`);
  },
  "RFC 4015: undo in slow start goes on as before the loss": (s) => {
    const f = flow(s);
    f.round();
    f.lose();
    f.undo();
    assertEquals([f.window, f.ssthresh], [20, SSTHRESH_NONE]);
    f.round();
    assertEquals(f.window, 40);
  },
  "RFC 4015: undo in avoidance goes on with the growth it had": (s) => {
    const growth = (undone: boolean): number => {
      const f = flow(s);
      f.cwnd = 100 * f.mss;
      f.lose();
      for (let i = 0; i < 20; i++) f.round();
      if (undone) {
        f.timeout();
        f.undo();
      }
      for (let i = 0; i < 20; i++) f.round();
      return f.window;
    };
    assert(Math.abs(growth(true) - growth(false)) <= 1, `${growth(true)}, ${growth(false)}`);
  },
  "RFC 5681 4.1: after an idle time the initial window, and slow start back": (s) => {
    const f = flow(s);
    f.cwnd = 100 * f.mss;
    f.lose();
    const ssthresh = f.ssthresh;
    f.idle(10_000_000);
    assertEquals([f.window, f.ssthresh], [10, ssthresh]);
    f.round();
    assertEquals(f.window, 20);
  },
  "RFC 2861 3.2: the restart remembers three quarters of a window beyond ssthresh": (s) => {
    const f = flow(s);
    f.ssthresh = 20 * f.mss;
    f.cwnd = 100 * f.mss;
    f.idle(10_000_000);
    assertEquals([f.window, f.ssthresh], [10, 75 * f.mss]);
  },
  "an idle time does not enlarge a small window": (s) => {
    const f = flow(s);
    f.cwnd = 3 * f.mss;
    f.idle(10_000_000);
    assertEquals(f.window, 3);
  },
  "a change of the algorithm leaves the window alone, and the new one begins afresh": (s) => {
    for (const other of SUBJECTS) {
      const f = flow(other);
      f.cwnd = 100 * f.mss;
      f.lose();
      for (let i = 0; i < 10; i++) f.round();
      const before = [f.cwnd, f.ssthresh];
      f.engine.call.probe_cc_select(f.tp, s.algorithm);
      assertEquals([f.cwnd, f.ssthresh], before);
      const window = f.window;
      f.round();
      assert(f.window >= window && f.window <= window + 2, `${window} to ${f.window}`);
      f.lose();
      const share = f.ssthresh / f.get("prior_cwnd");
      assert(Math.abs(share - s.loss / 100) < 0.01, `${share}`);
    }
  },
  "the window has an end": (s) => {
    const f = flow(s);
    f.cwnd = (1 << 30) - 5 * f.mss;
    f.ssthresh = SSTHRESH_NONE;
    for (let i = 0; i < 10; i++) f.ack(f.mss);
    f.ssthresh = 2 * f.mss;
    for (let i = 0; i < 5000; i++) f.ack(1 << 20);
    assert(f.cwnd <= 1 << 30, `${f.cwnd}`);
  },
};

function flow({ algorithm }: Subject, settings: FlowOptions["settings"] = {}): Flow {
  return new Flow({ algorithm, settings });
}

for (const subject of SUBJECTS) {
  for (const [name, check] of Object.entries(CASES)) {
    Deno.test(`${subject.name}: ${name}`, () => check(subject));
  }
}

const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ ack: fc.integer({ min: 1, max: 1 << 20 }) }) },
  { weight: 2, arbitrary: fc.record({ sample: fc.integer({ min: 0, max: 0x3fffffff }) }) },
  { weight: 2, arbitrary: fc.record({ advance: fc.integer({ min: 0, max: 100_000_000 }) }) },
  fc.constantFrom(
    ...(["lose", "mark", "timeout", "undo", "idle", "select", "mss", "round"] as const),
  ),
);

Deno.test("property: whatever happens, cwnd and ssthresh stay within bounds", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...SUBJECTS),
      fc.integer({ min: 64, max: 65_483 }),
      fc.array(act, { maxLength: 60 }),
      ({ algorithm }, mss, acts) => {
        const f = new Flow({ algorithm, mss });
        for (const a of acts) {
          if (a === "mss") f.engine.view.setUint16(f.tp + Tcb.snd_mss, 64, true);
          else if (a === "select") f.engine.call.probe_cc_select(f.tp, 1 - f.algorithm);
          else if (a === "idle") f.idle(0);
          else if (a === "round") f.cwnd < 1 << 22 && f.round(4);
          else if (typeof a === "string") f[a]();
          else if ("ack" in a) f.ack(a.ack);
          else if ("sample" in a) f.engine.call.probe_cc_sample(f.tp, a.sample);
          else f.advance(a.advance);
          assert(f.cwnd >= 64 && f.cwnd <= 1 << 30, `cwnd ${f.cwnd}`);
          assert(f.ssthresh >= 128 && f.ssthresh <= 1 << 30, `ssthresh ${f.ssthresh}`);
        }
      },
    ),
    { numRuns: 300, seed: 5681 },
  );
});
