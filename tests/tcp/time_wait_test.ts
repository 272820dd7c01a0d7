/** TIME-WAIT: RFC 9293 3.3.2, 3.4.2, 3.6.1 and 3.10.7.4, RFC 1337, RFC 6191. */

import { assert, assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Conn, Errno, Host, pattern, PEER, PEER_ISN, type Shake } from "./harness.ts";
import { accepted, established } from "./shake.ts";

const SECOND = 1_000_000;
const STAY = 60 * SECOND;

/** A connection that we closed first and that is in TIME-WAIT: SND.NXT and RCV.NXT are 2. */
async function inTimeWait(shake: Shake = {}): Promise<Conn> {
  const c = await established(shake);
  finish(c);
  return c;
}

function finish(c: Conn): void {
  c.close();
  c.expect({ flags: "FA" });
  c.send({ flags: "FA" });
  c.expect({ flags: "A" });
  assertEquals(c.host.inspect.sockets().length <= 1, true);
}

Deno.test("RFC 9293 3.6.1 (MUST-13): TIME-WAIT lasts 2 MSL and costs no socket", async () => {
  const c = await inTimeWait();
  assertEquals(c.stat(Stat.TCP_TIME_WAIT), 1);
  c.silentFor(STAY - 1);
  c.send({ flags: "FA", seq: 1, ack: 2 });
  c.expect({ flags: "A", seq: 2, ack: 2 });
  c.silentFor(STAY - 1);
  c.silentFor(1);
  c.send({ flags: "FA", seq: 1, ack: 2 });
  c.expect({ flags: "R", seq: 2 });
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: a repeated FIN is acknowledged and restarts the wait", async () => {
  const c = await inTimeWait({ ts: true });
  for (let i = 0; i < 3; i++) {
    c.host.advance(STAY - SECOND);
    c.send({ flags: "FA", seq: 1, ack: 2 });
    assertEquals(c.fate(), Fate.TCP_TIME_WAIT);
    c.expect({ flags: "A", seq: 2, ack: 2, ts: true });
  }
  c.end();
});

Deno.test("RFC 1337 3: RST does not end TIME-WAIT", async () => {
  const c = await inTimeWait();
  for (const seq of [2, 3, 1000]) {
    c.send({ flags: "R", seq });
    assertEquals(c.fate(), Fate.TCP_TIME_WAIT);
    c.silent();
  }
  c.send({ flags: "FA", seq: 1, ack: 2 });
  c.expect({ flags: "A", seq: 2, ack: 2 });
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: old data in TIME-WAIT is acknowledged, an ACK is not", async () => {
  const c = await inTimeWait();
  c.send({ seq: 0, ack: 2, data: "x" });
  c.expect({ flags: "A", seq: 2, ack: 2 });
  c.send({ seq: 1, ack: 2 });
  c.expect({ flags: "A", seq: 2, ack: 2 });
  // two ends in TIME-WAIT would answer each other for ever
  c.send({ seq: 2, ack: 2 });
  c.silent();
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: a SYN that is not newer gets an ACK", async () => {
  const c = await inTimeWait();
  const listener = c.host.listen(c.lport);
  for (const seq of [0, 1, 2]) {
    c.send({ flags: "S", seq, mss: 1460 });
    assertEquals(c.fate(), Fate.TCP_TIME_WAIT);
    c.expect({ flags: "A", seq: 2, ack: 2 });
  }
  c.end(listener);
});

Deno.test("RFC 9293 3.6.1: a newer SYN reopens, and our ISS is above the old", async () => {
  const host = await Host.boot();
  // a transfer faster than the clock of initial sequence numbers
  const { c, listener } = await accepted({ sndbuf: 1 << 20, wscale: 8, win: 65535 }, host);
  const total = 400_000;
  c.write(pattern(total));
  while (c.rcv < 1 + total) {
    c.takeAll();
    c.send({});
  }
  finish(c);
  const old = (c.iss + c.rcv) >>> 0;
  const again = new Conn(host, 80, 40000);
  again.isn = (PEER_ISN + 1000) >>> 0;
  again.send({ flags: "S", seq: 0, mss: 1460 });
  assertEquals(again.fate(), Fate.TCP_SYN_ACCEPTED);
  again.expect({ flags: "SA", ack: 1 });
  assert(((again.iss - old) | 0) > 0, `ISS ${again.iss}, used up to ${old}`);
  again.send({ flags: "A", ack: 1 });
  again.so = host.accept(listener);
  assertEquals(again.state(), TcpState.ESTABLISHED);
  again.end(listener);
});

// SHLD-4
Deno.test("RFC 6191 2: with a newer timestamp the sequence number does not matter", async () => {
  const host = await Host.boot();
  const { c, listener } = await accepted({ ts: true }, host);
  c.host.advance(10_000);
  finish(c);
  host.advance(SECOND);
  const again = new Conn(host, 80, 40000);
  again.isn = (PEER_ISN - 100_000) >>> 0;
  again.send({ flags: "S", seq: 0, mss: 1460, ts: [4000, 0] }); // older
  assertEquals(again.fate(), Fate.TCP_TIME_WAIT);
  host.wire.length = 0;
  again.send({ flags: "S", seq: 0, mss: 1460, ts: [again.tsNow(), 0] });
  assertEquals(again.fate(), Fate.TCP_SYN_ACCEPTED);
  again.expect({ flags: "SA", ack: 1 });
  host.end(listener);
});

Deno.test("RFC 6191 2: with timestamps we connect again after a second", async () => {
  for (const ts of [true, false]) {
    const c = await inTimeWait({ ts });
    const { host } = c;
    const so = host.socket();
    const local = c.lport;
    assertEquals(host.call("so_bind", so, host.name("0.0.0.0", local)), 0);
    const connect = () => host.call("so_connect", so, host.name(PEER, 80));
    assertEquals(connect(), -Errno.EADDRINUSE, "at once");
    host.advance(2 * SECOND);
    assertEquals(connect(), ts ? -Errno.EINPROGRESS : -Errno.EADDRINUSE);
    host.step();
    if (ts) {
      const again = new Conn(host, local, 80);
      again.expect({ flags: "S", seq: 0 });
      assert(((again.iss - (c.iss + 2)) | 0) > 0, "above the old numbers");
      again.so = so;
      again.end();
    } else {
      host.advance(STAY);
      assertEquals(connect(), -Errno.EINPROGRESS);
      host.end(so);
    }
  }
});

Deno.test("RFC 9293 3.4.2: an ephemeral port in TIME-WAIT is passed over", async () => {
  const c = await inTimeWait();
  const ports = new Set([c.lport]);
  for (let i = 0; i < 20; i++) {
    const next = await established({}, c.host);
    assertEquals(ports.has(next.lport), false);
    ports.add(next.lport);
    finish(next);
  }
  c.end();
});

Deno.test("TIME-WAIT records: when there are too many the oldest goes", async () => {
  const host = await Host.boot({ memory: { timewaits: 3 } });
  const conns: Conn[] = [];
  for (let i = 0; i < 5; i++) {
    const c = await established({}, host);
    finish(c);
    conns.push(c);
    host.advance(SECOND);
  }
  const answers = conns.map((c) => {
    c.send({ flags: "FA", seq: 1, ack: 2 });
    return c.take()?.flags;
  });
  assertEquals(answers, ["R", "R", "A", "A", "A"]);
  host.end();
});

Deno.test("TIME-WAIT: what was received before can still be read", async () => {
  const c = await established();
  c.shutdown(1);
  c.expect({ flags: "FA", seq: 1 });
  c.send({ flags: "FA", data: "the end" });
  c.expect({ flags: "A", ack: 9 });
  assertEquals(c.read(4), "the ");
  assertEquals(c.read(), "end");
  assertEquals(c.read(), "");
  assertEquals(c.tryWrite("x"), -Errno.EPIPE);
  c.end();
});

Deno.test("RFC 7323 5.3: a FIN with an old timestamp does not prolong TIME-WAIT", async () => {
  const c = await inTimeWait({ ts: true });
  c.host.advance(STAY - SECOND);
  c.send({ flags: "FA", seq: 1, ack: 2, ts: [1, 0] });
  c.expect({ flags: "A", seq: 2, ack: 2 });
  c.host.advance(SECOND);
  c.send({ flags: "FA", seq: 1, ack: 2 });
  c.expect({ flags: "R" });
  c.end();
});

Deno.test("RFC 9293 3.6.1: a newer SYN that is refused does not end TIME-WAIT", async () => {
  const host = await Host.boot();
  const { c, listener } = await accepted({}, host);
  finish(c);
  const waiting = Array.from({ length: 5 }, (_, i) => new Conn(host, 80, 50000 + i));
  for (const w of waiting) {
    w.send({ flags: "S", seq: 0, mss: 1460 });
    w.expect({ flags: "SA" });
    w.send({ flags: "A", ack: 1 });
    w.takeAll();
  }
  const again = new Conn(host, 80, 40000);
  again.isn = (PEER_ISN + 1000) >>> 0;
  again.send({ flags: "S", seq: 0, mss: 1460 });
  assertEquals(again.fate(), Fate.TCP_BACKLOG_FULL);
  again.silent();
  c.send({ flags: "FA", seq: 1, ack: 2 });
  c.expect({ flags: "A", seq: 2, ack: 2 });
  host.close(host.accept(listener));
  again.send({ flags: "S", seq: 0, mss: 1460 });
  again.expect({ flags: "SA", ack: 1 });
  assert(((again.iss - (c.iss + 2)) | 0) > 0, "above the old numbers");
  host.end(listener);
});

Deno.test("RFC 9293 3.10.7.4: a newer SYN to nobody leaves TIME-WAIT as it is", async () => {
  const c = await inTimeWait();
  c.send({ flags: "S", seq: 1000, mss: 1460 });
  assertEquals(c.fate(), Fate.TCP_TIME_WAIT);
  c.expect({ flags: "A", seq: 2, ack: 2 });
  c.send({ flags: "FA", seq: 1, ack: 2 });
  c.expect({ flags: "A", seq: 2, ack: 2 });
  c.end();
});

Deno.test("with cookies for all, one reopened from TIME-WAIT gets a record", async () => {
  const host = await Host.boot({ tcp: { syncookies: 2 } });
  const { c, listener } = await accepted({}, host);
  finish(c);
  const again = new Conn(host, 80, 40000);
  again.isn = (PEER_ISN + 1000) >>> 0;
  again.send({ flags: "S", seq: 0, mss: 1460 });
  again.expect({ flags: "SA", ack: 1 });
  assert(((again.iss - (c.iss + 2)) | 0) > 0, "above the old numbers");
  assertEquals(host.call("tcp_count", TcpState.SYN_RECEIVED), 1);
  host.end(listener);
});

Deno.test("tw_reuse 0: a pair in TIME-WAIT is never reused", async () => {
  const c = await inTimeWait({ ts: true, host: { tcp: { tw_reuse: 0 } } });
  const { host } = c;
  const so = host.socket();
  assertEquals(host.call("so_bind", so, host.name("0.0.0.0", c.lport)), 0);
  host.advance(2 * SECOND);
  assertEquals(host.call("so_connect", so, host.name(PEER, 80)), -Errno.EADDRINUSE);
  host.end(so);
});
