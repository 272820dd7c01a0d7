/** SYN cookies: RFC 4987 3.6, with the options that they carry. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { So, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { TcpInfo } from "../../runtime/wasm/layout.gen.ts";
import { Conn, Host, type Say } from "./harness.ts";

const SECOND = 1_000_000;
/** A cookie is good in the count of 64 seconds in which it was made, and in the next. */
const COUNT = 64 * SECOND;
const SYN: Say = { flags: "S", seq: 0, mss: 1460 };
const FULL: Say = { ...SYN, wscale: 7, sackOk: true, ts: [7000, 0] };

/** A listener on port 80 that answers every SYN with a cookie, and a peer that has not called. */
async function always(backlog = 5): Promise<{ host: Host; listener: number; c: Conn }> {
  const host = await Host.boot({ tcp: { syncookies: 2 } });
  return { host, listener: host.listen(80, backlog), c: new Conn(host, 80, 40000) };
}

/** A field of TCP_INFO. */
function info(host: Host, so: number, field: Exclude<keyof typeof TcpInfo, "size">): number {
  const at = host.engine.scratch + 1024;
  host.call("so_getopt", so, IpProto.TCP, TcpOpt.INFO, at, TcpInfo.size);
  return host.inspect.u32(at + TcpInfo[field]);
}

Deno.test("RFC 4987 3.6: a cookie costs no record and is not repeated", async () => {
  const { host, listener, c } = await always();
  c.send(SYN);
  assertEquals(c.fate(), Fate.TCP_SYN_ACCEPTED);
  c.expect({ flags: "SA", seq: 0, ack: 1, mss: 1460, wscale: null, sackOk: false, ts: false });
  assertEquals(host.call("tcp_count", TcpState.SYN_RECEIVED), 0);
  assertEquals(host.deadline(), Infinity);
  assertEquals(c.stat(Stat.TCP_SYNCOOKIES_SENT), 1);
  c.send({ flags: "A", seq: 1, ack: 1 });
  assertEquals(c.fate(), Fate.TCP_CONNECTION_MADE);
  assertEquals(c.stat(Stat.TCP_SYNCOOKIES_TAKEN), 1);
  c.so = host.accept(listener);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  assertEquals([c.tcb("snd_una"), c.tcb("iss")], [(c.iss + 1) >>> 0, c.iss]);
  c.write("hello");
  c.expect({ seq: 1, ack: 1, data: "hello" });
  c.send({ ack: 6, data: "there" });
  assertEquals(c.read(), "there");
  c.end(listener);
});

Deno.test("RFC 4987 3.6: scale and SACK travel in the timestamp", async () => {
  for (const scale of [undefined, 0, 7, 14]) {
    for (const sackOk of [false, true]) {
      const { host, listener, c } = await always();
      c.ts = true;
      c.send({ ...SYN, wscale: scale, sackOk, ts: [7000, 0] });
      const wscale = scale === undefined ? null : 7;
      const answer = c.expect({ flags: "SA", ts: true, tsEcr: 7000, sackOk, wscale });
      c.send({ flags: "A", seq: 1, ack: 1, ts: [7001, answer.ts![0]], win: 1000 });
      c.so = host.accept(listener);
      c.takeAll();
      const agreed = 1 | (sackOk ? 2 : 0) | (scale === undefined ? 0 : 4);
      assertEquals(info(host, c.so, "options") & 7, agreed);
      assertEquals(info(host, c.so, "snd_wscale"), scale ?? 0);
      assertEquals(c.tcb("snd_wnd"), 1000 * 2 ** (scale ?? 0));
      c.write("x");
      c.expect({ data: "x", tsEcr: 7001 });
      c.end(listener);
    }
  }
});

Deno.test("RFC 7323 5.4: timestamps do not run backward after a cookie", async () => {
  for (let i = 0; i < 40; i++) {
    const { host, listener, c } = await always();
    host.advance(i * 7_000);
    c.send(FULL);
    const first = c.expect({ flags: "SA" }).ts![0];
    c.send({ flags: "A", seq: 1, ack: 1, ts: [7001, first] });
    c.so = host.accept(listener);
    c.takeAll();
    c.write("x");
    const next = c.expect({ data: "x" }).ts![0];
    assert(((next - first) | 0) >= 0, `${first}, then ${next}`);
    c.end(listener);
  }
});

Deno.test("RFC 9293 3.7.1: the peer's MSS is rounded down, never up", async () => {
  const cases = [
    [undefined, 536],
    [65, 64],
    [300, 256],
    [536, 536],
    [1300, 1220],
    [1459, 1440],
    [1460, 1460],
    [9000, 1460], // the path's
  ] as const;
  for (const [mss, most] of cases) {
    const { host, listener, c } = await always();
    c.send({ ...SYN, mss });
    c.expect({ flags: "SA", mss: 1460 });
    c.send({ flags: "A", seq: 1, ack: 1 });
    c.so = host.accept(listener);
    c.takeAll();
    c.write("x".repeat(3000));
    c.expect({ len: most });
    c.end(listener);
  }
});

Deno.test("RFC 4987 3.6: a cookie is good for two counts", async () => {
  for (const [wait, good] of [[COUNT - 1, true], [2 * COUNT, false]] as const) {
    const { host, listener, c } = await always();
    host.advance(COUNT - host.now % COUNT); // at the beginning of a count
    c.send(FULL);
    const { ts } = c.expect({ flags: "SA" });
    host.advance(COUNT + wait - (good ? 0 : COUNT));
    c.send({ flags: "A", seq: 1, ack: 1, ts: [9000, ts![0]] });
    if (good) {
      assertEquals(c.fate(), Fate.TCP_CONNECTION_MADE);
      host.end(host.accept(listener), listener);
    } else {
      c.expect({ flags: "R", seq: 1 });
      host.end(listener);
    }
  }
});

Deno.test("RFC 4987 3.6: nothing that a cookie vouches for can be changed", async () => {
  const { host, listener, c } = await always();
  c.send(FULL);
  const ecr = c.expect({ flags: "SA" }).ts![0];
  const bad = (say: Say, conn = c) => {
    const before = host.inspect.stat(Stat.TCP_SYNCOOKIES_BAD);
    conn.send({ flags: "A", seq: 1, ack: 1, ts: [7001, ecr], ...say });
    assertEquals(conn.fate(), Fate.TCP_LISTEN_INVALID);
    assertEquals(host.inspect.stat(Stat.TCP_SYNCOOKIES_BAD), before + 1);
    conn.expect({ flags: "R" });
  };
  for (let bit = 0; bit < 32; bit++) bad({ ack: 1 + 2 ** bit });
  for (let bit = 0; bit < 6; bit++) bad({ ts: [7001, (ecr ^ (1 << bit)) >>> 0] });
  bad({ seq: 2 });
  bad({ ts: undefined, noTs: true });
  const other = new Conn(host, 80, 40001);
  other.iss = c.iss;
  bad({}, other);
  assertEquals(host.accept(listener), 0);
  c.send({ flags: "A", seq: 1, ack: 1, ts: [7001, ecr] });
  assertEquals(c.fate(), Fate.TCP_CONNECTION_MADE);
  host.end(host.accept(listener), listener);
});

Deno.test("RFC 9293 3.10.7.2: without cookies an ACK is just for nothing", async () => {
  const { host, listener, c } = await always();
  c.send({ flags: "A", seq: 1, ack: 1 });
  c.expect({ flags: "R", seq: 1 });
  assertEquals(c.stat(Stat.TCP_SYNCOOKIES_BAD), 0);
  c.send(SYN);
  c.expect({ flags: "SA" });
  host.advance(2 * COUNT);
  c.send({ flags: "A", seq: 1, ack: 1 });
  c.expect({ flags: "R", seq: 1 });
  assertEquals(c.stat(Stat.TCP_SYNCOOKIES_BAD), 0);
  host.end(listener);
});

Deno.test("the ACK that brings a cookie back may carry data and FIN", async () => {
  const { host, listener, c } = await always();
  c.send(SYN);
  c.expect({ flags: "SA" });
  c.send({ flags: "FA", seq: 1, ack: 1, data: "request" });
  c.so = host.accept(listener);
  assertEquals(c.state(), TcpState.CLOSE_WAIT);
  assertEquals(c.takeAll().at(-1)?.ack, 9);
  assertEquals(c.read(), "request");
  c.end(listener);
});

Deno.test("SYN-ACK with the number of a cookie is not taken for its ACK", async () => {
  const { host, listener, c } = await always();
  c.send(SYN);
  c.expect({ flags: "SA" });
  c.send({ flags: "SA", seq: 1, ack: 1 });
  c.expect({ flags: "R", seq: 1 });
  assertEquals(host.accept(listener), 0);
  host.end(listener);
});

Deno.test("syncookies 1: only when there is no room for a record", async () => {
  for (const limit of [{ memory: { syncache: 8 } }, { tcp: { max_syn_backlog: 8 } }]) {
    const host = await Host.boot(limit);
    const listener = host.listen(80, 100);
    const conns = Array.from({ length: 12 }, (_, i) => new Conn(host, 80, 40000 + i));
    for (const c of conns) {
      c.send(SYN);
      c.expect({ flags: "SA" });
    }
    assertEquals(host.inspect.stat(Stat.TCP_SYNCOOKIES_SENT), 4);
    assertEquals(host.call("tcp_count", TcpState.SYN_RECEIVED), 8);
    for (const c of conns) c.send({ flags: "A", seq: 1, ack: 1 });
    assertEquals(host.inspect.stat(Stat.TCP_SYNCOOKIES_TAKEN), 4);
    const made = conns.map(() => host.accept(listener));
    assert(made.every((so) => so > 0));
    host.end(...made, listener);
  }
});

Deno.test("a cookie outlives a full accept queue; abort_on_overflow refuses it", async () => {
  const { host, listener } = await always(1);
  const [a, b] = [1, 2].map((i) => new Conn(host, 80, 40000 + i));
  for (const c of [a, b]) {
    c.send(SYN);
    c.expect({ flags: "SA" });
  }
  a.send({ flags: "A", seq: 1, ack: 1 });
  b.send({ flags: "A", seq: 1, ack: 1 });
  assertEquals(b.fate(), Fate.TCP_BACKLOG_FULL);
  b.silent();
  host.tune({ abort_on_overflow: 1 });
  b.send({ seq: 1, ack: 1, data: "x" });
  b.expect({ flags: "R", seq: 1 });
  host.tune({ abort_on_overflow: 0 });
  a.takeAll();
  const first = host.accept(listener);
  b.send({ seq: 1, ack: 1, data: "x" });
  assertEquals(b.fate(), Fate.TCP_CONNECTION_MADE);
  b.so = host.accept(listener);
  assertEquals(b.read(), "x");
  b.end(first, listener);
});

Deno.test("abort_on_overflow: the end of a handshake is answered with RST", async () => {
  const host = await Host.boot({ tcp: { abort_on_overflow: 1 } });
  const listener = host.listen(80, 1);
  const [a, b] = [1, 2].map((i) => new Conn(host, 80, 40000 + i));
  for (const c of [a, b]) {
    c.send(SYN);
    c.expect({ flags: "SA" });
  }
  for (const c of [a, b]) c.send({ flags: "A", seq: 1, ack: 1 });
  b.expect({ flags: "R", seq: 1 });
  assertEquals(host.call("tcp_count", TcpState.SYN_RECEIVED), 0);
  host.end(listener);
});

Deno.test("RFC 6528 3: cookies cannot be told from chance", async () => {
  const { host, listener } = await always();
  const seen = new Set<number>();
  const low = new Set<number>();
  for (let i = 0; i < 200; i++) {
    const c = new Conn(host, 80, 40000 + i);
    c.send(SYN);
    c.expect({ flags: "SA" });
    seen.add(c.iss >>> 8);
    low.add(c.iss & 15);
  }
  assertEquals(seen.size, 200);
  assertEquals(low.size, 16);
  // another ISN of the peer gives another cookie
  const [a, b] = [new Conn(host, 80, 50000), new Conn(host, 80, 50000)];
  b.isn = (a.isn + 1) >>> 0;
  a.send(SYN);
  a.expect({ flags: "SA" });
  b.send(SYN);
  b.expect({ flags: "SA" });
  assertNotEquals(a.iss, b.iss);
  host.end(listener);
});

Deno.test("options of the listener's socket hold for connections made from cookies", async () => {
  const host = await Host.boot({ tcp: { syncookies: 2 } });
  const options = [
    [IpProto.TCP, TcpOpt.MAXSEG, 1000],
    [IpProto.TCP, TcpOpt.NODELAY, 1],
    [Sol.SOCKET, So.KEEPALIVE, 1],
  ] as const;
  const listener = host.listen(80, 5, options.map((o) => [...o] as [number, number, number]));
  const c = new Conn(host, 80, 40000);
  c.send(SYN);
  c.expect({ flags: "SA", mss: 1000 });
  c.send({ flags: "A", seq: 1, ack: 1 });
  c.so = host.accept(listener);
  assertEquals(host.getopt(c.so, IpProto.TCP, TcpOpt.MAXSEG), 1000);
  assertEquals(host.getopt(c.so, IpProto.TCP, TcpOpt.NODELAY), 1);
  c.end(listener);
});
