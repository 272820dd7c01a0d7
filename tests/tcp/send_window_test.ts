/** The peer's window: RFC 9293 3.8.6.1 and 3.8.6.2.1, RFC 1122 4.2.3.4, zero-window probes. */

import { assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { type Conn, Errno, Host, pattern } from "./harness.ts";
import { established } from "./shake.ts";

const SECOND = 1_000_000;
const NODELAY: [number, number, number] = [IpProto.TCP, TcpOpt.NODELAY, 1];

Deno.test("RFC 9293 3.8.6: no more is sent than the window takes", async () => {
  const c = await established({ win: 4000 });
  c.write(pattern(10_000));
  c.expect({ seq: 1, len: 1460 });
  c.expect({ seq: 1461, len: 1460 });
  c.silent();
  c.send({ ack: 2921, win: 2920 });
  c.expect({ seq: 2921, len: 1460 });
  c.expect({ seq: 4381, len: 1460 });
  c.silent();
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: an older segment does not change the window", async () => {
  const c = await established({ win: 10_000 });
  c.send({ seq: 5, data: "later", win: 2000 });
  assertEquals(c.tcb("snd_wnd"), 2000);
  c.send({ seq: 1, data: "sent", win: 9000 });
  assertEquals(c.tcb("snd_wnd"), 2000);
  c.send({ seq: 10, ack: 1, win: 7000 });
  assertEquals(c.tcb("snd_wnd"), 7000);
  c.write(pattern(1000));
  c.send({ seq: 10, ack: 501, win: 6000 });
  c.send({ seq: 10, ack: 1, win: 50 });
  assertEquals(c.tcb("snd_wnd"), 6000);
  c.end();
});

/** The intervals between the probes of a closed window, seconds. */
function probes(c: Conn, count: number, answer: boolean): number[] {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    times.push(c.expectWithin(200 * SECOND, { flags: "A", seq: 1, len: 1, ack: 1 }) / SECOND);
    c.silent();
    if (answer) c.send({ ack: 1, win: 0 });
  }
  return times;
}

Deno.test("RFC 9293 3.8.6.1 (SHLD-30): probes of one byte, less and less often", async () => {
  const c = await established({ win: 0 });
  c.write(pattern(3000));
  assertEquals(probes(c, 10, true), [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
  assertEquals(c.stat(Stat.TCP_PERSIST), 10);
  assertEquals(c.stat(Stat.TCP_RTO), 0);
  c.end();
});

Deno.test("RFC 9293 3.8.6.1 (MUST-37): a peer that answers probes is never given up", async () => {
  const c = await established({ win: 0 });
  c.write(pattern(3000));
  probes(c, 60, true);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.send({ ack: 1, win: 5000 });
  c.expect({ seq: 1, len: 1460 });
  c.end();
});

Deno.test("RFC 9293 3.8.3: a peer that answers no probe is given up", async () => {
  const c = await established({ win: 0 });
  c.write("abc");
  probes(c, 12, false);
  c.expectWithin(200 * SECOND, { flags: "RA", seq: 1 });
  assertEquals(c.state(), TcpState.CLOSED);
  assertEquals(c.host.error(c.so), Errno.ETIMEDOUT);
  c.end();
});

Deno.test("RFC 9293 3.8.3: the limit of probes may lie beyond the last doubling", async () => {
  const c = await established({ win: 0, host: { tcp: { data_retries: 15 } } });
  c.write("abc");
  probes(c, 15, false);
  c.expectWithin(200 * SECOND, { flags: "RA", seq: 1 });
  assertEquals(c.state(), TcpState.CLOSED);
  c.end();
});

Deno.test("RFC 9293 3.8.6.1: the update opens the window at once", async () => {
  const c = await established({ win: 0 });
  c.write(pattern(5000));
  probes(c, 2, true);
  c.host.advance(100_000);
  c.send({ ack: 1, win: 8000 });
  for (const seq of [1, 1461, 2921]) c.expect({ seq, len: 1460 });
  c.silent(); // the rest is small and waits (Nagle)
  c.send({ ack: 4381, win: 8000 });
  c.expect({ seq: 4381, len: 620 });
  c.send({ ack: 5001, win: 8000 });
  c.silentFor(100 * SECOND);
  c.end();
});

Deno.test("RFC 9293 3.8.6.1: a lost update is replaced by the answer to a probe", async () => {
  const c = await established({ win: 0 });
  c.write("abcdef");
  probes(c, 1, false);
  c.send({ ack: 2, win: 5000 }); // the probe's byte was taken
  c.expect({ seq: 2, data: "bcdef" });
  c.send({ ack: 7 });
  c.silentFor(100 * SECOND);
  c.end();
});

Deno.test("RFC 9293 3.8.6.1: probes may be taken byte by byte", async () => {
  const c = await established({ win: 0 });
  c.write("abc");
  for (let i = 1; i <= 3; i++) {
    c.expectWithin(100 * SECOND, { seq: i, data: "abc"[i - 1] });
    c.send({ ack: i + 1, win: 0 });
  }
  c.silentFor(300 * SECOND);
  assertEquals(c.tcb("snd_una"), c.tcb("snd_nxt"));
  c.end();
});

// MUST-34, MUST-35
Deno.test("RFC 9293 3.8.6: a window that shrinks under data in flight", async () => {
  const c = await established({ win: 5000 });
  c.write(pattern(4380));
  assertEquals(c.takeAll().length, 3);
  c.send({ ack: 1, win: 0 });
  // nothing but the first old data may be sent into the closed window, and nothing gives up
  for (let i = 0; i < 40; i++) {
    c.host.untilSent(100 * SECOND);
    const s = c.expect({ seq: 1, flags: "A" });
    assertEquals(s.data.length <= 1460, true, `${s.data.length} bytes into a closed window`);
    c.send({ ack: 1, win: 0 });
  }
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.send({ ack: 1, win: 5000 });
  c.host.advance(SECOND);
  c.expect({ seq: 1, len: 1460 });
  c.end();
});

// SHLD-16
Deno.test("RFC 9293 3.8.6: what was in flight when the window closed may arrive", async () => {
  const c = await established({ win: 5000 });
  c.write(pattern(4380));
  c.takeAll();
  c.send({ ack: 1461, win: 0 });
  c.send({ ack: 4381, win: 0 });
  c.silentFor(100 * SECOND);
  c.write("x");
  c.expectWithin(10 * SECOND, { seq: 4381, data: "x" });
  c.end();
});

Deno.test("RFC 1122 4.2.3.4 (MUST-38): a sliver of window is used only after a while", async () => {
  const c = await established({ win: 4000 });
  c.write(pattern(4000));
  assertEquals(c.takeAll().length, 2);
  c.send({ ack: 2921, win: 100 });
  c.silent();
  assertEquals(c.expectWithin(10 * SECOND, { seq: 2921, len: 100 }), 500_000);
  c.send({ ack: 3021, win: 4000 });
  c.expect({ seq: 3021, len: 980 });
  c.end();
});

Deno.test("RFC 1122 4.2.3.4: half of the largest window is worth a segment", async () => {
  const c = await established({ win: 1000 });
  c.write(pattern(3000));
  c.expect({ seq: 1, len: 1000 });
  c.send({ ack: 1001, win: 499 });
  c.silent();
  c.send({ ack: 1001, win: 500 });
  c.expect({ seq: 1001, len: 500 });
  c.end();
});

Deno.test("RFC 9293 3.8.6: FIN may be sent into a closed window", async () => {
  const c = await established({ win: 3 });
  c.write("abc");
  c.expect({ data: "abc" });
  c.send({ ack: 4, win: 0 });
  c.shutdown(1);
  c.expect({ flags: "FA", seq: 4, len: 0 });
  c.send({ ack: 5, win: 0 });
  assertEquals(c.state(), TcpState.FIN_WAIT_2);
  c.end();
});

Deno.test("the user is told when room comes: SO_SNDLOWAT, EWOULDBLOCK", async () => {
  const c = await established({ win: 1000, sndbuf: 5000 });
  assertEquals(c.tryWrite(pattern(6000)), 5000);
  assertEquals(c.tryWrite("x"), -Errno.EAGAIN);
  c.expect({ seq: 1, len: 1000 });
  c.send({ ack: 1001, win: 3000 });
  assertEquals(c.tryWrite(pattern(6000)), -Errno.EAGAIN, "less room than SO_SNDLOWAT");
  assertEquals(c.tryWrite(pattern(800)), 800);
  c.expect({ seq: 1001, len: 1460 });
  c.expect({ seq: 2461, len: 1460 });
  c.send({ ack: 3921, win: 0 });
  assertEquals(c.tryWrite(pattern(6000)), 3120);
  c.end();
});

Deno.test("RFC 1122 4.2.3.4: a window that stays small is filled in the end", async () => {
  for (const persist_probe of [0, 1]) {
    const host = await Host.boot();
    host.tune({ persist_probe });
    const c = await established({ win: 4000 }, host);
    c.write(pattern(1000));
    c.expect({ seq: 1, len: 1000 });
    c.send({ ack: 1001, win: 700 });
    c.write(pattern(3000, 1000));
    c.silent(); // less than a segment, and than half of the largest window
    c.expectWithin(SECOND, { seq: 1001, len: 700 });
    c.send({ ack: 1701, win: 700 });
    c.expectWithin(2 * SECOND, { seq: 1701, len: 700 });
    c.send({ ack: 2401, win: 4000 });
    c.expect({ seq: 2401, len: 1460 });
    c.takeAll();
    c.end();
  }
});

Deno.test("RFC 1122 4.2.3.4: what fills a small window is watched over like all data", async () => {
  const c = await established({ win: 100, options: [NODELAY] });
  c.send({ ack: 1, win: 10_000 });
  c.send({ ack: 1, win: 100 });
  c.write(pattern(1000));
  c.silent();
  c.expectWithin(2 * SECOND, { seq: 1, len: 100 }); // the override timeout
  assertEquals(c.stat(Stat.TCP_PERSIST), 1);
  c.expectWithin(2 * SECOND, { seq: 1, len: 100 });
  assertEquals([c.stat(Stat.TCP_PERSIST), c.stat(Stat.TCP_RTO)], [1, 1]);
  c.end();
});
