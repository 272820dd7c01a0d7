/** Settings of TCP that no other test is about: that the engine does as they say. */

import { assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, So, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Conn, Errno, Host, pattern, PEER } from "./harness.ts";
import { icmpError } from "./segment.ts";
import { accepted, connecting, established } from "./shake.ts";

const SECOND = 1_000_000;
const UNREACH = 3;

/** When SYNs are sent again, seconds from the first one, until the attempt ends. */
function repeats(c: Conn): number[] {
  const begin = c.host.now;
  const times: number[] = [];
  for (let lives = true; lives;) {
    c.host.advance(SECOND / 10);
    lives = c.state() === TcpState.SYN_SENT;
    const sent = c.take();
    if (lives && sent === undefined) continue;
    assertEquals(sent?.flags, lives ? "S" : undefined);
    times.push(Math.round((c.host.now - begin) / 100_000) / 10);
  }
  return times;
}

/** An error about the segment at `seq`. */
function unreachable(c: Conn, code: number, seq: number): void {
  const quoted = { src: c.host.ip, dst: PEER, sport: c.lport, dport: c.fport };
  const about = { ...quoted, seq: (c.iss + seq) >>> 0 };
  c.host.input(icmpError("198.51.100.7", UNREACH, code, 0, about, 1500));
}

Deno.test("syn_linear: SYNs at one distance before it doubles", async () => {
  const plain = await connecting({ settings: { syn_retries: 4 } });
  assertEquals(repeats(plain), [1, 3, 7, 15, 31]);
  assertEquals(plain.host.error(plain.so), Errno.ETIMEDOUT);
  plain.end();
  const linear = await connecting({ settings: { syn_retries: 3, syn_linear: 3 } });
  assertEquals(repeats(linear), [1, 2, 3, 4, 6, 10, 18]);
  assertEquals(linear.host.error(linear.so), Errno.ETIMEDOUT);
  linear.end();
});

Deno.test("keep_init_ms: an attempt ends at its time, however many SYNs there may be", async () => {
  const c = await connecting({ settings: { syn_retries: 100, keep_init_ms: 10_000 } });
  assertEquals(repeats(c), [1, 3, 7, 10]);
  assertEquals(c.host.error(c.so), Errno.ETIMEDOUT);
  c.end();
});

Deno.test("rto_slop_us: every timeout is longer by it, but the first of a SYN", async () => {
  const settings = { rto_slop_us: 200_000, rto_min_us: 30_000, syn_retries: 2 };
  const syn = await connecting({ settings });
  assertEquals(repeats(syn), [1, 3.2, 7.4]);
  syn.end();
  const c = await established({ settings });
  c.write("x");
  c.expect({ data: "x" });
  assertEquals(c.expectWithin(SECOND, { data: "x" }), 230_000);
  assertEquals(c.expectWithin(SECOND, { data: "x" }), 260_000);
  c.end();
});

Deno.test("mss_min: no peer makes segments smaller", async () => {
  for (const [mss_min, mss, len] of [[64, 1, 64], [216, 1, 216], [216, 300, 300], [0, 1, 48]]) {
    const c = await established({ mss, settings: { mss_min } });
    c.write(pattern(1000));
    c.expect({ seq: 1, len });
    c.end();
  }
});

Deno.test("icmp_may_rst: without it an attempt goes on after an unreachable port", async () => {
  const c = await connecting({ settings: { icmp_may_rst: 0 } });
  unreachable(c, 3, 0);
  assertEquals(c.state(), TcpState.SYN_SENT);
  c.expectWithin(SECOND, { flags: "S" });
  c.end();
});

Deno.test("tolerate_missing_ts: segments without the agreed timestamps are taken", async () => {
  for (const tolerate_missing_ts of [0, 1]) {
    const c = await established({ ts: true, settings: { tolerate_missing_ts } });
    c.send({ data: "abc", noTs: true });
    assertEquals(c.fate() === Fate.TCP_TIMESTAMP_MISSING, tolerate_missing_ts === 0);
    if (tolerate_missing_ts) assertEquals(c.read(), "abc");
    c.takeAll();
    c.end();
  }
});

Deno.test("insecure_rst: a RST anywhere in the window, but not outside of it", async () => {
  const c = await established({ settings: { insecure_rst: 1 } });
  c.send({ flags: "R", seq: 100_000_000 });
  assertEquals([c.state(), c.fate()], [TcpState.ESTABLISHED, Fate.TCP_RST_OUT_OF_WINDOW]);
  c.send({ flags: "R", seq: 500 });
  assertEquals(c.state(), TcpState.CLOSED);
  c.end();
});

Deno.test("drop_synfin: a SYN with FIN is dropped in silence", async () => {
  for (const drop_synfin of [0, 1]) {
    const host = await Host.boot();
    host.tune({ drop_synfin });
    const listener = host.listen(80, 5);
    const c = new Conn(host, 80, 40000);
    c.send({ flags: "SF", mss: 1460 });
    if (drop_synfin) assertEquals([c.fate(), c.take()], [Fate.TCP_SYN_FIN, undefined]);
    else assertEquals(c.take()?.flags, "SA");
    host.end(listener);
  }
});

Deno.test("blackhole: closed ports give no RST, to SYNs or to nothing", async () => {
  for (const [blackhole, toSyn, toAck] of [[0, "RA", "R"], [1, undefined, "R"], [2]] as const) {
    const host = await Host.boot();
    host.tune({ blackhole });
    const c = new Conn(host, 80, 40000);
    c.send({ flags: "S" });
    assertEquals(c.take()?.flags, toSyn);
    c.send({ flags: "A", ack: 1 });
    assertEquals([c.take()?.flags, c.fate()], [toAck, Fate.TCP_NO_CONNECTION]);
    host.end();
  }
});

Deno.test("stdurg: the pointer names the urgent byte, of accepted connections too", async () => {
  const { c } = await accepted({ settings: { stdurg: 1 } });
  c.write("!", Msg.OOB);
  assertEquals([c.take()?.up, c.host.getopt(c.so, IpProto.TCP, TcpOpt.STDURG)], [0, 1]);
  c.end();
});

Deno.test("always_keepalive: new sockets have SO_KEEPALIVE", async () => {
  const settings = { always_keepalive: 1, keep_idle_ms: 5000 };
  const c = await established({ settings });
  assertEquals(c.host.getopt(c.so, Sol.SOCKET, So.KEEPALIVE) !== 0, true);
  assertEquals(c.expectWithin(10 * SECOND, { flags: "A", seq: 0, len: 0 }), 5 * SECOND);
  c.end();
});

/** How often data was sent; a RST follows. */
function again(c: Conn): number {
  return c.takeAll().filter(({ data }) => data.length > 0).length;
}

Deno.test("orphan_retries: a closed socket's data is given up sooner; 0 means 8", async () => {
  const settings = { rto_max_us: 400_000, early_retrans: 0 };
  for (const [orphan_retries, times] of [[3, 3], [0, 8], [200, 12]]) {
    const c = await established({ settings: { ...settings, orphan_retries } });
    c.write("x");
    c.close();
    c.takeAll();
    c.host.advance(100 * SECOND);
    assertEquals(again(c), times, `${orphan_retries}`);
    c.end();
  }
  const open = await established({ settings: { ...settings, orphan_retries: 3 } });
  open.write("x");
  open.takeAll();
  open.host.advance(100 * SECOND);
  assertEquals(again(open), 12, "an open socket has all of data_retries");
  open.end();
});

Deno.test("no_pmtu_disc: packets may be cut", async () => {
  for (const no_pmtu_disc of [0, 1]) {
    const host = await Host.boot();
    host.tuneNet({ no_pmtu_disc });
    const c = await established({}, host);
    c.write(pattern(1460));
    assertEquals(c.take()?.df, no_pmtu_disc === 0);
    c.end();
  }
});
