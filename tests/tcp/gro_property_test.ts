/**
 * Whether segments are put together or not, everything is the same: what is delivered, what is
 * sent and when, what becomes of each frame, every counter, and every number of the connection.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Stat } from "../../assembly/abi/stat.ts";
import * as layout from "../../runtime/wasm/layout.gen.ts";
import { type Conn, pattern, type Say, type Shake } from "./harness.ts";
import { show } from "./segment.ts";
import { established } from "./shake.ts";

/** What happens to a segment on its way. */
type Luck = "fine" | "lost" | "twice" | "late" | "spoiled" | "pushed" | "marked" | "short";

type Step =
  | { readonly kind: "batch"; readonly lucks: readonly Luck[]; readonly ack: number; at: number }
  | { readonly kind: "back"; readonly to: number }
  | { readonly kind: "ack"; readonly part: number; readonly win: number }
  | { readonly kind: "write"; readonly size: number }
  | { readonly kind: "read"; readonly size: number }
  | { readonly kind: "wait"; readonly us: number };

const luck: fc.Arbitrary<Luck> = fc.oneof(
  { weight: 30, arbitrary: fc.constant("fine" as const) },
  fc.constantFrom("lost", "twice", "late", "spoiled", "pushed", "marked", "short"),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("batch" as const),
      lucks: fc.array(luck, { minLength: 1, maxLength: 20 }),
      ack: fc.nat(100),
      at: fc.nat(10_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("back" as const), to: fc.nat(100) }) },
  fc.record({
    kind: fc.constant("ack" as const),
    part: fc.nat(100),
    win: fc.constantFrom(65535, 65535, 3000),
  }),
  fc.record({ kind: fc.constant("write" as const), size: fc.integer({ min: 1, max: 9000 }) }),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("read" as const),
      size: fc.constantFrom(1, 3000, 65_536, 65_536),
    }),
  },
  fc.record({
    kind: fc.constant("wait" as const),
    us: fc.constantFrom(0, 1000, 39_000, 40_000, 250_000),
  }),
);

const shake: fc.Arbitrary<Shake> = fc.record({
  ts: fc.boolean(),
  sackOk: fc.boolean(),
  ecn: fc.boolean(),
  wscale: fc.constantFrom(undefined, 7),
  rcvbuf: fc.constantFrom(undefined, 1 << 20, 20_000),
  host: fc.record({
    tcp: fc.record({ quickacks: fc.constantFrom(0, 16), moderate_rcvbuf: fc.constantFrom(0, 1) }),
  }),
});

/** One of the two that are compared. */
class Run {
  readonly log: string[] = [];
  #next = 1;
  #acked = 1;
  #highest = 1;
  #written = 0;

  constructor(readonly c: Conn, readonly size: number) {}

  #say(size: number, more: Say = {}): Uint8Array {
    const say = { seq: this.#next, ack: this.#acked, data: pattern(size, this.#next), ...more };
    this.#next += size;
    return this.c.packet(say);
  }

  #batch(lucks: readonly Luck[], at: number): void {
    const packets: Uint8Array[] = [];
    for (const luck of lucks) {
      const more: Say = luck === "pushed" ? { flags: "PA" } : luck === "marked" ? { tos: 3 } : {};
      const packet = this.#say(luck === "short" ? 1 + at % this.size : this.size, more);
      if (luck === "lost") continue;
      if (luck === "spoiled") packet[at % packet.length] ^= 1 << (at % 8);
      packets.push(packet);
      if (luck === "twice") packets.push(packet);
      if (luck === "late") packets.splice(at % packets.length, 0, packets.pop()!);
    }
    if (packets.length > 0) this.c.host.input(...packets);
  }

  #record(): void {
    for (const s of this.c.takeAll()) {
      this.#highest = Math.max(this.#highest, s.seq + s.data.length);
      this.log.push(`${s.at} ${show(s)} tos ${s.tos}`);
    }
  }

  #ack(part: number): void {
    this.#acked += Math.floor((this.#highest - this.#acked) * part / 100);
  }

  do(step: Step): void {
    const { c } = this;
    if (step.kind === "batch") {
      this.#ack(step.ack);
      this.#batch(step.lucks, step.at);
    } else if (step.kind === "back") {
      const taken = (c.tcb("rcv_nxt") - c.isn) >>> 0; // what a sender would send again
      this.#next = taken + Math.floor(Math.max(0, this.#next - taken) * step.to / 100);
    } else if (step.kind === "ack") {
      this.#ack(step.part);
      c.send({ seq: this.#next, ack: this.#acked, win: step.win });
    } else if (step.kind === "write") {
      this.#written += Math.max(c.tryWrite(pattern(step.size, this.#written)), 0);
    } else if (step.kind === "read") {
      const { n, data } = c.tryRead(step.size);
      this.log.push(`read ${n} ${data.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 0)}`);
    } else {
      c.host.advance(step.us);
    }
    this.#record();
  }
}

/** Fields that need not agree: addresses, and what is armed and forgotten. */
const PRIVATE = /^(timer_|inp|segq$|sent_|lost_hint|rack_first|rack_last|out_|blk_|pad|rcv_up)/;
/** Counters that tell the two apart. */
const TELLING: readonly number[] = [Stat.TCP_MERGED, Stat.TCP_PARTED];

function same(a: Conn, b: Conn): void {
  for (let i = 0; i < Stat.COUNT; i++) {
    if (!TELLING.includes(i)) assertEquals(a.stat(i), b.stat(i), `counter ${i}`);
  }
  for (let f = 0; f < 256; f++) {
    assertEquals(a.host.inspect.fate(f), b.host.inspect.fate(f), `fate ${f}`);
  }
  const bytes = [a, b].map((c) => {
    const tp = c.host.call("tcb_of", c.so) >>> 0;
    return c.host.engine.memory.slice(tp, tp + layout.Tcb.size);
  });
  const fields = Object.entries(layout.Tcb).filter(([name]) => name !== "size");
  fields.forEach(([name, offset], i) => {
    if (PRIVATE.test(name)) return;
    const end = fields[i + 1]?.[1] ?? layout.Tcb.size;
    assertEquals(bytes[0].slice(offset, end), bytes[1].slice(offset, end), name);
  });
}

Deno.test("property: segments put together do what they do one by one", async () => {
  let [merged, parted] = [0, 0];
  const steps = fc.array(step, { minLength: 1, maxLength: 30 });
  const size = fc.constantFrom(1400, 1000, 536, 200);
  const property = fc.asyncProperty(shake, size, steps, async (agreed, size, list) => {
    const runs = [1, 0].map(async (gro) => {
      const c = await established(agreed);
      c.host.tuneNet({ gro });
      return new Run(c, size);
    });
    const [on, off] = await Promise.all(runs);
    for (const one of list) {
      for (const run of [on, off]) run.do(one);
      assertEquals(on.log, off.log);
      if (on.c.state() === 0) break;
      same(on.c, off.c);
    }
    assertEquals(off.c.stat(Stat.TCP_MERGED), 0);
    merged += on.c.stat(Stat.TCP_MERGED);
    parted += on.c.stat(Stat.TCP_PARTED);
    on.c.end();
    off.c.end();
  });
  await fc.assert(property, { numRuns: 200, seed: 7323 });
  assert(merged > 2000, `only ${merged} segments were put behind others`);
  assert(parted > 100, `only ${parted} packets were taken apart`);
});
