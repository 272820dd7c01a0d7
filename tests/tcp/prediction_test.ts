/**
 * Header prediction is only a shorter way to the same end: an engine that may use it and one that
 * may not, fed with the same segments and calls, send the same and keep the same state.
 *
 * What keeps the second from predicting is an MSS option in every segment, which means nothing
 * outside of SYN (RFC 9293 3.7.1) and is no option of an expected segment.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Stat } from "../../assembly/abi/stat.ts";
import * as layout from "../../runtime/wasm/layout.gen.ts";
import { type Conn, pattern, type Say, type Shake } from "./harness.ts";
import { show } from "./segment.ts";
import { established } from "./shake.ts";

/** One thing that the peer, the user or the clock does. */
type Step =
  | { readonly kind: "data"; readonly sizes: readonly number[]; readonly ack: number }
  | { readonly kind: "ack"; readonly part: number; readonly win: number }
  | { readonly kind: "skip"; readonly gap: number; readonly size: number }
  | { readonly kind: "again"; readonly back: number; readonly size: number }
  | { readonly kind: "dup"; readonly times: number }
  | { readonly kind: "urgent"; readonly size: number; readonly up: number }
  | { readonly kind: "mark"; readonly size: number; readonly tos: number; readonly flags: string }
  | { readonly kind: "write"; readonly size: number }
  | { readonly kind: "read"; readonly size: number }
  | { readonly kind: "wait"; readonly us: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("data" as const),
      sizes: fc.array(fc.integer({ min: 1, max: 1400 }), { minLength: 1, maxLength: 4 }),
      ack: fc.nat(100),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("ack" as const),
      part: fc.nat(100),
      win: fc.constantFrom(65535, 65535, 65535, 3000, 0),
    }),
  },
  fc.record({
    kind: fc.constant("skip" as const),
    gap: fc.integer({ min: 1, max: 3000 }),
    size: fc.integer({ min: 1, max: 1000 }),
  }),
  fc.record({
    kind: fc.constant("again" as const),
    back: fc.integer({ min: 1, max: 3000 }),
    size: fc.integer({ min: 1, max: 1400 }),
  }),
  fc.record({ kind: fc.constant("dup" as const), times: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant("urgent" as const),
    size: fc.integer({ min: 1, max: 50 }),
    up: fc.integer({ min: 1, max: 100 }),
  }),
  fc.record({
    kind: fc.constant("mark" as const),
    size: fc.integer({ min: 0, max: 1400 }),
    tos: fc.nat(3),
    flags: fc.constantFrom("A", "A", "AE", "AC", "AEC"),
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      size: fc.integer({ min: 1, max: 20_000 }),
    }),
  },
  fc.record({
    kind: fc.constant("read" as const),
    size: fc.integer({ min: 1, max: 70_000 }),
  }),
  fc.record({
    kind: fc.constant("wait" as const),
    us: fc.constantFrom(0, 1000, 39_000, 40_000, 250_000, 3_000_000),
  }),
);

const shake: fc.Arbitrary<Shake> = fc.record({
  ts: fc.boolean(),
  sackOk: fc.boolean(),
  ecn: fc.boolean(),
  wscale: fc.constantFrom(undefined, 0, 3),
  rcvbuf: fc.constantFrom(undefined, 5000),
  host: fc.record({
    tcp: fc.record({
      quickacks: fc.constantFrom(0, 2, 16),
      moderate_rcvbuf: fc.constantFrom(0, 1),
    }),
  }),
});

/** A connection and what has become of it so far, told in lines. */
class Run {
  readonly log: string[] = [];
  #next = 1;
  #acked = 1;
  #highest = 1;
  #written = 0;

  constructor(readonly c: Conn, readonly plain: boolean) {}

  #send(...says: Say[]): void {
    const { c } = this;
    c.send(...says.map((say) => ({ ...say, ...(this.plain ? {} : { mss: 1460 }) })));
  }

  #record(): void {
    for (const s of this.c.takeAll()) {
      this.#highest = Math.max(this.#highest, s.seq + s.data.length);
      this.log.push(`${s.at} ${show(s)} tos ${s.tos}`);
    }
  }

  #data(size: number): Say {
    const say = { seq: this.#next, ack: this.#acked, data: pattern(size, this.#next) };
    this.#next += size;
    return say;
  }

  do(step: Step): void {
    const { c } = this;
    if (step.kind === "data") {
      this.#acked += Math.floor((this.#highest - this.#acked) * step.ack / 100);
      this.#send(...step.sizes.map((size) => this.#data(size)));
    } else if (step.kind === "ack") {
      this.#acked += Math.floor((this.#highest - this.#acked) * step.part / 100);
      this.#send({ seq: this.#next, ack: this.#acked, win: step.win });
    } else if (step.kind === "skip") {
      const seq = this.#next + step.gap;
      this.#send({ seq, ack: this.#acked, data: pattern(step.size, seq) });
    } else if (step.kind === "again") {
      const seq = Math.max(1, this.#next - step.back);
      this.#send({ seq, ack: this.#acked, data: pattern(step.size, seq) });
      this.#next = Math.max(this.#next, seq + step.size);
    } else if (step.kind === "dup") {
      for (let i = 0; i < step.times; i++) this.#send({ seq: this.#next, ack: this.#acked });
    } else if (step.kind === "urgent") {
      this.#send({ ...this.#data(step.size), flags: "UA", up: step.up });
    } else if (step.kind === "mark") {
      this.#send({ ...this.#data(step.size), flags: step.flags, tos: step.tos });
    } else if (step.kind === "write") {
      const n = c.tryWrite(pattern(step.size, this.#written));
      this.#written += Math.max(n, 0);
      this.log.push(`write ${n}`);
    } else if (step.kind === "read") {
      const { n, data } = c.tryRead(Math.min(step.size, 65_536));
      this.log.push(`read ${n} ${data.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 0)}`);
    } else {
      c.host.advance(step.us);
    }
    this.#record();
  }
}

/** Fields that need not agree: addresses, and rcv_up, which only counts while it is ahead. */
const PRIVATE = /^(timer_|inp|segq$|sacked$|out_|blk_|pad|rcv_up)/;

/** RCV.UP if something urgent is ahead. */
function urgentAhead(c: Conn): number {
  const ahead = (c.tcb("rcv_up") - c.tcb("rcv_nxt")) | 0;
  return Math.max(ahead, 0);
}

/** Compares all numbers that the two Tcbs hold. */
function sameState(a: Conn, b: Conn): void {
  const bytes = [a, b].map((c) => {
    const tp = c.host.call("tcb_of", c.so) >>> 0;
    assert(tp !== 0);
    return c.host.engine.memory.slice(tp, tp + layout.Tcb.size);
  });
  assertEquals(urgentAhead(a), urgentAhead(b), "urgent data ahead");
  const fields = Object.entries(layout.Tcb).filter(([name]) => name !== "size");
  fields.forEach(([name, offset], i) => {
    if (PRIVATE.test(name)) return;
    const end = fields[i + 1]?.[1] ?? layout.Tcb.size;
    assertEquals(bytes[0].slice(offset, end), bytes[1].slice(offset, end), name);
  });
}

Deno.test("property: header prediction does what the whole way does", async () => {
  let predicted = 0;
  const steps = fc.array(step, { minLength: 1, maxLength: 40 });
  const property = fc.asyncProperty(shake, steps, async (agreed, list) => {
    const runs = [true, false].map(async (plain) => new Run(await established(agreed), plain));
    const [fast, slow] = await Promise.all(runs);
    for (const one of list) {
      for (const run of [fast, slow]) run.do(one);
      assertEquals(fast.log, slow.log);
      if (fast.c.state() === 0) break;
      sameState(fast.c, slow.c);
    }
    assertEquals(slow.c.stat(Stat.TCP_PREDICTED), 0);
    predicted += fast.c.stat(Stat.TCP_PREDICTED);
    fast.c.end();
    slow.c.end();
  });
  await fc.assert(property, { numRuns: 150, seed: 1990 });
  assert(predicted > 300, `only ${predicted} segments were predicted`);
});

Deno.test("a bulk transfer takes header prediction in both directions", async () => {
  const c = await established({ sndbuf: 1 << 20, ts: true });
  c.write(pattern(100_000));
  for (let i = 0; i < 20; i++) {
    c.takeAll();
    c.send({});
  }
  const acks = c.stat(Stat.TCP_PREDICTED);
  assert(acks >= 5, `${acks} ACKs`);
  for (let i = 0; i < 20; i++) c.send({ data: pattern(1000) });
  assertEquals(c.stat(Stat.TCP_PREDICTED) - acks, 20);
  c.end();
});
