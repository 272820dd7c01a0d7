/** The path MTU found by probing: RFC 4821, RFC 8899. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { type Conn, pattern, type Shake } from "./harness.ts";
import { Pair } from "./pair.ts";
import { established } from "./shake.ts";

/** What every connection of these tests has. */
function searching(shake: Shake = {}): Promise<Conn> {
  return established({ sackOk: true, ...shake, host: { tcp: { mtu_probing: 2 }, ...shake.host } });
}

/** The MSS of a connection. */
function mss(c: Conn): number {
  return c.tcb("snd_mss") & 0xffff;
}

/** Lengths of the segments that have left. */
function lengths(c: Conn): number[] {
  return c.takeAll().map((s) => s.data.length);
}

/** A probe that has left, and the end of what left behind it. */
interface Probe {
  readonly seq: number;
  readonly length: number;
  readonly end: number;
}

/** Acknowledges all that has come, until a segment larger than the MSS leaves. */
function untilProbe(c: Conn): Probe {
  for (let i = 0; i < 100; i++) {
    const before = mss(c);
    const all = c.takeAll();
    const probe = all.find((s) => s.data.length > before);
    if (probe) {
      const end = Math.max(...all.map((s) => s.seq + s.data.length));
      return { seq: probe.seq, length: probe.data.length, end };
    }
    c.send({});
  }
  throw new Error("no probe");
}

Deno.test("RFC 4821 7.2: a search begins at the base MSS", async () => {
  const c = await searching();
  assertEquals(mss(c), 1024);
  c.write(pattern(3000));
  assertEquals(lengths(c), [1024, 1024]);
  c.end();
  const small = await searching({ mss: 600 });
  assertEquals(mss(small), 600);
  small.end();
  const stamped = await searching({ ts: true });
  assertEquals(mss(stamped), 1024);
  stamped.end();
});

Deno.test("RFC 4821 7.6.1: a probe that arrives raises the MSS", async () => {
  const c = await searching();
  c.write(pattern(60_000));
  const probe = untilProbe(c);
  assertEquals(probe.length, 1460, "the largest there can be is tried first");
  assertEquals(c.stat(Stat.TCP_MTU_PROBES), 1);
  assertEquals(mss(c), 1024, "not yet");
  c.send({});
  assertEquals(mss(c), 1460);
  assertEquals(c.stat(Stat.TCP_MTU_PROBE_SUCCESS), 1);
  assertEquals(lengths(c)[0], 1460);
  c.end();
});

Deno.test("RFC 4821 7.4: no probe without data behind it, or window for both", async () => {
  const c = await searching();
  for (let i = 0; i < 20; i++) {
    c.write(pattern(4000));
    c.takeAll();
    c.send({});
  }
  assertEquals(c.stat(Stat.TCP_MTU_PROBES), 0);
  c.end();
  const narrow = await searching({ win: 5000 });
  narrow.write(pattern(60_000));
  for (let i = 0; i < 10; i++) {
    narrow.takeAll();
    narrow.send({ win: 5000 });
  }
  assertEquals(narrow.stat(Stat.TCP_MTU_PROBES), 0);
  narrow.end();
});

/** Loses a probe: the peer reports what came after it. */
function lose(c: Conn, { seq, length, end }: Probe): void {
  c.host.advance(10_000);
  for (let at = seq + length + mss(c); at <= end; at += mss(c)) {
    c.send({ ack: seq, sack: [[seq + length, at]] });
  }
  c.host.advance(10_000);
}

Deno.test("RFC 4821 7.6.2: a lost probe is no congestion; its data goes again", async () => {
  const c = await searching();
  c.write(pattern(200_000));
  const probe = untilProbe(c);
  const before = c.tcb("cwnd");
  lose(c, probe);
  const again = c.takeAll().filter((s) => s.seq < probe.seq + probe.length);
  assertEquals(again.map((s) => [s.seq - probe.seq, s.data.length]), [[0, 1024], [1024, 436]]);
  assert(c.tcb("cwnd") >= before, `cwnd is ${c.tcb("cwnd")}, was ${before}`);
  assertEquals(mss(c), 1024);
  assertEquals(c.stat(Stat.TCP_FAST_REXMT), 0);
  c.end();
});

Deno.test("RFC 8899 5.1.2: three losses of a size make it too large", async () => {
  const c = await searching();
  const sizes: number[] = [];
  for (let i = 0; i < 4; i++) {
    c.tryWrite(pattern(100_000));
    const probe = untilProbe(c);
    sizes.push(probe.length);
    if (i === 3) break;
    lose(c, probe);
    c.send({});
  }
  assertEquals(sizes, [1460, 1460, 1460, 1242]);
  c.end();
});

Deno.test("RFC 1191, 8899: messages of routers bound the search", async () => {
  const c = await searching({ host: { tcp: { mtu_probing: 2 }, mtu: 1300 } });
  c.write(pattern(60_000));
  assertEquals(untilProbe(c).length, 1260, "the interface's MTU");
  c.end();
});

Deno.test("RFC 4821 7.7: timeouts of large segments make them ever smaller", async () => {
  const c = await established({ host: { tcp: { mtu_probing: 1 } } });
  assertEquals(mss(c), 1460);
  c.write(pattern(10_000));
  c.takeAll();
  const sizes: number[] = [];
  for (let i = 0; i < 8; i++) {
    c.host.untilSent(100_000_000);
    sizes.push(c.takeAll()[0].data.length);
  }
  assertEquals(sizes, [1460, 1460, 1460, 1024, 512, 256, 128, 64]);
  assertEquals(c.stat(Stat.TCP_MTU_BLACK_HOLES), 1);
  c.end();
});

Deno.test("small segments that time out are no black hole", async () => {
  const c = await established({ host: { tcp: { mtu_probing: 1, mtu_probe_floor: 200 } } });
  c.write(pattern(100));
  c.host.advance(20_000_000);
  assertEquals(c.tcb("snd_mss") & 0xffff, 1460);
  c.end();
  const off = await established();
  off.write(pattern(10_000));
  off.host.advance(20_000_000);
  assertEquals(mss(off), 1460);
  off.end();
});

Deno.test("TCP_MTU_PROBE begins a search above what has got through, and ends it", async () => {
  const c = await established({ sackOk: true });
  c.write(pattern(1200));
  c.takeAll();
  c.send({});
  c.host.setopt(c.so, IpProto.TCP, TcpOpt.MTU_PROBE, 1);
  assertEquals(mss(c), 1200);
  c.host.setopt(c.so, IpProto.TCP, TcpOpt.MTU_PROBE, 0);
  assertEquals(mss(c), 1460);
  c.end();
});

Deno.test("RFC 8899 5.1.1: after a rest a search begins anew", async () => {
  const c = await searching({ host: { tcp: { mtu_probing: 2, probe_interval_s: 60 }, mtu: 1400 } });
  c.write(pattern(60_000));
  untilProbe(c);
  for (let i = 0; i < 50; i++) {
    c.send({});
    c.takeAll();
  }
  assertEquals(mss(c), 1360);
  c.host.setMtu(1500);
  c.write(pattern(60_000));
  for (let i = 0; i < 50; i++) {
    c.send({});
    c.takeAll();
  }
  assertEquals(mss(c), 1360, "it rests");
  c.host.advance(61_000_000);
  c.write(pattern(60_000));
  assertEquals(untilProbe(c).length, 1460);
  c.end();
});

/** Sends over a path that swallows packets above `mtu`; the sizes of data packets it let pass. */
async function overPath(mtu: number, probing: number, bytes: number, loss = 0): Promise<number[]> {
  const passed: number[] = [];
  const drop = (_n: number, packet: Uint8Array, toB: boolean) => {
    if (toB && packet.length <= mtu && packet.length > 100) passed.push(packet.length);
    return packet.length > mtu;
  };
  const link = { delay_us: 10_000, seed: 5, loss, drop };
  const pair = await Pair.join(link, { checks: false, tcp: { mtu_probing: probing } });
  pair.transfer({ bytes }, { bytes: 0 });
  pair.end();
  return passed;
}

Deno.test("property: a path that swallows large packets is found", async () => {
  const path = fc.record({
    mtu: fc.integer({ min: 300, max: 1500 }),
    probing: fc.constantFrom(1, 2),
  });
  const property = fc.asyncProperty(path, async ({ mtu, probing }) => {
    const passed = await overPath(mtu, probing, 1_000_000);
    // a search that is not quite over leaves pieces of lost probes among the full segments
    const late = passed.slice(-101, -1).sort((a, b) => a - b);
    assert(late[20] >= mtu - 16, `${late[20]} on a path of ${mtu}`);
  });
  await fc.assert(property, { numRuns: 10, seed: 4821 });
});

Deno.test("a lossy path that swallows large packets is crossed all the same", async () => {
  for (const mtu of [600, 1100, 1400]) await overPath(mtu, 2, 300_000, 0.02);
});
