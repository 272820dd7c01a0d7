/** The window we offer: RFC 9293 3.8.6 and 3.8.6.2.2, RFC 7323 2, RFC 1122 4.2.3.3. */

import { assert, assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { So, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { Conn, Host, pattern, PEER } from "./harness.ts";
import type { TcpTuning } from "./host.ts";
import { accepted, established, localPort } from "./shake.ts";

const DELAY = 40_000;

/** Window of the last ACK, in bytes. */
function offered(c: Conn, shift = 0): number {
  c.host.advance(DELAY);
  const last = c.takeAll().at(-1);
  assert(last !== undefined, "an ACK");
  return last.win << shift;
}

Deno.test("RFC 9293 3.8.6: the window closes as the buffer fills", async () => {
  const c = await established({ rcvbuf: 8000 });
  let sent = 0;
  while (sent < 8000) {
    const n = Math.min(1000, 8000 - sent);
    c.send({ data: pattern(n, sent) });
    sent += n;
    assertEquals(offered(c), 8000 - sent);
  }
  c.send({ data: "beyond" });
  c.expect({ flags: "A", ack: 8001, win: 0 });
  assertEquals(c.tryRead().data, pattern(8000));
  c.end();
});

Deno.test("RFC 7323 2.4: with scaling too, small segments do not move the edge", async () => {
  const c = await established({ host: { tcp: { rcvbuf: 10_000 } }, wscale: 4 });
  let edge = 0;
  for (let i = 1; i <= 3000; i++) {
    c.send({ data: "x" });
    if (i % 100 === 0) edge = Math.max(edge, i + offered(c, 7));
  }
  assert(edge <= 10_000, `the right edge came to ${edge}`);
  c.end();
});

Deno.test("RFC 9293 3.8.6 (SHLD-14): the right edge never moves left", async () => {
  const c = await established({ rcvbuf: 20_000 });
  let edge = 0;
  for (let i = 0; i < 40; i++) {
    c.send({ data: pattern(300) });
    if (i % 3 === 0) c.tryRead(100);
    c.host.advance(DELAY);
    for (const s of c.takeAll()) {
      assert(s.ack + s.win >= edge, `edge ${s.ack + s.win} after ${edge}`);
      edge = s.ack + s.win;
    }
  }
  c.end();
});

Deno.test("RFC 9293 3.8.6 (SHLD-14): also when SO_RCVBUF is lowered", async () => {
  const c = await established({ rcvbuf: 20_000 });
  c.send({ data: "x" });
  const edge = 2 + offered(c);
  c.host.setopt(c.so, 0xffff, 0x1002, 3000);
  c.send({ data: "y" });
  c.host.advance(DELAY);
  const ack = c.expect({ ack: 3 });
  assertEquals(ack.ack + ack.win, edge);
  for (let i = 0; i < 7; i++) c.send({ data: pattern(1400) });
  assertEquals(c.tryRead().n, 9802);
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: what lies beyond the window is cut off", async () => {
  const c = await established({ rcvbuf: 3000 });
  c.send({ data: pattern(1400) }, { data: pattern(1400, 1400) });
  c.expect({ ack: 2801, win: 200 });
  c.send({ flags: "FPA", data: pattern(500, 2800) });
  c.expect({ flags: "A", ack: 3001, win: 0 });
  assertEquals(c.tryRead().data, pattern(3000));
  c.end();
});

Deno.test("RFC 9293 3.10.7.4 (MUST-66): a closed window still takes ACK, URG and RST", async () => {
  const c = await established({ rcvbuf: 2000 });
  c.write("abc");
  c.send({ data: pattern(1000), ack: 1 }, { data: pattern(1000), ack: 1 });
  assertEquals(c.takeAll().at(-1)?.win, 0);
  c.send({ seq: 2001, data: "z", ack: 4 }); // a probe with news
  assertEquals(c.fate(), Fate.TCP_ACCEPTED);
  assertEquals(c.tcb("snd_una"), c.tcb("snd_nxt"));
  c.expect({ flags: "A", ack: 2001, win: 0 });
  c.send({ seq: 2000, ack: 4 }); // beside it
  c.expect({ flags: "A", ack: 2001, win: 0 });
  c.send({ flags: "R", seq: 2001 });
  assertEquals(c.state(), 0);
  c.end();
});

Deno.test("RFC 9293 3.8.6: reading opens the closed window with an update", async () => {
  const c = await established({ rcvbuf: 10_000 });
  for (let i = 0; i < 10; i++) c.send({ data: pattern(1000) });
  assertEquals(c.takeAll().at(-1)?.win, 0);
  assertEquals(c.tryRead(10_000).n, 10_000);
  c.expect({ flags: "A", seq: 1, ack: 10_001, len: 0, win: 10_000 });
  c.silent();
  c.end();
});

Deno.test("RFC 1122 4.2.3.3 (MUST-39): small reads do not open the window by slivers", async () => {
  const c = await established({ rcvbuf: 10_000 });
  for (let i = 0; i < 10; i++) c.send({ data: pattern(1000) });
  c.takeAll();
  let read = 0;
  while (read < 2900) {
    read += c.tryRead(100).n;
    c.silent();
  }
  c.tryRead(100); // two segments
  assertEquals(c.expect({ flags: "A" }).win, 3000);
  c.end();
});

Deno.test("RFC 1122 4.2.3.3: with a small buffer half of it is worth an update", async () => {
  const c = await established({ rcvbuf: 2000 });
  c.send({ data: pattern(1000) }, { data: pattern(1000) });
  c.takeAll();
  c.tryRead(999);
  c.silent();
  c.tryRead(1);
  c.expect({ flags: "A", win: 1000 });
  c.end();
});

Deno.test("RFC 9293 3.8.6: steady reading does not send an update for each read", async () => {
  const c = await established({ rcvbuf: 60_000 });
  let updates = 0;
  for (let i = 0; i < 100; i++) {
    c.send({ data: pattern(1460) });
    c.tryRead(1460);
    updates += c.takeAll().length;
  }
  assertEquals(updates, 50); // the ACK of every second segment, and nothing more
  c.end();
});

Deno.test("a large buffer is told of with the first ACK", async () => {
  const c = await established({ wscale: 7 });
  c.send({ data: "x" });
  assertEquals(offered(c, 7), 262_144 - 128);
  const { c: p } = await accepted({ wscale: 7, rcvbuf: 1 << 20 });
  p.send({ data: "x" });
  assertEquals(offered(p, 5), (1 << 20) - 32);
  c.end();
  p.end();
});

Deno.test("also where two segments are more than a SYN can say", async () => {
  const host = { mtu: 65_535, tcp: { rcvbuf: 1 << 17 } };
  // this sees that no ACK follows the handshake
  const { c } = await accepted({ host, mss: 65_495, wscale: 7 });
  c.send({ data: "x" });
  assert(offered(c, 7) > 65_535);
  c.end();
});

Deno.test("RFC 9293 3.8.6: a buffer as large as a SYN can say opens again", async () => {
  const { c } = await accepted({ rcvbuf: 65_535 });
  for (let sent = 0; sent < 65_535;) {
    const n = Math.min(1460, 65_535 - sent);
    c.send({ data: pattern(n, sent) });
    sent += n;
  }
  assertEquals(offered(c), 0);
  assertEquals(c.tryRead(65_535).n, 65_535);
  c.expect({ flags: "A", ack: 65_536, len: 0, win: 65_535 });
  c.end();
});

/** Scale of the SYN that a socket sends, and of its SYN-ACK. */
async function scales(tcp: TcpTuning, rcvbuf?: number, clamp?: number): Promise<number[]> {
  const options: [number, number, number][] = clamp === undefined
    ? []
    : [[IpProto.TCP, TcpOpt.WINDOW_CLAMP, clamp]];
  const host = await Host.boot({ tcp });
  const so = host.socket();
  if (rcvbuf) host.setopt(so, Sol.SOCKET, So.RCVBUF, rcvbuf);
  for (const [level, name, value] of options) host.setopt(so, level, name, value);
  host.call("so_connect", so, host.name(PEER, 80));
  host.step();
  const syn = new Conn(host, localPort(host, so), 80);
  const first = syn.expect({ flags: "S" });
  host.setopt(so, Sol.SOCKET, So.RCVBUF, 1 << 22); // too late: what was said stays
  host.advance(1_000_000);
  const again = syn.expect({ flags: "S" });
  assertEquals([again.wscale, again.win > 0], [first.wscale, true]);
  const listener = host.listen(
    90,
    5,
    rcvbuf ? [[Sol.SOCKET, So.RCVBUF, rcvbuf], ...options] : options,
  );
  const peer = new Conn(host, 90, 40000);
  peer.send({ flags: "S", mss: 1460, wscale: 0 });
  const answer = peer.expect({ flags: "SA" });
  peer.send({ flags: "R", seq: 1 });
  host.end(so, listener);
  return [first.wscale ?? -1, answer.wscale ?? -1];
}

Deno.test("RFC 7323 2.3: the scale is that of the largest buffer there may be", async () => {
  assertEquals(await scales({ rcvbuf_max: 6 << 20 }), [7, 7]);
  assertEquals(await scales({ rcvbuf_max: 15 << 20 }), [8, 8]);
  assertEquals(await scales({ rcvbuf_max: 2 << 20 }), [6, 6]);
  assertEquals(await scales({ rcvbuf_max: 0, rcvbuf: 65_536 }), [1, 1]);
  assertEquals(await scales({ rcvbuf_max: 0, rcvbuf: 65_535 }), [0, 0]);
  // SO_RCVBUF fixes the size
  assertEquals(await scales({}, 65_535), [0, 0]);
  assertEquals(await scales({}, 1 << 20), [5, 5]);
  assertEquals(await scales({}, 16 << 20), [9, 9]);
  assertEquals(await scales({}, undefined, 100_000), [1, 1]);
});

Deno.test("without scaling no more than 65,535 bytes are offered and held", async () => {
  const c = await established({ rcvbuf: 1 << 20 });
  c.send({ data: "x" });
  assertEquals(offered(c), 65535);
  c.end();
});

Deno.test("RFC 7323 2.2: a buffer smaller than the unit of the field opens", async () => {
  const c = await established({ host: { tcp: { rcvbuf: 10 } }, wscale: 0 });
  for (let i = 0; i < 5; i++) {
    c.send({ data: "x" });
    assertEquals(offered(c, 7), 0);
    assertEquals(c.read(), "x");
    c.expect({ win: 1 });
  }
  c.end();
});
