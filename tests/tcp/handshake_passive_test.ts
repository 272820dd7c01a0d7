/** Passive opens: RFC 9293 3.10.7.2, RFC 4987 3.5, RFC 6298 5.7, and the backlog. */

import { assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Conn, Host, pattern, PEER_ISN } from "./harness.ts";
import { accepted } from "./shake.ts";

const SECOND = 1_000_000;
const SYN = { flags: "S", seq: 0, mss: 1460 };

async function listening(backlog = 5): Promise<{ host: Host; listener: number; c: Conn }> {
  const host = await Host.boot();
  const listener = host.listen(80, backlog);
  return { host, listener, c: new Conn(host, 80, 40000) };
}

Deno.test("RFC 9293 3.5: a listener answers SYN with SYN-ACK and takes the ACK", async () => {
  const { c, listener } = await accepted();
  c.send({ data: "hello" });
  assertEquals(c.read(), "hello");
  c.write("world");
  c.expect({ flags: "PA", seq: 1, data: "world" });
  assertEquals(c.stat(Stat.TCP_PASSIVE_OPENS), 1);
  assertEquals(c.stat(Stat.TCP_CONNECTED), 1);
  assertEquals(c.host.inspect.sockets().includes(listener), false, "the listener was closed");
  c.end();
});

Deno.test("RFC 9293 3.10.7.2: a SYN costs no socket before it is answered", async () => {
  const { host, listener, c } = await listening();
  c.send(SYN);
  assertEquals(c.fate(), Fate.TCP_SYN_ACCEPTED);
  c.expect({ flags: "SA", seq: 0, ack: 1, mss: 1460, win: 65535 });
  assertEquals(host.inspect.sockets(), [listener]);
  assertEquals(host.accept(listener), 0);
  host.end(listener);
});

Deno.test("RFC 9293 3.10.7.2: RST to a listener is ignored, ACK is answered with RST", async () => {
  const { host, listener, c } = await listening();
  c.send({ flags: "R", seq: 9 });
  assertEquals(c.fate(), Fate.TCP_LISTEN_INVALID);
  c.silent();
  c.send({ flags: "A", seq: 9, ack: 55 });
  c.expect({ flags: "R", seq: 55, len: 0 });
  c.send({ flags: "SA", seq: 9, ack: 56 });
  c.expect({ flags: "R", seq: 56 });
  c.send({ flags: "F", seq: 9 });
  assertEquals(c.fate(), Fate.TCP_LISTEN_INVALID);
  c.silent();
  host.end(listener);
});

Deno.test("RFC 6298 5.5: SYN-ACK is repeated after 1, 2, 4, 8, 16 s", async () => {
  const { host, listener, c } = await listening();
  c.send(SYN);
  c.expect({ flags: "SA" });
  for (const seconds of [1, 2, 4, 8, 16]) {
    const took = c.expectWithin(100 * SECOND, { flags: "SA", seq: 0, ack: 1 });
    assertEquals(took, seconds * SECOND);
  }
  c.silentFor(200 * SECOND);
  c.send({ flags: "A", seq: 1, ack: 1 });
  c.expect({ flags: "R", seq: 1 });
  host.end(listener);
});

Deno.test("RFC 9293 3.10.7.4: a repeated SYN is answered and prolongs nothing", async () => {
  const { host, listener, c } = await listening();
  c.send(SYN);
  const first = c.expect({ flags: "SA" });
  for (let i = 0; i < 40; i++) {
    c.send(SYN);
    assertEquals(c.expect({ flags: "SA", ack: 1 }).seq, first.seq);
  }
  host.advance(70 * SECOND);
  c.takeAll();
  c.silentFor(1000 * SECOND);
  c.send({ flags: "A", seq: 1, ack: 1 });
  c.expect({ flags: "R", seq: 1 });
  host.end(listener);
});

Deno.test("RFC 5961 4.2: another SYN on a half-open connection is challenged", async () => {
  const { host, listener, c } = await listening();
  c.send(SYN);
  c.expect({ flags: "SA", ack: 1 });
  for (const seq of [1000, 1, 0x7fff_0000]) {
    c.send({ ...SYN, seq });
    assertEquals(c.fate(), Fate.TCP_SYN_CHALLENGED);
    c.expect({ flags: "A", seq: 1, ack: 1, mss: null });
  }
  c.send({ flags: "A", seq: 1, ack: 1 });
  assertEquals(c.fate(), Fate.TCP_CONNECTION_MADE);
  c.so = host.accept(listener);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.end(listener);
});

Deno.test("RFC 5961 4.2: a peer that has begun anew resets its old half-open one", async () => {
  const { host, listener, c } = await listening();
  c.send(SYN);
  c.expect({ flags: "SA", ack: 1 });
  c.send({ ...SYN, seq: 1000 });
  c.expect({ flags: "A", seq: 1, ack: 1 });
  c.send({ flags: "R", seq: 1 }); // the answer to an ACK of a number it has not sent
  assertEquals(c.fate(), Fate.TCP_ACCEPTED);
  const again = new Conn(host, 80, 40000);
  again.isn = (PEER_ISN + 1000) >>> 0;
  again.send(SYN);
  again.expect({ flags: "SA", ack: 1 });
  again.send({ flags: "A", seq: 1, ack: 1 });
  again.so = host.accept(listener);
  assertEquals(again.state(), TcpState.ESTABLISHED);
  again.end(listener);
});

Deno.test("RFC 5961 3.2: only RST at its window ends a half-open connection", async () => {
  const { host, listener, c } = await listening();
  c.send(SYN);
  c.expect({ flags: "SA" });
  c.send({ flags: "R", seq: 100 });
  assertEquals(c.fate(), Fate.TCP_RST_CHALLENGED);
  c.expect({ flags: "A", seq: 1, ack: 1 });
  c.send({ flags: "R", seq: 0 });
  assertEquals(c.fate(), Fate.TCP_RST_OUT_OF_WINDOW);
  c.silent();
  c.send({ flags: "A", seq: 1, ack: 2 });
  assertEquals(c.fate(), Fate.TCP_ACK_INVALID);
  c.expect({ flags: "R", seq: 2 });
  c.send({ flags: "R", seq: 1 });
  c.silentFor(100 * SECOND);
  assertEquals(host.accept(listener), 0);
  host.end(listener);
});

Deno.test("RFC 9293 3.10.7.4: outside the window of a half-open one: ACK", async () => {
  const { host, listener, c } = await listening();
  c.send({ ...SYN, ts: [1000, 0] });
  const first = c.expect({ flags: "SA", ts: true });
  const ecr = first.ts![0];
  c.send({ flags: "A", seq: 0, ack: 1, ts: [1000, ecr] });
  assertEquals(c.fate(), Fate.TCP_OUT_OF_WINDOW);
  c.expect({ flags: "A", seq: 1, ack: 1, tsEcr: 1000 });
  c.send({ flags: "SA", seq: 0, ack: 1, ts: [1000, ecr] });
  c.expect({ flags: "A", seq: 1, ack: 1 });
  c.send({ flags: "A", seq: 1, ack: 1, ts: [999, ecr] });
  assertEquals(c.fate(), Fate.TCP_PAWS);
  c.expect({ flags: "A", seq: 1, ack: 1, tsEcr: 1000 });
  c.send({ flags: "A", seq: 1, ack: 1, ts: [1001, ecr] });
  assertEquals(c.fate(), Fate.TCP_CONNECTION_MADE);
  host.end(host.accept(listener), listener);
});

Deno.test("RFC 9293 3.10.7.4: the ACK of the handshake may carry data and FIN", async () => {
  const { host, listener, c } = await listening();
  c.send(SYN);
  c.expect({ flags: "SA" });
  c.send({ flags: "FA", seq: 1, ack: 1, data: "request" });
  c.so = host.accept(listener);
  assertEquals(c.state(), TcpState.CLOSE_WAIT);
  assertEquals(c.takeAll().at(-1)?.ack, 9);
  assertEquals(c.read(), "request");
  assertEquals(c.read(), "");
  c.end(listener);
});

Deno.test("data that comes before accept waits for the program", async () => {
  const { host, listener, c } = await listening();
  c.send(SYN);
  c.expect({ flags: "SA" });
  c.send({ flags: "A", seq: 1, ack: 1 });
  c.send({ seq: 4, data: "def" }, { seq: 1, data: "abc" });
  assertEquals(c.takeAll().at(-1)?.ack, 7);
  c.so = host.accept(listener);
  assertEquals(c.read(), "abcdef");
  c.end(listener);
});

Deno.test("backlog: beyond it SYNs are dropped without an answer", async () => {
  const { host, listener } = await listening(2);
  const conns = [1, 2, 3].map((i) => new Conn(host, 80, 40000 + i));
  for (const c of conns.slice(0, 2)) {
    c.send(SYN);
    c.expect({ flags: "SA" });
    c.send({ flags: "A", seq: 1, ack: 1 });
    c.takeAll();
  }
  conns[2].send(SYN);
  assertEquals(conns[2].fate(), Fate.TCP_BACKLOG_FULL);
  conns[2].silent();
  assertEquals(host.inspect.stat(Stat.TCP_BACKLOG_DROPS), 1);
  const first = host.accept(listener);
  conns[2].send(SYN);
  conns[2].expect({ flags: "SA" });
  host.end(first, listener);
});

Deno.test("backlog: with the queue full, the end of a handshake is tried again", async () => {
  const { host, listener } = await listening(1);
  const [a, b] = [1, 2].map((i) => new Conn(host, 80, 40000 + i));
  for (const c of [a, b]) {
    c.send(SYN);
    c.expect({ flags: "SA" });
  }
  a.send({ flags: "A", seq: 1, ack: 1 });
  b.send({ flags: "A", seq: 1, ack: 1 });
  assertEquals(b.fate(), Fate.TCP_BACKLOG_FULL);
  a.takeAll();
  const first = host.accept(listener);
  assertEquals(b.expectWithin(SECOND, { flags: "SA" }), SECOND);
  b.send({ flags: "A", seq: 1, ack: 1 });
  assertEquals(b.fate(), Fate.TCP_CONNECTION_MADE);
  const second = host.accept(listener);
  host.end(first, second, listener);
});

Deno.test("RFC 4987 3.5: a full syncache drops further SYNs and recovers", async () => {
  const host = await Host.boot({ memory: { syncache: 8 }, tcp: { syncookies: 0 } });
  const listener = host.listen(80, 100);
  const conns = Array.from({ length: 9 }, (_, i) => new Conn(host, 80, 40000 + i));
  for (const c of conns) c.send(SYN);
  assertEquals(conns.filter((c) => c.take() !== undefined).length, 8);
  assertEquals(host.inspect.fate(Fate.TCP_BACKLOG_FULL), 1);
  host.advance(100 * SECOND);
  for (const c of conns) c.takeAll();
  conns[8].send(SYN);
  conns[8].expect({ flags: "SA" });
  host.end(listener);
});

Deno.test("closing a listener forgets half-open connections and resets waiting ones", async () => {
  const { host, listener } = await listening();
  const [half, whole] = [1, 2].map((i) => new Conn(host, 80, 40000 + i));
  for (const c of [half, whole]) {
    c.send(SYN);
    c.expect({ flags: "SA" });
  }
  whole.send({ flags: "A", seq: 1, ack: 1 });
  whole.takeAll();
  host.close(listener);
  whole.expect({ flags: "RA", seq: 1 });
  half.silentFor(100 * SECOND);
  half.send({ flags: "A", seq: 1, ack: 1 });
  half.expect({ flags: "R", seq: 1 });
  host.end();
});

// RFC 5681 3.1-4
Deno.test("RFC 6298 5.7, RFC 5681 3.1: after a lost SYN-ACK: RTO of 3 s, one segment", async () => {
  const { host, listener, c } = await listening();
  c.send(SYN);
  c.expect({ flags: "SA" });
  c.expectWithin(SECOND, { flags: "SA" });
  c.send({ flags: "A", seq: 1, ack: 1 });
  c.so = host.accept(listener);
  c.takeAll();
  c.write(pattern(10_000));
  c.expect({ seq: 1, len: 1460 });
  c.silent();
  assertEquals(c.expectWithin(10 * SECOND, { seq: 1, len: 1460 }), 3 * SECOND);
  c.end(listener);
});
