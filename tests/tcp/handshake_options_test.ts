/** What a handshake agrees on: RFC 9293 3.7.1, RFC 7323 2.2 and 3.2, RFC 2018 2. */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Conn, Host, pattern, PEER, type Shake } from "./harness.ts";
import { accepted, connecting, established } from "./shake.ts";

const ROUNDS = [false, true].flatMap((ts) =>
  [false, true].flatMap((sackOk) =>
    [undefined, 0, 7, 14].map((wscale): Shake => ({ ts, sackOk, wscale }))
  )
);

/** What both sides now do must be what was agreed. */
function checkAgreed(c: Conn, shake: Shake): void {
  const mss = 1460 - (shake.ts ? 12 : 0);
  assertEquals(c.tcb("snd_mss") & 0xffff, mss, "timestamps take 12 bytes (RFC 6691)");
  // our scale is in force only if the peer offered one (RFC 7323 2.2)
  c.send({ data: "x" });
  c.host.advance(50_000);
  const ack = c.takeAll().at(-1);
  assert(ack !== undefined);
  assertEquals(ack.ts !== undefined, shake.ts);
  assertEquals(ack.win, shake.wscale === undefined ? 65535 : (262144 - 128) >> 7);
  // the peer's window is scaled by its shift
  c.send({ win: 100 });
  assertEquals(c.tcb("snd_wnd"), 100 << (shake.wscale ?? 0));
  c.send({ seq: 10, data: "y" });
  c.expect({ ack: 2, sack: shake.sackOk ? [[10, 11]] : null });
}

for (const shake of ROUNDS) {
  const name = `ts ${shake.ts}, SACK ${shake.sackOk}, scale ${shake.wscale ?? "none"}`;

  Deno.test(`RFC 7323 2.2, 3.2, RFC 2018 2: active open with ${name}`, async () => {
    const c = await established(shake);
    checkAgreed(c, shake);
    c.end();
  });

  Deno.test(`RFC 7323 2.2, 3.2, RFC 2018 2: passive open with ${name}`, async () => {
    const host = await Host.boot();
    const listener = host.listen(80);
    const c = new Conn(host, 80, 40000);
    const ts = shake.ts ? [c.tsNow(), 0] as const : undefined;
    c.send({ flags: "S", mss: 1460, wscale: shake.wscale, sackOk: shake.sackOk, ts });
    const answer = c.expect({
      flags: "SA",
      ack: 1,
      mss: 1460,
      win: 65535,
      ts: shake.ts,
      sackOk: shake.sackOk,
      wscale: shake.wscale === undefined ? null : 7,
    });
    assertEquals(answer.ts?.[1], ts?.[0], "TSecr of the SYN-ACK");
    c.ts = shake.ts ?? false;
    c.send({ flags: "A", ack: 1 });
    c.so = host.accept(listener);
    c.takeAll();
    checkAgreed(c, shake);
    c.end(listener);
  });
}

Deno.test("RFC 7323 2.3: a shift above 14 counts as 14", async () => {
  const c = await established({ wscale: 200 });
  c.send({ win: 3 });
  assertEquals(c.tcb("snd_wnd"), 3 << 14);
  c.end();
});

Deno.test("RFC 7323 2.2: the window of SYN and SYN-ACK is not scaled", async () => {
  const active = await established({ wscale: 10, win: 5000 });
  assertEquals(active.tcb("snd_wnd"), 5000);
  active.end();
  const c = await connecting({ rcvbuf: 1 << 20 });
  c.host.advance(1_000_000);
  c.expect({ flags: "S", win: 65535 });
  c.end();
});

Deno.test("RFC 9293 3.7.1 (MUST-15): without an MSS option 536 bytes are sent", async () => {
  const c = await connecting();
  c.send({ flags: "SA", seq: 0, ack: 1 });
  c.expect({ flags: "A" });
  c.write(pattern(2000));
  c.expect({ seq: 1, len: 536 });
  c.end();
  const host = await Host.boot();
  const listener = host.listen(80);
  const p = new Conn(host, 80, 40000);
  p.send({ flags: "S", seq: 0 });
  p.expect({ flags: "SA", mss: 1460 });
  p.send({ flags: "A", seq: 1, ack: 1 });
  p.so = host.accept(listener);
  p.takeAll();
  p.write(pattern(2000));
  p.expect({ seq: 1, len: 536 });
  p.end(listener);
});

Deno.test("RFC 9293 3.7.1 (MUST-16): no more is sent than MSS and MTU allow", async () => {
  for (const [mss, len] of [[9000, 1460], [1000, 1000], [65535, 1460]]) {
    const c = await established({ mss });
    c.write(pattern(20_000));
    c.expect({ seq: 1, len });
    c.end();
  }
});

Deno.test("a tiny MSS does not make tiny segments: at least 64 bytes", async () => {
  for (const mss of [0, 1, 63]) {
    const c = await established({ mss });
    c.write(pattern(1000));
    c.expect({ seq: 1, len: 64 });
    c.end();
  }
});

Deno.test("RFC 9293 3.1 (MUST-6, MUST-7): unknown and malformed options do no harm", async () => {
  const lists = [
    [253, 4, 1, 2], // unknown
    [1, 1, 1, 1],
    [0, 9, 9, 9], // end of list, then anything
    [2, 0, 5, 180], // length 0
    [2, 1, 5, 180],
    [8, 10, 0, 0], // longer than the header
    [3, 9, 9, 9],
    [2, 3, 5, 1], // MSS of length 3
    [4, 3, 0, 0],
    [5, 6, 0, 0, 0, 0, 1, 1],
    [1, 1, 1, 8], // a kind without length
  ];
  for (const list of lists) {
    const c = await connecting();
    c.send({ flags: "SA", seq: 0, ack: 1, rawOptions: Uint8Array.from(list) });
    c.expect({ flags: "A", seq: 1, ack: 1 });
    assertEquals(c.state(), TcpState.ESTABLISHED);
    c.write(pattern(1000));
    c.expect({ seq: 1, len: 536 });
    c.send({ ack: 537, rawOptions: Uint8Array.from(list) });
    c.expect({ seq: 537 });
    c.end();
  }
});

Deno.test("TCP_MAXSEG: limits what is sent and what is asked of the peer", async () => {
  const options: Shake["options"] = [[IpProto.TCP, TcpOpt.MAXSEG, 700]];
  const c = await connecting({ options });
  c.host.advance(1_000_000);
  c.expect({ flags: "S", mss: 700 });
  c.send({ flags: "SA", seq: 0, ack: 1, mss: 1460 });
  c.expect({ flags: "A" });
  assertEquals(c.host.getopt(c.so, IpProto.TCP, TcpOpt.MAXSEG), 700);
  c.end();
  const { c: p, listener } = await accepted({ options });
  p.write(pattern(3000));
  p.expect({ seq: 1, len: 700 });
  assertEquals(p.host.inspect.sockets().includes(listener), false);
  p.end();
});

Deno.test("TCP_MAXSEG on a listener is told in the SYN-ACK", async () => {
  const host = await Host.boot();
  const listener = host.listen(80, 5, [[IpProto.TCP, TcpOpt.MAXSEG, 700]]);
  const c = new Conn(host, 80, 40000);
  c.send({ flags: "S", mss: 1460 });
  c.expect({ flags: "SA", mss: 700 });
  host.end(listener);
});

Deno.test("TCP_RFC1323 off: neither scaling nor timestamps are offered or taken", async () => {
  const options: Shake["options"] = [[IpProto.TCP, TcpOpt.RFC1323, 0]];
  const c = await connecting({ options });
  c.host.advance(1_000_000);
  c.expect({ flags: "S", ts: false, wscale: null, sackOk: true });
  c.send({ flags: "SA", seq: 0, ack: 1, mss: 1460, wscale: 7, ts: [1, 0], win: 1000 });
  c.expect({ flags: "A", ts: false });
  c.send({ win: 1000 });
  assertEquals(c.tcb("snd_wnd"), 1000);
  c.end();
  const host = await Host.boot();
  const listener = host.listen(80, 5, options.slice());
  const p = new Conn(host, 80, 40000);
  p.send({ flags: "S", mss: 1460, wscale: 7, ts: [1, 0], sackOk: true });
  p.expect({ flags: "SA", ts: false, wscale: null, sackOk: true });
  host.end(listener);
});

Deno.test("RFC 9293 3.9.1: the user learns the addresses of both ends", async () => {
  const { c } = await accepted();
  const at = c.host.place();
  assertEquals(c.host.call("so_peername", c.so, at), 0);
  assertEquals([...c.host.engine.memory.slice(at + 12, at + 16)].join("."), PEER);
  c.end();
});
