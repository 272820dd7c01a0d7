/** SYNs with more in them than a SYN should have: RFC 9293 3.10.7, RFC 5961, RFC 7323 3.2. */

import { assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Conn, Errno, Host, type Say } from "./harness.ts";
import { connecting } from "./shake.ts";

const SECOND = 1_000_000;
const SYN: Say = { flags: "S", seq: 0, mss: 1460 };

async function listening(): Promise<{ host: Host; listener: number; c: Conn }> {
  const host = await Host.boot();
  return { host, listener: host.listen(80), c: new Conn(host, 80, 40000) };
}

Deno.test("RFC 9293 3.10.7.2: data in a SYN is left for the peer to send again", async () => {
  const { host, listener, c } = await listening();
  c.send({ ...SYN, data: "request" });
  assertEquals(c.fate(), Fate.TCP_SYN_ACCEPTED);
  c.expect({ flags: "SA", seq: 0, ack: 1 });
  c.send({ flags: "A", seq: 1, ack: 1 });
  c.so = host.accept(listener);
  c.readFails(Errno.EAGAIN);
  c.send({ seq: 1, ack: 1, data: "request" });
  assertEquals(c.read(), "request");
  c.end(listener);
});

Deno.test("RFC 9293 3.10.7.2: FIN in a SYN is not taken before the connection stands", async () => {
  const { host, listener, c } = await listening();
  c.send({ ...SYN, flags: "FS" });
  c.expect({ flags: "SA", seq: 0, ack: 1 });
  c.send({ flags: "A", seq: 1, ack: 1 });
  c.so = host.accept(listener);
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.send({ flags: "FA", seq: 1, ack: 1 });
  assertEquals(c.state(), TcpState.CLOSE_WAIT);
  c.end(listener);
});

Deno.test("RFC 9293 3.10.7.2: RST comes first, whatever else a segment says", async () => {
  const { host, listener, c } = await listening();
  for (const flags of ["SR", "FSR", "SRA", "FSRPAU"]) {
    c.send({ ...SYN, flags, ack: 5 });
    assertEquals(c.fate(), Fate.TCP_LISTEN_INVALID);
    c.silent();
  }
  assertEquals(host.call("tcp_count", TcpState.SYN_RECEIVED), 0);
  host.end(listener);
});

Deno.test("RFC 9293 3.10.7.2: ACK comes before SYN: RST at its number", async () => {
  const { host, listener, c } = await listening();
  for (const flags of ["SA", "FSA", "A", "PA", "FA"]) {
    c.send({ ...SYN, flags, ack: 77 });
    c.expect({ flags: "R", seq: 77 });
  }
  host.end(listener);
});

Deno.test("RFC 7323 3.2: what a SYN agreed on stays, though it comes again without", async () => {
  const { host, listener, c } = await listening();
  c.send({ ...SYN, wscale: 7, sackOk: true, ts: [1000, 0] });
  const first = c.expect({ flags: "SA", sackOk: true, ts: true });
  c.send(SYN);
  c.expect({ flags: "SA", sackOk: true, ts: true, wscale: first.wscale });
  c.send({ ...SYN, mss: 100, wscale: 2, ts: [2000, 0] });
  c.expect({ flags: "SA", tsEcr: 2000, wscale: first.wscale });
  c.send({ flags: "A", seq: 1, ack: 1, win: 10, ts: [2001, first.ts![0]] });
  c.so = host.accept(listener);
  assertEquals(c.tcb("snd_wnd"), 10 << 7);
  c.end(listener);
});

Deno.test("RFC 7323 3.2: an older SYN does not take the timestamp back", async () => {
  const { host, listener, c } = await listening();
  c.send({ ...SYN, ts: [2000, 0] });
  c.expect({ flags: "SA", tsEcr: 2000 });
  c.send({ ...SYN, ts: [1000, 0] });
  c.expect({ flags: "SA", tsEcr: 2000 });
  host.end(listener);
});

Deno.test("RFC 9293 3.10.7.3: SYN with FIN and data in SYN-SENT are all taken", async () => {
  const c = await connecting();
  c.send({ flags: "FSA", seq: 0, ack: 1, mss: 1460, data: "bye" });
  assertEquals(c.takeAll().at(-1)?.ack, 5);
  assertEquals(c.state(), TcpState.CLOSE_WAIT);
  assertEquals(c.read(), "bye");
  assertEquals(c.read(), "");
  c.end();
});

Deno.test("RFC 9293 3.10.7.3: RST with SYN in SYN-SENT counts as RST", async () => {
  const c = await connecting();
  c.send({ flags: "SR", seq: 0 });
  assertEquals(c.fate(), Fate.TCP_SYN_SENT_INVALID);
  assertEquals(c.state(), TcpState.SYN_SENT);
  c.send({ flags: "SRA", seq: 0, ack: 1 });
  assertEquals(c.host.error(c.so), Errno.ECONNREFUSED);
  c.end();
});

Deno.test("RFC 9293 3.5: in a simultaneous open data of the SYN is sent again later", async () => {
  const c = await connecting();
  c.send({ ...SYN, data: "early" });
  c.expect({ flags: "SA", seq: 0, ack: 1 });
  c.send({ flags: "SA", seq: 0, ack: 1, mss: 1460, data: "early" });
  assertEquals(c.takeAll().at(-1)?.ack, 6);
  assertEquals(c.read(), "early");
  c.end();
});

Deno.test("RFC 9293 3.5: simultaneous open: an ACK of nothing sent draws RST", async () => {
  const c = await connecting();
  c.send(SYN);
  c.expect({ flags: "SA", seq: 0, ack: 1 });
  for (const ack of [0, 2, 1000]) {
    c.send({ flags: "A", seq: 1, ack });
    c.expect({ flags: "R", seq: ack });
    assertEquals(c.state(), TcpState.SYN_RECEIVED);
  }
  c.send({ flags: "SA", seq: 50, ack: 1 });
  assertEquals(c.fate(), Fate.TCP_SYN_CHALLENGED);
  assertEquals(c.state(), TcpState.SYN_RECEIVED);
  c.end();
});

Deno.test("RFC 9293 3.5: simultaneous open: the SYN-ACK is repeated until its ACK", async () => {
  const c = await connecting();
  c.send(SYN);
  c.expect({ flags: "SA" });
  assertEquals(c.expectWithin(2 * SECOND, { flags: "SA", seq: 0, ack: 1 }), SECOND);
  c.send({ flags: "A", seq: 1, ack: 1 });
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.silentFor(100 * SECOND);
  c.end();
});
