/** ICMP errors about TCP: RFC 9293 3.9.2.2, RFC 5927 4.1 and 6, RFC 1191, RFC 5461. */

import { assert, assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { IpOpt, Pmtud } from "../../assembly/abi/socket.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Conn, Errno, Host, pattern, PEER } from "./harness.ts";
import { icmpError } from "./segment.ts";
import { accepted, connecting, established } from "./shake.ts";

const SECOND = 1_000_000;
const ROUTER = "198.51.100.7";
const UNREACH = 3;

/** An error about the engine's segment at `seq`. */
function icmp(c: Conn, type: number, code: number, seq: number, mtu = 0, length = 1500): void {
  const quoted = {
    src: c.host.ip,
    dst: PEER,
    sport: c.lport,
    dport: c.fport,
    seq: (c.iss + seq) >>> 0,
  };
  c.host.input(icmpError(ROUTER, type, code, mtu, quoted, length));
}

Deno.test("RFC 9293 3.9.2.2 (MUST-54): port and protocol unreachable end an attempt", async () => {
  for (const code of [2, 3]) {
    const c = await connecting();
    icmp(c, UNREACH, code, 0);
    assertEquals(c.fate(), Fate.ICMP_DELIVERED);
    c.silent();
    assertEquals(c.state(), TcpState.CLOSED);
    assertEquals(c.host.error(c.so), Errno.ECONNREFUSED);
    c.end();
  }
});

Deno.test("RFC 9293 3.9.2.2 (MUST-56): net and host unreachable do not, at once", async () => {
  const c = await connecting();
  icmp(c, UNREACH, 1, 0);
  assertEquals(c.state(), TcpState.SYN_SENT);
  c.expectWithin(SECOND, { flags: "S" });
  icmp(c, UNREACH, 1, 0);
  assertEquals(c.state(), TcpState.SYN_SENT);
  c.send({ flags: "SA", seq: 0, ack: 1, mss: 1460 });
  c.expect({ flags: "A" });
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.end();
});

Deno.test("RFC 5461 4.1: after several tries they do, with their error", async () => {
  for (const [code, errno] of [[0, Errno.ENETUNREACH], [1, Errno.EHOSTUNREACH]]) {
    const c = await connecting();
    for (let i = 0; i < 3 && c.state() === TcpState.SYN_SENT; i++) {
      icmp(c, UNREACH, code, 0);
      c.host.untilSent(100 * SECOND);
      c.takeAll();
    }
    icmp(c, UNREACH, code, 0);
    assertEquals(c.state(), TcpState.CLOSED);
    assertEquals(c.host.error(c.so), errno);
    c.end();
  }
});

Deno.test("RFC 9293 3.9.2.2: an attempt that times out tells of the soft error", async () => {
  for (
    const [type, code, errno] of [
      [11, 0, Errno.EHOSTUNREACH], // TTL ran out
      [UNREACH, 1, Errno.EHOSTUNREACH],
      [UNREACH, 0, Errno.ENETUNREACH],
    ]
  ) {
    const c = await connecting();
    icmp(c, type, code, 0);
    c.host.advance(100 * SECOND);
    assertEquals(c.state(), TcpState.CLOSED);
    assertEquals(c.host.error(c.so), errno);
    c.end();
  }
});

Deno.test("RFC 5927 6: no ICMP error ends an established connection", async () => {
  const c = await established();
  c.write("abc");
  c.take();
  for (let code = 0; code <= 15; code++) if (code !== 4) icmp(c, UNREACH, code, 1);
  icmp(c, 11, 0, 1);
  icmp(c, 12, 0, 1);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  assertEquals(c.host.error(c.so), 0);
  c.send({ ack: 4 });
  c.write("def");
  c.expect({ data: "def" });
  c.end();
});

// SHLD-25
Deno.test("RFC 9293 3.9.2.2: a connection that then times out tells of the error", async () => {
  const c = await established();
  c.write("abc");
  icmp(c, UNREACH, 1, 1);
  c.host.advance(1000 * SECOND);
  c.readFails(Errno.EHOSTUNREACH);
  c.end();
  // but not if the path worked in between
  const d = await established();
  d.write("abc");
  icmp(d, UNREACH, 1, 1);
  d.send({ ack: 4 });
  d.write("def");
  d.host.advance(1000 * SECOND);
  d.readFails(Errno.ETIMEDOUT);
  d.end();
});

Deno.test("RFC 5927 4.1: a number that is not in flight is not believed", async () => {
  const c = await connecting();
  for (const seq of [1, -1, 1000, 2 ** 31]) icmp(c, UNREACH, 3, seq);
  assertEquals(c.state(), TcpState.SYN_SENT);
  c.end();
  const d = await established();
  d.write(pattern(1460));
  for (const seq of [0, 1461, 100_000]) icmp(d, UNREACH, 4, seq, 576);
  assertEquals(d.tcb("snd_mss") & 0xffff, 1460);
  d.end();
});

Deno.test("RFC 5927 4.1: an error about our SYN-ACK ends the half-open connection", async () => {
  const host = await Host.boot();
  const listener = host.listen(80);
  const c = new Conn(host, 80, 40000);
  c.send({ flags: "S", mss: 1460 });
  c.expect({ flags: "SA" });
  icmp(c, UNREACH, 3, 5);
  c.expectWithin(SECOND, { flags: "SA" });
  icmp(c, UNREACH, 3, 0);
  c.silentFor(100 * SECOND);
  host.end(listener);
});

// RFC 5681 3.1-5
Deno.test("RFC 1191 6.3: a smaller path MTU sends again in smaller segments", async () => {
  const c = await established();
  c.write(pattern(5840));
  assertEquals(c.takeAll().length, 4);
  c.send({ ack: 1461 });
  const segments = c.tcb("cwnd") / 1460;
  icmp(c, UNREACH, 4, 1461, 1000);
  const sent = c.takeAll();
  assertEquals(sent.map((s) => [s.seq, s.data.length]).slice(0, 3), [
    [1461, 960],
    [2421, 960],
    [3381, 960],
  ]);
  assertEquals(c.tcb("cwnd") / 960, segments, "it is no sign of congestion");
  c.send({ ack: 5841 });
  c.silentFor(10 * SECOND);
  c.end();
});

Deno.test("RFC 1191 3: a larger or equal MTU changes nothing", async () => {
  const c = await established();
  c.write(pattern(1460));
  c.take();
  for (const mtu of [1500, 1501, 65_535]) icmp(c, UNREACH, 4, 1, mtu);
  assertEquals(c.tcb("snd_mss") & 0xffff, 1460);
  c.silent();
  c.end();
});

Deno.test("RFC 1191 7.1: a router that gives no MTU: the next size that is known", async () => {
  const c = await established();
  c.write(pattern(1460));
  c.take();
  icmp(c, UNREACH, 4, 1, 0);
  c.expect({ seq: 1, len: 1452 });
  c.end();
});

Deno.test("RFC 1191 6.3: what was learned serves new connections for ten minutes", async () => {
  const c = await established();
  c.write(pattern(1460));
  c.take();
  icmp(c, UNREACH, 4, 1, 1000);
  const next = await established({}, c.host);
  next.write(pattern(3000));
  next.expect({ seq: 1, len: 960 });
  c.host.close(next.so);
  c.host.advance(601 * SECOND);
  const later = await established({}, c.host);
  later.write(pattern(3000));
  later.expect({ seq: 1, len: 1460 });
  c.end(later.so);
});

Deno.test("RFC 1191: packets may not be fragmented, but on a path below 552 bytes", async () => {
  const c = await established();
  c.write(pattern(1460));
  assertEquals(c.take()?.df, true);
  icmp(c, UNREACH, 4, 1, 296);
  const sent = c.takeAll();
  assert(sent.length > 0);
  for (const s of sent) {
    assertEquals(s.data.length <= 512, true);
    assertEquals(s.df, false, "or nothing would ever pass");
  }
  c.end();
});

Deno.test("RFC 1191 6.3: the MTU of our own interface may shrink too", async () => {
  const c = await established();
  c.write(pattern(1460));
  c.expect({ len: 1460 });
  c.host.setMtu(1000);
  c.send({});
  c.write(pattern(3000));
  c.host.advance(SECOND);
  assertEquals(c.takeAll()[0].data.length, 960);
  c.end();
});

Deno.test("RFC 6633: source quench is ignored", async () => {
  const c = await established();
  c.write(pattern(14_600));
  c.takeAll();
  const cwnd = c.tcb("cwnd");
  icmp(c, 4, 0, 1);
  assertEquals(c.tcb("cwnd"), cwnd);
  c.silent();
  c.end();
});

Deno.test("IP_MTU_DISCOVER: off, packets may be cut; IP_MTU tells what is known", async () => {
  const level = IpProto.IP;
  const c = await established({ options: [[level, IpOpt.MTU_DISCOVER, Pmtud.DONT]] });
  assertEquals(c.host.getopt(c.so, level, IpOpt.MTU), 1500);
  c.write(pattern(1460));
  assertEquals(c.take()?.df, false);
  c.end();
  const d = await established({}, c.host);
  d.write(pattern(1460));
  assertEquals(d.take()?.df, true);
  icmp(d, UNREACH, 4, 1, 1000);
  assertEquals(d.host.getopt(d.so, level, IpOpt.MTU), 1000);
  d.takeAll();
  d.host.setopt(d.so, level, IpOpt.MTU_DISCOVER, Pmtud.PROBE);
  assertEquals(d.host.getopt(d.so, level, IpOpt.MTU), 1500);
  d.end();
});

Deno.test("IP_MTU_DISCOVER: connections inherit it from their listener", async () => {
  const { c } = await accepted({ options: [[IpProto.IP, IpOpt.MTU_DISCOVER, Pmtud.DONT]] });
  c.write(pattern(100));
  assertEquals(c.take()?.df, false);
  c.end();
});

Deno.test("RFC 1191 6.3: settings say which path MTU is believed, and for how long", async () => {
  const c = await established();
  c.host.tuneNet({ pmtu_min: 1000, pmtu_life_s: 5 });
  c.write(pattern(1460));
  c.take();
  icmp(c, UNREACH, 4, 1, 300);
  const sent = c.takeAll();
  assertEquals([sent[0].data.length, sent[0].df], [960, false]);
  c.host.advance(6 * SECOND);
  const later = await established({}, c.host);
  later.write(pattern(3000));
  later.expect({ seq: 1, len: 1460 });
  c.end(later.so);
});

/** A connection of the profile that checks messages, with 1460 bytes acknowledged. */
async function checking(): Promise<Conn> {
  const c = await established({ host: { tcp: { icmp_mtu_check: 1 } } });
  c.write(pattern(1460));
  c.takeAll();
  c.send({});
  return c;
}

Deno.test("RFC 5927 7.2: an MTU below what got through is believed after a timeout", async () => {
  const c = await checking();
  c.write(pattern(2920));
  c.takeAll();
  icmp(c, UNREACH, 4, 1461, 1000);
  c.silent();
  assertEquals(c.tcb("snd_mss") & 0xffff, 1460, "not yet");
  c.expectWithin(SECOND, { seq: 1461, len: 960 });
  assertEquals(c.host.getopt(c.so, IpProto.IP, IpOpt.MTU), 1000);
  c.end();
});

Deno.test("RFC 5927 7.2: progress proves such a message wrong", async () => {
  const c = await checking();
  c.write(pattern(4380));
  c.takeAll();
  icmp(c, UNREACH, 4, 1461, 1000);
  c.send({ ack: 2921 });
  c.expectWithin(SECOND, { seq: 2921, len: 1460 });
  assertEquals(c.host.getopt(c.so, IpProto.IP, IpOpt.MTU), 1500);
  c.end();
});

Deno.test("RFC 5927 7.2: an MTU that nothing contradicts is believed at once", async () => {
  const c = await established({ host: { tcp: { icmp_mtu_check: 1 } } });
  c.write(pattern(1460));
  c.takeAll();
  icmp(c, UNREACH, 4, 1, 1000);
  c.expect({ seq: 1, len: 960 });
  c.end();
  const d = await established({ host: { tcp: { icmp_mtu_check: 1 } } });
  d.write(pattern(600));
  d.takeAll();
  d.send({});
  d.write(pattern(1460));
  d.takeAll();
  icmp(d, UNREACH, 4, 601, 1000);
  d.expect({ seq: 601, len: 960 });
  d.end();
});

Deno.test("RFC 5927 7.2: a message about a segment that was not too large is false", async () => {
  const c = await established({ host: { tcp: { icmp_mtu_check: 1 } } });
  c.write(pattern(500));
  c.takeAll();
  icmp(c, UNREACH, 4, 1, 1000);
  assertEquals(c.host.getopt(c.so, IpProto.IP, IpOpt.MTU), 1500);
  c.end();
  const d = await connecting({ host: { tcp: { icmp_mtu_check: 1 } } });
  icmp(d, UNREACH, 4, 0, 1000);
  d.send({ flags: "SA", seq: 0, ack: 1, mss: 1460 });
  assertEquals(d.host.getopt(d.so, IpProto.IP, IpOpt.MTU), 1500);
  d.end();
});
