/** Settings of TCP that are times and counts of tries: that the engine does as they say. */

import { assert, assertEquals } from "@std/assert";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Conn, Errno, Host, pattern, type Shake } from "./harness.ts";
import { connecting, established } from "./shake.ts";

const MS = 1000;
const SECOND = 1_000_000;

/** An open connection with these settings. */
function opened(settings: Shake["settings"], shake: Shake = {}): Promise<Conn> {
  return established({ ...shake, settings });
}

/** When segments of this kind leave within `us` from now, in milliseconds. */
function times(c: Conn, us: number, flags = "A"): number[] {
  const begin = c.host.now;
  c.host.advance(us);
  const sent = c.takeAll().filter((s) => s.flags.replace("P", "") === flags);
  return sent.map(({ at }) => Math.round((at - begin) / MS));
}

Deno.test("rto_initial_us: SYN and SYN-ACK are sent again after it", async () => {
  const settings = { rto_initial_us: 300 * MS, syn_retries: 2, synack_retries: 3 };
  const c = await connecting({ settings });
  assertEquals(times(c, 10 * SECOND, "S"), [300, 900]);
  c.end();
  const host = await Host.boot();
  host.tune(settings);
  const listener = host.listen(80, 5);
  const half = new Conn(host, 80, 40000);
  half.send({ flags: "S", mss: 1460 });
  half.take();
  assertEquals(times(half, 100 * SECOND, "SA"), [300, 900, 2100]);
  host.end(listener);
});

Deno.test("synack_retries, rto_slop_us, rto_max_us: when a SYN-ACK comes again", async () => {
  const host = await Host.boot();
  host.tune({ synack_retries: 4, rto_slop_us: 200 * MS, rto_max_us: 5 * SECOND });
  const listener = host.listen(80, 5);
  const c = new Conn(host, 80, 40000);
  c.send({ flags: "S", mss: 1460 });
  c.take();
  assertEquals(times(c, 100 * SECOND, "SA"), [1000, 3200, 7400, 12_400]);
  host.end(listener);
});

Deno.test("rto_min_us, rto_max_us, rto_var_min_us: bounds of the timeout", async () => {
  const off = { early_retrans: 0 };
  const least = await opened({ ...off, rto_min_us: 700 * MS });
  least.write("x");
  least.take();
  assertEquals(times(least, 1 * SECOND), [700]);
  least.end();
  const most = await opened({ ...off, rto_max_us: 500 * MS });
  most.write("x");
  most.take();
  assertEquals(times(most, 1700 * MS), [200, 600, 1100, 1600]);
  most.end();
  const spread = await opened({ ...off, rto_var_min_us: 500 * MS }, { rtt_us: 100 * MS });
  spread.write("x");
  spread.take();
  assertEquals(times(spread, 1 * SECOND), [600]);
  spread.end();
});

Deno.test("data_retries: timeouts until a connection is given up", async () => {
  const c = await opened({ early_retrans: 0, data_retries: 3, rto_max_us: 300 * MS });
  c.write("x");
  c.take();
  assertEquals(times(c, 10 * SECOND).length, 3);
  assertEquals([c.state(), c.host.error(c.so)], [TcpState.CLOSED, Errno.ETIMEDOUT]);
  c.end();
});

Deno.test("min_rtt_window_s: how long the least round trip is believed", async () => {
  const c = await opened({ min_rtt_window_s: 10 }, { rtt_us: 20 * MS });
  const roundTrip = (us: number) => {
    c.write("x");
    const { seq } = c.expect({ len: 1 });
    c.host.advance(us);
    c.send({ ack: seq + 1 });
    return c.tcb("rtt_min_us");
  };
  assertEquals([roundTrip(30 * MS), roundTrip(25 * MS)], [20 * MS, 20 * MS]);
  c.host.advance(11 * SECOND);
  assertEquals(roundTrip(30 * MS), 30 * MS);
  c.end();
});

Deno.test("delack_us: an ACK waits so long, where there are no quick ACKs", async () => {
  const c = await opened({ delack_us: 123 * MS });
  c.send({ data: "x" });
  c.silent();
  assertEquals(c.expectWithin(SECOND, { flags: "A", ack: 2 }), 123 * MS);
  c.end();
  const none = await opened({ delack_us: 0 });
  none.send({ data: "x" });
  none.expect({ flags: "A", ack: 2 });
  none.end();
});

Deno.test("delack_min_us, delack_max_us: between these the delay adapts", async () => {
  for (const [delack_min_us, delack_max_us] of [[60 * MS, 200 * MS], [150 * MS, 150 * MS]]) {
    const c = await opened({ quickacks: 2, delack_min_us, delack_max_us, rto_min_us: 400 * MS });
    const waited: number[] = [];
    for (let i = 0; i < 12; i++) {
      c.send({ data: "x" });
      const begin = c.host.now;
      c.host.untilSent(SECOND);
      if (c.take()) waited.push(c.host.now - begin);
      c.host.advance(20 * MS);
    }
    const delayed = waited.filter((us) => us > 0);
    assert(delayed.length > 5, `${waited}`);
    assert(delayed.every((us) => us >= delack_min_us && us <= delack_max_us), `${delayed}`);
  }
});

Deno.test("keep_idle_ms, keep_intvl_ms, keep_cnt: probes until the peer is gone", async () => {
  const keep = { keep_idle_ms: 10_000, keep_intvl_ms: 2000, keep_cnt: 3 };
  const c = await opened({ ...keep, always_keepalive: 1 });
  assertEquals(times(c, 15_500 * MS), [10_000, 12_000, 14_000]);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.host.advance(SECOND);
  assertEquals([c.state(), c.host.error(c.so)], [TcpState.CLOSED, Errno.ETIMEDOUT]);
  c.end();
});

Deno.test("persist_min_us, persist_max_us: when a closed window is probed", async () => {
  const c = await opened({ persist_min_us: 700 * MS, persist_max_us: 2000 * MS }, { win: 0 });
  c.write(pattern(100));
  assertEquals(times(c, 8 * SECOND), [700, 2100, 4100, 6100]);
  c.end();
});

Deno.test("fin_wait_2_us: how long a closed socket waits for the peer's FIN", async () => {
  const c = await opened({ fin_wait_2_us: 5 * SECOND });
  const { host } = c;
  c.close();
  const { seq } = c.expect({ flags: "FA" });
  c.send({ ack: seq + 1 });
  const left = () => host.call("tcp_count", TcpState.FIN_WAIT_2);
  assertEquals(left(), 1);
  host.advance(4900 * MS);
  assertEquals(left(), 1);
  host.advance(200 * MS);
  assertEquals(left(), 0);
  c.end();
});

Deno.test("msl_us: TIME-WAIT lasts twice as long", async () => {
  const c = await opened({ msl_us: 3 * SECOND });
  const { host } = c;
  c.close();
  const { seq } = c.expect({ flags: "FA" });
  c.send({ flags: "FA", ack: seq + 1 });
  const left = () => host.call("tcp_count", TcpState.TIME_WAIT);
  assertEquals(left(), 1);
  host.advance(5900 * MS);
  assertEquals(left(), 1);
  host.advance(200 * MS);
  assertEquals(left(), 0);
  c.end();
});

Deno.test("challenge_per_s: challenge ACKs of the whole stack, give or take a half", async () => {
  for (const [challenge_per_s, least, most] of [[0, 0, 0], [20, 10, 30]]) {
    const c = await opened({ challenge_per_s });
    for (let i = 0; i < 100; i++) c.send({ flags: "R", seq: 500 + i });
    const acks = c.takeAll().length;
    assert(acks >= least && acks <= most, `${acks}`);
    assertEquals(c.stat(Stat.TCP_CHALLENGE_LIMITED), 100 - acks);
    c.end();
  }
});
