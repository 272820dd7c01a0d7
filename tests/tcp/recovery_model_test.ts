/**
 * A peer that says anything: whatever it acknowledges, reports and offers, in whatever order, the
 * records of what is in flight stay whole and are watched over. The harness checks invariants.ts
 * after every step.
 */

import { assert } from "@std/assert";
import fc from "fast-check";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, TcpOpt } from "../../assembly/abi/socket.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { type Conn, pattern } from "./harness.ts";
import { established } from "./shake.ts";

const MSS = 500;

/** One thing that happens. Fractions are of what is in flight, in thousandths. */
type Event =
  | { readonly do: "write"; readonly bytes: number; readonly ends: boolean }
  | { readonly do: "wait"; readonly us: number }
  | { readonly do: "close" }
  | {
    readonly do: "ack";
    readonly to: number;
    readonly whole: boolean;
    readonly win: number;
    readonly blocks: readonly (readonly [number, number])[];
    readonly dsack: boolean;
    readonly ece: boolean;
    readonly old: boolean;
  };

const thousandths = fc.integer({ min: 0, max: 1000 });
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      bytes: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 12_000 })),
      ends: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.boolean()),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      us: fc.oneof(
        fc.integer({ min: 0, max: 20_000 }),
        fc.integer({ min: 0, max: 400_000 }),
        fc.integer({ min: 0, max: 4_000_000 }),
      ),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant("ack" as const),
      to: fc.oneof(fc.constant(0), fc.constant(0), thousandths),
      whole: fc.boolean(),
      win: fc.oneof(
        { weight: 8, arbitrary: fc.constant(65535) },
        fc.constant(0),
        fc.integer({ min: 1, max: 3000 }),
      ),
      blocks: fc.array(fc.tuple(thousandths, thousandths), { maxLength: 3 }),
      dsack: fc.oneof(fc.constant(false), fc.constant(false), fc.boolean()),
      ece: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.boolean()),
      old: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.boolean()),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "close" as const }) },
);

/** A place in what is in flight, at the edge of a segment or anywhere. */
function place(una: number, nxt: number, part: number, whole: boolean): number {
  const at = Math.floor((nxt - una) * part / 1000);
  return una + (whole && part < 1000 ? at - at % MSS : at);
}

function acknowledge(c: Conn, e: Extract<Event, { do: "ack" }>): void {
  const una = (c.tcb("snd_una") - c.iss) >>> 0;
  const nxt = (c.tcb("snd_nxt") - c.iss) >>> 0;
  const ack = e.old && una > MSS ? una - MSS : place(una, nxt, e.to, e.whole);
  const sack: [number, number][] = [];
  if (e.dsack && ack > MSS) sack.push([ack - MSS, ack]);
  for (const [a, b] of e.blocks) {
    const [left, right] = [Math.min(a, b), Math.max(a, b)];
    const block = [place(una, nxt, left, e.whole), place(una, nxt, right, e.whole)] as const;
    if (block[0] > ack && block[1] > block[0]) sack.push([...block]);
  }
  const blocks = sack.length ? sack.slice(0, 3) : undefined;
  c.send({ ack, win: e.win, sack: blocks, flags: e.ece ? "AE" : "A" });
}

/** What the engine has taken: bytes, and where records end. */
interface Written {
  bytes: number;
  readonly ends: number[];
}

/** Takes what was sent: no segment holds parts of two records. */
function look(c: Conn, written: Written): void {
  for (const { seq, data } of c.takeAll()) {
    const cut = written.ends.find((end) => seq < 1 + end && 1 + end < seq + data.length);
    assert(cut === undefined, `a record ends at ${cut} within ${data.length} bytes at ${seq}`);
  }
}

function write(c: Conn, e: Extract<Event, { do: "write" }>, written: Written): void {
  const n = c.tryWrite(pattern(e.bytes), e.ends ? Msg.EOR : 0);
  if (n > 0) written.bytes += n;
  if (e.ends && n === e.bytes) written.ends.push(written.bytes);
}

function play(c: Conn, events: readonly Event[], written: Written): void {
  let closed = false;
  for (const e of events) {
    if (c.state() < TcpState.ESTABLISHED) return;
    if (e.do === "wait") c.host.advance(e.us);
    else if (e.do === "write" && !closed) write(c, e, written);
    else if (e.do === "close" && !closed) c.shutdown(1);
    else if (e.do === "ack") acknowledge(c, e);
    closed ||= e.do === "close";
    look(c, written);
  }
}

/** The peer becomes honest: all that was written must reach it. */
function settle(c: Conn, written: Written): void {
  for (let i = 0; i < 2000; i++) {
    if (c.state() < TcpState.ESTABLISHED) return; // given up while the peer was deaf
    const [una, nxt] = [(c.tcb("snd_una") - c.iss) >>> 0, (c.tcb("snd_nxt") - c.iss) >>> 0];
    if (una === nxt && una >= written.bytes + 1) return;
    c.send({ ack: nxt, win: 65535 });
    c.host.advance(100_000);
    look(c, written);
  }
  assert(false, "data is stuck");
}

const variants = fc.record({
  sackOk: fc.boolean(),
  ts: fc.boolean(),
  ecn: fc.boolean(),
  nodelay: fc.boolean(),
  recovery: fc.constantFrom(1, 1, 0),
  frto: fc.constantFrom(2, 2, 0),
  persist_probe: fc.constantFrom(0, 1),
  pacing: fc.constantFrom(0, 0, 1),
  mtu_probing: fc.constantFrom(0, 0, 1, 2),
});

Deno.test("RFC 6675, 8985: no peer can break the records of what is in flight", async () => {
  await fc.assert(
    fc.asyncProperty(
      variants,
      fc.array(event, { maxLength: 80, size: "max" }),
      async (v, events) => {
        const { sackOk, ts, ecn, nodelay, ...settings } = v;
        const options: [number, number, number][] = [[
          IpProto.TCP,
          TcpOpt.NODELAY,
          nodelay ? 1 : 0,
        ]];
        const c = await established({
          sackOk,
          ts,
          ecn,
          settings,
          options,
          mss: MSS + (ts ? 12 : 0),
          rtt_us: 50_000,
        });
        const written: Written = { bytes: 0, ends: [] };
        play(c, events, written);
        settle(c, written);
        c.end();
      },
    ),
    { numRuns: 150, seed: 8985 },
  );
});
