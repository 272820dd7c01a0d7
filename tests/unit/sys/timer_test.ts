/** The timer wheel against a plain list of deadlines. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Timer } from "../../../runtime/wasm/layout.gen.ts";
import { type EngineUnderTest, freshEngine } from "../engine_instance.ts";

const SEED = 0x74696d65;
const TIMERS = 12;
/** A Timer and, behind it, a ProbeScript of assembly/probes/timer.ts. */
const SLOT_BYTES = 64;
const SCRIPT = { when: 32, arms: 40, cancels: 44, log: 48, id: 52 };
const I64_MAX = 2n ** 63n - 1n;
const I64_MIN = -(2n ** 63n);

type Op =
  | { op: "arm"; timer: number; when: bigint; relative: boolean }
  | { op: "cancel"; timer: number }
  | { op: "script"; timer: number; arms: number; delay: bigint; cancels: number }
  | { op: "run"; forward: bigint }
  | { op: "runToNext" };

/** Times near, far and very far, so that every level of the wheel is used. */
const span = fc.nat(62).chain((bits) => fc.bigInt({ min: 0n, max: 1n << BigInt(bits) }));
const timer = fc.nat(TIMERS - 1);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant("arm" as const),
      timer,
      when: fc.oneof(
        { weight: 8, arbitrary: span },
        { weight: 1, arbitrary: span.map((time) => -time) },
        { weight: 1, arbitrary: fc.constantFrom(I64_MAX, I64_MIN, -1n, 0n) },
      ),
      relative: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("cancel" as const), timer }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("script" as const),
      timer,
      arms: fc.integer({ min: -1, max: TIMERS - 1 }),
      delay: fc.oneof(fc.bigInt({ min: -50n, max: 50n }), span),
      cancels: fc.integer({ min: -1, max: TIMERS - 1 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ op: fc.constant("run" as const), forward: span }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("runToNext" as const) }) },
);

/** The wheel, with calls that take BigInts. */
class Wheel {
  readonly e: EngineUnderTest;
  readonly #argument: number;
  readonly #cursor: number;
  readonly #log: number;

  constructor(timers: number) {
    this.e = freshEngine(timers * (SLOT_BYTES + 4) + 64);
    this.e.call.probe_timer_init();
    this.#argument = this.at(timers);
    this.#cursor = this.#argument + 8;
    this.#log = this.#argument + 16;
    for (let i = 0; i < timers; i++) {
      this.e.call.probe_timer_setup(this.at(i));
      this.e.setU32(this.at(i) + SCRIPT.log, this.#cursor);
      this.e.setU32(this.at(i) + SCRIPT.id, i);
    }
  }

  at(i: number): number {
    return this.e.heap + i * SLOT_BYTES;
  }

  arm(i: number, when: bigint): void {
    this.e.setU64(this.#argument, when);
    this.e.call.probe_timer_arm(this.at(i), this.#argument);
  }

  cancel(i: number): void {
    this.e.call.probe_timer_cancel(this.at(i));
  }

  pending(i: number): boolean {
    return this.e.call.probe_timer_pending(this.at(i)) !== 0;
  }

  /** What timer `i` does when it fires; -1 for nothing. */
  script(i: number, { arms, when, cancels }: { arms: number; when: bigint; cancels: number }) {
    this.e.setU64(this.at(i) + SCRIPT.when, when);
    this.e.setU32(this.at(i) + SCRIPT.arms, arms < 0 ? 0 : this.at(arms));
    this.e.setU32(this.at(i) + SCRIPT.cancels, cancels < 0 ? 0 : this.at(cancels));
  }

  /** Numbers of the timers that fired, in order; the run comes to its end. */
  run(now: bigint): number[] {
    const { ended, fired } = this.step(now);
    assert(ended);
    return fired;
  }

  /** One run, which may leave some for the next. */
  step(now: bigint): { ended: boolean; fired: number[] } {
    this.e.setU64(this.#argument, now);
    this.e.setU32(this.#cursor, this.#log);
    const count = this.e.call.probe_timer_run(this.#argument);
    const fired = (this.e.u32(this.#cursor) - this.#log) / 4;
    assert(count === fired || count === fired + 1);
    return { ended: count === fired, fired: this.#logged(fired) };
  }

  #logged(fired: number): number[] {
    return Array.from({ length: fired }, (_, i) => this.e.u32(this.#log + 4 * i));
  }

  next(): bigint {
    this.e.call.probe_timer_next(this.#argument);
    return BigInt.asIntN(64, this.e.u64(this.#argument));
  }
}

/**
 * What the wheel should do, told the order in which it fired: among timers with the same deadline,
 * and among those overdue when armed, any order is right.
 */
class Reference {
  now = 0n;
  /** Deadline of each timer that is on. */
  readonly when = new Map<number, bigint>();
  readonly scripts = new Map<number, { arms: number; when: bigint; cancels: number }>();

  /** Follows one run and checks each step. */
  follow(now: bigint, fired: readonly number[]): void {
    const begin = this.now;
    this.now = now > begin ? now : begin;
    // Armed by a callback at or before this time: those wait for the next run.
    const late = new Set<number>();
    let last = begin;
    for (const id of fired) {
      const deadline = this.when.get(id);
      assert(deadline !== undefined, `timer ${id} fired and was off`);
      assert(!late.has(id), `timer ${id} was armed in this run and fired in it`);
      assert(deadline <= this.now, `timer ${id} fired before its deadline`);
      const time = deadline < begin ? begin : deadline;
      assert(time >= last, `timer ${id} fired after one with a later deadline`);
      last = time;
      this.when.delete(id);
      const script = this.scripts.get(id);
      if (!script) continue;
      if (script.cancels >= 0) {
        this.when.delete(script.cancels);
        late.delete(script.cancels);
      }
      if (script.arms >= 0) {
        this.when.set(script.arms, script.when);
        if (script.when <= this.now) late.add(script.arms);
        else late.delete(script.arms);
      }
    }
    for (const [id, deadline] of this.when) {
      assert(deadline > this.now || late.has(id), `timer ${id} was due and did not fire`);
    }
  }
}

function apply(wheel: Wheel, model: Reference, op: Op): void {
  switch (op.op) {
    case "arm": {
      const when = BigInt.asIntN(64, op.relative ? model.now + op.when : op.when);
      wheel.arm(op.timer, when);
      model.when.set(op.timer, when);
      return;
    }
    case "cancel":
      wheel.cancel(op.timer);
      model.when.delete(op.timer);
      return;
    case "script": {
      const when = BigInt.asIntN(64, model.now + op.delay);
      wheel.script(op.timer, { ...op, when });
      model.scripts.set(op.timer, { arms: op.arms, when, cancels: op.cancels });
      return;
    }
    case "run":
    case "runToNext": {
      const to = op.op === "run" ? model.now + op.forward : wheel.next();
      const now = to > I64_MAX ? I64_MAX : to;
      model.follow(now, wheel.run(now));
    }
  }
}

Deno.test("timers fire in order of time, once each, none lost", () => {
  fc.assert(
    fc.property(fc.array(op, { maxLength: 120, size: "max" }), (ops) => {
      const wheel = new Wheel(TIMERS);
      const model = new Reference();
      for (const op of ops) {
        apply(wheel, model, op);
        for (let i = 0; i < TIMERS; i++) assertEquals(wheel.pending(i), model.when.has(i));
        assertEquals(wheel.e.call.probe_timer_count(), model.when.size);
        const first = [...model.when.values()].reduce((a, b) => b < a ? b : a, I64_MAX);
        const next = wheel.next();
        assert(next <= (first > model.now ? first : model.now), "something fires before next");
        if (model.when.size === 0) assertEquals(next, I64_MAX);
      }
    }),
    { seed: SEED, numRuns: 400 },
  );
});

Deno.test("going from next to next reaches every deadline exactly", () => {
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: TIMERS }), (deadlines) => {
      const wheel = new Wheel(TIMERS);
      deadlines.forEach((when, i) => wheel.arm(i, when));
      const reached: bigint[] = [];
      for (let turns = 0; wheel.next() !== I64_MAX; turns++) {
        assert(turns < 11 * TIMERS, "next stands still");
        const now = wheel.next();
        for (const id of wheel.run(now)) {
          assertEquals(now, deadlines[id]);
          reached.push(now);
        }
      }
      assertEquals(reached, deadlines.toSorted((a, b) => a < b ? -1 : a > b ? 1 : 0));
    }),
    { seed: SEED, numRuns: 200 },
  );
});

Deno.test("timers with one deadline fire in the order in which they were armed", () => {
  const wheel = new Wheel(4);
  wheel.arm(2, 1_000_000n);
  wheel.run(900_000n);
  wheel.arm(0, 1_000_000n);
  wheel.run(999_990n);
  wheel.arm(3, 1_000_000n);
  assertEquals(wheel.run(2_000_000n), [2, 0, 3]);
});

Deno.test("a callback that arms itself at the present fires once in each run", () => {
  const wheel = new Wheel(1);
  wheel.script(0, { arms: 0, when: 5n, cancels: -1 });
  wheel.arm(0, 5n);
  for (let run = 0; run < 3; run++) {
    assertEquals(wheel.run(10n), [0]);
    assertEquals(wheel.next(), 10n);
  }
  // Later than the timer that fires, and still not after the time of the run.
  wheel.script(0, { arms: 0, when: 20n, cancels: -1 });
  assertEquals(wheel.run(20n), [0]);
  assertEquals(wheel.run(20n), [0]);
});

Deno.test("a callback may cancel a timer that is due with it", () => {
  const wheel = new Wheel(3);
  wheel.script(0, { arms: -1, when: 0n, cancels: 1 });
  for (const i of [0, 1, 2]) wheel.arm(i, 70n);
  assertEquals(wheel.run(100n), [0, 2]);
  assertEquals(wheel.next(), I64_MAX);
});

Deno.test("a later deadline only stores it; an earlier one moves the timer", () => {
  const wheel = new Wheel(1);
  const slot = () => wheel.e.u64(wheel.at(0) + Timer.slot_when);
  wheel.arm(0, 1000n);
  wheel.arm(0, 5000n);
  assertEquals(slot(), 1000n);
  assertEquals(wheel.run(4999n), []);
  assertEquals(slot(), 5000n);
  wheel.arm(0, 4999n + 1n);
  wheel.arm(0, 6000n);
  wheel.arm(0, 5500n);
  assertEquals(slot(), 5000n);
  assertEquals(wheel.run(5499n), []);
  assertEquals(wheel.run(5500n), [0]);
});

const MANY = 50_000;
/** Timers that one run fires, and such that it places anew. */
const FIRED_MOST = 256;
const PLACED_MOST = 8192;

Deno.test("a run fires so many timers at most, and the next ones go on in order", () => {
  const wheel = new Wheel(MANY);
  for (let i = 0; i < MANY; i++) wheel.arm(i, BigInt(1_000_000 + (i >> 3)));
  const cancelled = 30_000;
  const order: number[] = [];
  let runs = 0;
  for (let ended = false; !ended; runs++) {
    assert(wheel.next() <= 2_000_000n, "the rest is due at once");
    const step = wheel.step(2_000_000n);
    assert(step.fired.length <= FIRED_MOST, `${step.fired.length} at once`);
    order.push(...step.fired);
    ended = step.ended;
    if (runs === 0) wheel.cancel(cancelled); // also one of those that are left
  }
  const all = Array.from({ length: MANY }, (_, i) => i);
  assertEquals(order, all.filter((i) => i !== cancelled));
  assert(runs >= MANY / FIRED_MOST);
  assertEquals([wheel.next(), wheel.e.call.probe_timer_count()], [I64_MAX, 0]);
});

Deno.test("what is armed between two runs of one time fires once, when it is due", () => {
  const wheel = new Wheel(MANY);
  for (let i = 2; i < MANY; i++) wheel.arm(i, 1_000_000n);
  assertEquals(wheel.step(1_000_000n).ended, false);
  wheel.arm(0, 1_000_001n);
  wheel.arm(1, 5n);
  const order: number[] = [];
  for (let ended = false; !ended;) {
    const step = wheel.step(1_000_000n);
    order.push(...step.fired);
    ended = step.ended;
  }
  assert(order.includes(1), "it was overdue");
  assertEquals([new Set(order).size, order.length], [MANY - 1, MANY - 1]);
  assertEquals([wheel.pending(0), wheel.run(1_000_001n)], [true, [0]]);
});

Deno.test("many timers far away move nearer a part at a time", () => {
  const wheel = new Wheel(MANY);
  const hour = 3_600_000_000n;
  for (let i = 0; i < MANY; i++) wheel.arm(i, hour + BigInt(i) * 1000n);
  let runs = 0;
  // All of them stand in one slot, which begins long before they are due.
  for (; wheel.next() < hour - 60_000_000n; runs++) {
    assertEquals(wheel.step(wheel.next()).fired, []);
  }
  assert(runs >= MANY / PLACED_MOST, `${runs} runs`);
  assertEquals(wheel.e.call.probe_timer_count(), MANY);
  const reached: number[] = [];
  while (reached.length < MANY) reached.push(...wheel.step(2n * hour).fired);
  assertEquals(reached, reached.map((_, i) => i));
});
