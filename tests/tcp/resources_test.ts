/** When something runs out: the send queue, mbufs, connections, the interface. */

import { assert, assertEquals } from "@std/assert";
import { Iff } from "../../assembly/abi/ifnet.ts";
import { Limits } from "../../assembly/abi/limits.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import * as layout from "../../runtime/wasm/layout.gen.ts";
import { Conn, Errno, Host, pattern } from "./harness.ts";
import { accepted, connecting, established } from "./shake.ts";

const SECOND = 1_000_000;
const MSS = 1460;

/** Acknowledges all that comes until nothing is in flight; answers how many bytes came. */
function drain(c: Conn, rounds = 2000): number {
  const begin = c.rcv;
  for (let i = 0; i < rounds && c.tcb("snd_una") !== c.tcb("snd_nxt"); i++) {
    c.host.untilSent(100 * SECOND);
    for (let s = c.take(); s; s = c.take()) if (s.data.length > 0) c.send({});
  }
  return c.rcv - begin;
}

Deno.test("a full send queue holds connections back without loss or timeout", async () => {
  const c = await established({ sndbuf: 1 << 20, wscale: 7, win: 60_000 });
  const d = await established({ sndbuf: 1 << 20, wscale: 7, win: 60_000 }, c.host);
  for (const conn of [c, d]) {
    // open the window of congestion control
    conn.write(pattern(600_000));
    drain(conn);
    conn.send({});
  }
  c.host.stuck = true;
  c.write(pattern(1_000_000));
  d.write(pattern(1_000_000));
  c.host.stuck = false;
  c.host.step();
  const sent = c.host.wire.length;
  assert(sent <= Limits.IF_SNDQ * 2 && sent > 500, `${sent}`);
  assertEquals([drain(c), drain(d)], [1_000_000, 1_000_000]);
  assertEquals(c.tcb("rexmt_segments"), 0);
  assertEquals(d.tcb("rexmt_segments"), 0);
  c.end(d.so);
});

Deno.test("tcp_limit_output_bytes: streams wait while so much is queued, ACKs do not", async () => {
  const c = await established({ sndbuf: 1 << 20, wscale: 7, win: 60_000 });
  c.write(pattern(600_000));
  drain(c);
  c.send({});
  c.host.tuneNet({ tcp_limit_output_bytes: 30_000 });
  c.host.stuck = true;
  c.write(pattern(400_000));
  assert(c.tcb("blk_ifindex") !== 0, "it waits");
  const { snd_bytes } = layout.Ifnet;
  const queued = () => c.host.inspect.u32((c.host.call("if_ptr", 2) >>> 0) + snd_bytes);
  const before = queued();
  assert(before >= 30_000 && before < 32_000, `${before}`);
  c.send({ data: pattern(1400) }, { seq: 1401, data: pattern(1400) });
  assertEquals(queued() - before, 40, "an ACK goes behind the data at once");
  c.host.stuck = false;
  c.host.step();
  assertEquals(queued(), 0);
  drain(c);
  assertEquals(c.tcb("blk_ifindex"), 0, "the connection goes on");
  assertEquals(c.tcb("rexmt_segments"), 0);
  c.end();
});

Deno.test("many that wait for the send queue: all go on, and any may leave the list", async () => {
  const first = await established({ sndbuf: 1 << 16 });
  const { host } = first;
  const conns = [first];
  while (conns.length < 150) conns.push(await established({ sndbuf: 1 << 16 }, host));
  host.tuneNet({ tcp_limit_output_bytes: 5_000 });
  host.stuck = true;
  for (const c of conns) c.write(pattern(3_000));
  const waiting = conns.filter((c) => c.tcb("blk_ifindex") !== 0);
  assert(waiting.length > 140, `${waiting.length} wait`);
  // from the middle, the end and the front of the list
  for (const c of [waiting[70], waiting.at(-1)!, waiting[0]]) {
    c.send({ flags: "R" });
    assertEquals(c.state(), TcpState.CLOSED);
    conns.splice(conns.indexOf(c), 1);
    c.close();
  }
  host.stuck = false;
  host.step();
  host.settle();
  for (const c of conns) {
    assertEquals([drain(c), c.tcb("blk_ifindex"), c.tcb("rexmt_segments")], [3_000, 0, 0]);
  }
  first.end(...conns.slice(1).map((c) => c.so));
});

Deno.test("a connection that waits for the send queue may be reset or closed", async () => {
  const c = await established({ sndbuf: 4 << 20, wscale: 7, win: 60_000 });
  c.write(pattern(3_000_000));
  drain(c);
  c.send({});
  assert(c.tcb("cwnd") > Limits.IF_SNDQ * MSS);
  c.host.stuck = true;
  c.write(pattern(3_000_000));
  assertEquals(c.tcb("blk_ifindex") !== 0, true, "it waits");
  c.send({ flags: "R" });
  assertEquals(c.state(), TcpState.CLOSED);
  c.host.stuck = false;
  c.host.step();
  c.end();
});

Deno.test("mbufs that user data has used up come back: sending goes on", async () => {
  for (const clusters of [20, 40, 100]) {
    const memory = { mbufs_small: 100, mbufs_cluster: clusters };
    const c = await established({ host: { memory }, sndbuf: 1 << 20 });
    const data = pattern(400_000);
    let written = 0;
    for (let i = 0; i < 3000 && written < data.length; i++) {
      const n = c.tryWrite(data.subarray(written));
      assert(n > 0 || n === -Errno.ENOBUFS || n === -Errno.EAGAIN, `${n}`);
      written += Math.max(n, 0);
      c.host.untilSent(10 * SECOND);
      c.takeAll();
      c.send({});
    }
    drain(c);
    assertEquals([written, c.rcv], [data.length, 1 + data.length]);
    c.end();
  }
});

Deno.test("mbufs that nobody reads come back: receiving goes on", async () => {
  const memory = { mbufs_small: 100, mbufs_cluster: 40 };
  const { c } = await accepted({ host: { memory }, rcvbuf: 200_000, wscale: 8 });
  let seq = 1;
  for (let i = 0; i < 300; i++) {
    c.send({ seq, data: pattern(1400, seq) });
    c.host.advance(40_000);
    seq = c.takeAll().at(-1)?.ack ?? seq;
  }
  assert(seq > 10_000);
  const taken = (c.tcb("rcv_nxt") - c.tcb("irs") - 1) >>> 0;
  let read = 0;
  for (let n = 1; n > 0;) {
    n = c.tryRead().n;
    read += Math.max(n, 0);
  }
  assertEquals(read, taken);
  c.send({ seq: 1 + taken, data: "and on" });
  assertEquals(c.read(), "and on");
  c.end();
});

Deno.test("no more connections: connect and socket say ENOBUFS, and recover", async () => {
  const host = await Host.boot({ memory: { tcbs: 3 } });
  const conns = [1, 2, 3].map((port) => connecting({ port }, host));
  const open = await Promise.all(conns);
  assertEquals(host.call("so_create", 2, 1, 0), -Errno.ENOBUFS);
  host.close(open[0].so);
  const again = await connecting({ port: 9 }, host);
  host.end(open[1].so, open[2].so, again.so);
});

Deno.test("no more connections: the handshake's end is tried again", async () => {
  const host = await Host.boot({ memory: { tcbs: 2 } });
  const listener = host.listen(80);
  const other = await connecting({ port: 99 }, host);
  const c = new Conn(host, 80, 40000);
  c.send({ flags: "S", mss: 1460 });
  c.expect({ flags: "SA" });
  c.send({ flags: "A", seq: 1, ack: 1 });
  assertEquals(host.accept(listener), 0);
  host.close(other.so);
  c.expectWithin(SECOND, { flags: "SA" });
  c.send({ flags: "A", seq: 1, ack: 1 });
  c.so = host.accept(listener);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.end(listener);
});

Deno.test("an interface that goes down and comes up again: the timer goes on", async () => {
  const c = await established();
  const up = Iff.UP | Iff.RUNNING;
  c.host.setFlags(0);
  c.write("abc");
  c.silentFor(10 * SECOND);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.host.setFlags(up);
  c.expectWithin(60 * SECOND, { seq: 1, data: "abc" });
  c.send({ ack: 4 });
  c.write("def");
  c.expect({ data: "def" });
  c.end();
});

Deno.test("RFC 6298 5.1: what was refused and leaves later has all of its time", async () => {
  const c = await established({ rtt_us: 100_000 });
  c.host.setFlags(0);
  c.write("abc");
  c.host.advance(c.tcb("rto_us") - 50_000);
  c.host.setFlags(Iff.UP | Iff.RUNNING);
  c.write("def");
  c.expect({ seq: 1, data: "abcdef" });
  assert(c.expectWithin(60 * SECOND, { seq: 1, data: "abcdef" }) >= c.tcb("rto_us"));
  c.end();
});

Deno.test("an interface that stays down ends connections with its error", async () => {
  const c = await established();
  c.host.setFlags(0);
  c.write("abc");
  c.host.advance(1000 * SECOND);
  assertEquals(c.state(), TcpState.CLOSED);
  const error = c.host.error(c.so);
  assert([Errno.ENETDOWN, Errno.ENETUNREACH].includes(error), `${error}`);
  c.end();
});

Deno.test("an interface that is taken away ends its connections", async () => {
  const host = await Host.boot();
  const c = await established({}, host);
  const waiting = await connecting({ port: 81 }, host);
  host.detach();
  assertEquals(host.error(c.so), Errno.ENETRESET);
  assertEquals(host.error(waiting.so), Errno.ENETRESET);
  host.end(c.so, waiting.so);
});

Deno.test("connect without a route fails at once and may be tried again", async () => {
  const host = await Host.boot();
  host.setFlags(0);
  const so = host.socket();
  const connect = () => host.call("so_connect", so, host.name("192.0.2.1", 80));
  assertEquals(connect(), -Errno.ENETUNREACH);
  host.setFlags(Iff.UP | Iff.RUNNING);
  assertEquals(connect(), -Errno.EINPROGRESS);
  host.end(so);
});
