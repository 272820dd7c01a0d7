/** Times, sequence numbers, timestamps, bursts and comparison. */

import { assertEquals, assertThrows } from "@std/assert";
import { Burst } from "../../packetdrill/aggregate.ts";
import type { Packet, TcpBody } from "../../packetdrill/ast.ts";
import { allowance, dueAt, mustBeOnTime, offBy } from "../../packetdrill/clock.ts";
import { differences, payloadFault } from "../../packetdrill/compare.ts";
import { Connection } from "../../packetdrill/connection.ts";
import { Mismatch, ScriptError } from "../../packetdrill/errors.ts";
import { ACK, CWR, FIN, PSH, SYN } from "../../packetdrill/flags.ts";
import { patternBytes } from "../../packetdrill/pattern.ts";
import { decode, encodeTcp, type Segment } from "../../packetdrill/wire.ts";

const FLOW = { src: "192.168.0.1", dst: "192.0.2.1", sport: 8080, dport: 40_000 };

function body(fields: Partial<TcpBody>): TcpBody {
  return { kind: "tcp", flags: ACK, seq: 1, length: 0, urg: 0, options: [], ...fields };
}

function segment(fields: Partial<Segment>): Segment {
  const plain = { flags: ACK, seq: 1, ack: 1, win: 100, urg: 0, options: [] };
  return { ...plain, data: new Uint8Array(0), ...fields };
}

/** What differs between a line and a segment, both in script numbers. */
function compare(line: Partial<TcpBody>, live: Partial<Segment>, lenient = false): string[] {
  const packet: Packet = {
    kind: "packet",
    outbound: true,
    ip: {},
    body: body({ ack: 1, ...line }),
  };
  const bytes = encodeTcp(FLOW, segment(live));
  const sent = decode(bytes)!;
  const exact = { echoes: new Set([2, 3]), tsTick_us: 0, tsTolerance_us: 0 };
  return differences(packet, sent, sent.tcp, { lenient, ...exact });
}

Deno.test("times: frames and windows", () => {
  const due = (kind: "abs" | "rel" | "any", at_us: number, until_us?: number) =>
    dueAt({ kind, at_us, ...(until_us === undefined ? {} : { until_us }) }, 1000);
  assertEquals(due("abs", 500), { from_us: 500, to_us: 500, bound: true });
  assertEquals(due("rel", 500), { from_us: 1500, to_us: 1500, bound: true });
  assertEquals(due("rel", 500, 700), { from_us: 1500, to_us: 1700, bound: true });
  assertEquals(due("any", 0).bound, false);
  assertEquals([1499, 1500, 1700, 1710].map((t) => offBy(due("rel", 500, 700), t)), [1, 0, 0, 10]);
  assertEquals(offBy(due("any", 0), 1e9), 0);
});

Deno.test("times: the tolerance is the larger of both", () => {
  const tolerance = { us: 4000, percent: 12.5 };
  assertEquals(allowance(tolerance, 10_000), 4000);
  assertEquals(allowance(tolerance, 1_000_000), 125_000);
  const due = dueAt({ kind: "abs", at_us: 1_000_000 }, 0);
  const lines = { expected: "", got: "" };
  mustBeOnTime("it", due, 1_125_000, 125_000, lines);
  mustBeOnTime("it", due, 875_000, 125_000, lines);
  assertThrows(() => mustBeOnTime("it", due, 1_125_001, 125_000, lines), Mismatch);
  assertThrows(() => mustBeOnTime("it", due, 874_999, 125_000, lines), Mismatch);
});

/** A connection whose stack began at 5000, and whose remote at 7. */
function passive(): Connection {
  const c = new Connection("tcp", 8080, 40_000);
  c.toWire(body({ flags: SYN, seq: 7, win: 1 }));
  const synAck = body({ flags: SYN | ACK, seq: 0, ack: 8 });
  c.learn(synAck, segment({ flags: SYN | ACK, seq: 5000, ack: 8 }));
  return c;
}

Deno.test("numbers: relative without SYN, absolute with", () => {
  const c = passive();
  const data = c.toWire(body({ seq: 1, length: 10, ack: 3 }));
  assertEquals([data.seq, data.ack], [8, 5003]);
  const syn = c.toWire(body({ flags: SYN | ACK, seq: 50, ack: 1 }));
  assertEquals([syn.seq, syn.ack], [50, 5001]);
  const plain = c.toScript(segment({ seq: 5001, ack: 18 }));
  assertEquals([plain.seq, plain.ack], [1, 11]);
  const synAck = c.toScript(segment({ flags: SYN | ACK, seq: 5000, ack: 8 }));
  assertEquals([synAck.seq, synAck.ack], [0, 8]);
  assertEquals(c.toScript(segment({ flags: PSH, seq: 5001, ack: 0 })).ack, 0);
});

Deno.test("numbers: modulo 2^32, SACK edges too", () => {
  const c = new Connection("tcp", 1, 2);
  c.learn(body({ flags: SYN, seq: 0 }), segment({ flags: SYN, seq: 0xffffffff, ack: 0 }));
  const options = [{ kind: "sack", blocks: [[1, 1001]] }] as const;
  const sack = c.toWire(body({ seq: 0, ack: 1, options }));
  assertEquals(sack.ack, 0);
  assertEquals(sack.options, [{ kind: "sack", blocks: [[0, 1000]] }]);
  assertEquals(c.toScript(segment({ seq: 9 })).seq, 10);
  const back = passive().toScript(segment({ options: [{ kind: "sack", blocks: [[17, 27]] }] }));
  assertEquals(back.options, [{ kind: "sack", blocks: [[10, 20]] }]);
});

Deno.test("numbers: before anything is known they are what they are", () => {
  const c = new Connection("tcp", 1, 2);
  const stray = c.toWire(body({ seq: 100, ack: 500 }));
  assertEquals([stray.seq, stray.ack], [100, 500]);
  assertEquals(c.toScript(segment({ seq: 500, ack: 0, flags: 4 })).seq, 500);
});

Deno.test("timestamps: echoes are those that were sent", () => {
  const c = passive();
  const ts = (val: number, ecr: number) => [{ kind: "TS", val, ecr }] as const;
  c.learn(body({ options: ts(100, 1) }), segment({ options: ts(90_100, 1) }));
  c.learn(body({ options: ts(250, 1) }), segment({ options: ts(90_240, 1) }));
  assertEquals(c.toWire(body({ options: ts(5, 250) })).options, ts(5, 90_240));
  assertEquals(c.toScript(segment({ options: ts(90_300, 9) })).options, ts(300, 9));
  assertThrows(() => c.toWire(body({ options: ts(5, 260) })), ScriptError);
  const scaled = c.toWire(body({ options: ts(5, 260) }), { ecrScaled: true });
  assertEquals(scaled.options, ts(5, 90_260));
  assertEquals(c.toWire(body({ flags: SYN, options: ts(5, 77) })).options, ts(5, 77));
});

Deno.test("bursts: sequence number of the first segment, all else of the last", () => {
  const piece = (at: number, length: number, flags = ACK, rest: Partial<Segment> = {}) =>
    segment({ seq: 1 + at, flags, data: patternBytes(at, length), ...rest });
  const burst = new Burst(piece(0, 1000, ACK | CWR));
  assertEquals(burst.wants(2500), true);
  assertEquals(burst.add(piece(1000, 1000)), undefined);
  assertEquals(burst.add(piece(2000, 500, ACK | PSH | FIN)), undefined);
  assertEquals(burst.wants(2500), false);
  const { seq, flags, data } = burst.segment;
  assertEquals([seq, flags, data.length], [1, ACK | PSH | FIN | CWR, 2500]);
  assertEquals(payloadFault(burst.segment, 0), undefined);
  assertEquals(burst.add(piece(2500, 500)), "a segment of another size inside a burst");
  const longer = new Burst(piece(0, 1000));
  assertEquals(longer.add(piece(1000, 1001)), undefined); // the last one may be
  assertEquals(longer.add(piece(2001, 1000)) !== undefined, true);
  const refuses = (next: Segment) => new Burst(piece(0, 1000)).add(next) !== undefined;
  assertEquals(refuses(piece(1001, 1000)), true);
  assertEquals(refuses(piece(1000, 0)), true);
  assertEquals(refuses(piece(1000, 1000, ACK | 0x20)), true);
  assertEquals(refuses(piece(1000, 1000, ACK, { ack: 2 })), true);
  assertEquals(refuses(piece(1000, 1000, ACK, { win: 99 })), true);
  assertEquals(refuses(piece(1000, 1000, ACK, { options: [{ kind: "nop" }] })), true);
});

Deno.test("comparison: every field that the script writes", () => {
  assertEquals(compare({}, {}), []);
  assertEquals(compare({ flags: ACK | PSH }, {}).length, 1);
  assertEquals(compare({ seq: 2 }, {}).length, 1);
  assertEquals(compare({ length: 1 }, {}).length, 1);
  assertEquals(compare({ ack: 2 }, {}).length, 1);
  assertEquals(compare({ win: 101 }, {}), ["window"]);
  assertEquals(compare({ win: 100 }, {}), []);
  assertEquals(compare({ urg: 1 }, {}), ["urgent pointer"]);
  assertEquals(compare({ flags: PSH }, { flags: PSH, ack: 5 }).length, 1);
});

Deno.test("comparison: options in order, with what fills them up", () => {
  const nop = { kind: "nop" } as const;
  const mss = { kind: "mss", value: 1460 } as const;
  const ts = { kind: "TS", val: 1, ecr: 2 } as const;
  const nops = [nop, nop, nop, nop];
  assertEquals(compare({ options: [mss] }, { options: [mss, ...nops] }).length, 1);
  assertEquals(compare({ options: [...nops, mss] }, { options: [mss, ...nops] }).length, 1);
  assertEquals(compare({ options: [mss, ...nops] }, { options: [mss, ...nops] }), []);
  assertEquals(compare({ options: "any" }, { options: [mss] }), []);
  assertEquals(compare({}, { options: [mss] }).length, 1);
  const stamps = [nop, nop, { ...ts, val: 9 }];
  assertEquals(compare({ options: [nop, nop, ts] }, { options: stamps }), []);
  const echo = [nop, nop, { ...ts, ecr: 3 }];
  assertEquals(compare({ options: [nop, nop, ts] }, { options: echo }), ["TS ecr 3"]);
  // what the remote never sent cannot be echoed: then any that it did send is right
  const never = [nop, nop, { ...ts, ecr: 9 }];
  assertEquals(compare({ options: never }, { options: echo }), []);
  assertEquals(compare({ options: never }, { options: [nop, nop, { ...ts, ecr: 8 }] }), [
    "TS ecr 8",
  ]);
});

Deno.test("comparison: lenient reading forgives windows, and lists with mss or TS", () => {
  const mss = { kind: "mss", value: 1460 } as const;
  const sack = { kind: "sack", blocks: [[1, 2]] } as const;
  const nop = { kind: "nop" } as const;
  assertEquals(compare({ win: 7, options: [mss] }, {}, true), []);
  assertEquals(compare({ options: [nop, nop, sack] }, {}, true).length, 1);
  assertEquals(compare({ ack: 2 }, {}, true).length, 1);
});

Deno.test("comparison: checksums and payload", () => {
  const bytes = encodeTcp(FLOW, segment({ data: patternBytes(0, 10) }));
  bytes[45]++;
  assertEquals(decode(bytes)!.faults, ["transport checksum"]);
  bytes[8]++;
  assertEquals(decode(bytes)!.faults.includes("IP header checksum"), true);
  assertEquals(payloadFault(segment({ data: patternBytes(0, 10) }), 0), undefined);
  assertEquals(payloadFault(segment({ data: patternBytes(1, 10) }), 0) === undefined, false);
});
