/**
 * A peer that says anything: whatever it acknowledges, reports and offers, in whatever order, the
 * records of what is in flight stay whole and are watched over. The harness checks invariants.ts
 * after every step.
 */

import { assert } from "@std/assert";
import fc from "fast-check";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { type Conn, pattern } from "./harness.ts";
import { established } from "./shake.ts";

const MSS = 500;

/** One thing that happens. Fractions are of what is in flight, in thousandths. */
type Event =
  | { readonly do: "write"; readonly bytes: number }
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

/** Answers how many bytes the engine has taken. */
function play(c: Conn, events: readonly Event[]): number {
  let closed = false;
  let written = 0;
  for (const e of events) {
    if (c.state() < TcpState.ESTABLISHED) return written;
    if (e.do === "wait") c.host.advance(e.us);
    else if (e.do === "write" && !closed) written += Math.max(c.tryWrite(pattern(e.bytes)), 0);
    else if (e.do === "close" && !closed) c.shutdown(1);
    else if (e.do === "ack") acknowledge(c, e);
    closed ||= e.do === "close";
    c.takeAll();
  }
  return written;
}

/** The peer becomes honest: all that was written must reach it. */
function settle(c: Conn, written: number): void {
  for (let i = 0; i < 2000; i++) {
    if (c.state() < TcpState.ESTABLISHED) return; // given up while the peer was deaf
    const [una, nxt] = [(c.tcb("snd_una") - c.iss) >>> 0, (c.tcb("snd_nxt") - c.iss) >>> 0];
    if (una === nxt && una >= written + 1) return;
    c.send({ ack: nxt, win: 65535 });
    c.host.advance(100_000);
    c.takeAll();
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
        settle(c, play(c, events));
        c.end();
      },
    ),
    { numRuns: 150, seed: 8985 },
  );
});
