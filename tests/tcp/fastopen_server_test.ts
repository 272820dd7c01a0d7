/** Fast Open as a server: RFC 7413 4.1.2, 4.2.2 and 5.1. */

import { assert, assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Shut, TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { KEY, LINUX_COOKIE, listening, opened, setBytes, SYN, synDataTaken } from "./fastopen.ts";
import { Conn, Errno, Host, pattern } from "./harness.ts";

const SECOND = 1_000_000;
/** Client, server. */
const ON = { tcp: { fastopen: 3 } };

Deno.test("RFC 7413 4.2.2: data in the SYN can be read before the handshake ends", async () => {
  const { host, listener, c } = await opened();
  assertEquals(c.state(), TcpState.SYN_RECEIVED);
  assertEquals(c.read(), "request");
  assertEquals(synDataTaken(c), true);
  assertEquals(host.inspect.stat(Stat.TCP_FASTOPEN_PASSIVE), 1);
  c.send({ flags: "A", seq: 8, ack: 1 });
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.silent();
  c.send({ seq: 8, ack: 1, data: "more" });
  assertEquals(c.read(), "more");
  c.end(listener);
});

Deno.test("RFC 7413 4.2.2: the answer may be sent before the handshake ends", async () => {
  const { listener, c } = await opened();
  c.write("response");
  c.expect({ flags: "PA", seq: 1, ack: 8, data: "response" });
  c.send({ flags: "A", seq: 8, ack: 9 });
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.silentFor(10 * SECOND);
  c.end(listener);
});

Deno.test("RFC 7413 4.2.2: until the SYN-ACK is acknowledged only it is sent again", async () => {
  const { host, listener, c } = await opened();
  c.write("response");
  c.expect({ flags: "PA", seq: 1, data: "response" });
  assertEquals(c.expectWithin(2 * SECOND, { flags: "SA", seq: 0, ack: 8, len: 0 }), SECOND);
  assertEquals(c.expectWithin(3 * SECOND, { flags: "SA", seq: 0, ack: 8 }), 2 * SECOND);
  c.send({ flags: "A", seq: 8, ack: 1 });
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.expectWithin(5 * SECOND, { seq: 1, data: "response" });
  c.send({ ack: 9 });
  assertEquals(host.inspect.stat(Stat.TCP_FASTOPEN_PASSIVE), 1);
  c.end(listener);
});

Deno.test("the ACK of the answer completes the handshake", async () => {
  const { listener, c } = await opened();
  c.write(pattern(4380));
  assertEquals(c.takeAll().map(({ seq }) => seq), [1, 1461, 2921]);
  c.send({ flags: "A", seq: 8, ack: 1461 });
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.send({ flags: "A", seq: 8, ack: 4381 });
  c.silentFor(10 * SECOND);
  c.end(listener);
});

Deno.test("the initial window limits what is sent before the handshake ends", async () => {
  const { listener, c } = await opened();
  c.write(pattern(40_000));
  assertEquals(c.takeAll().length, 10);
  c.end(listener);
});

Deno.test("an ACK of what was never sent is answered with RST and changes nothing", async () => {
  const { listener, c } = await opened();
  for (const ack of [0, 2, 100]) {
    c.send({ flags: "A", seq: 8, ack });
    c.expect({ flags: "R", seq: ack });
    assertEquals(c.state(), TcpState.SYN_RECEIVED);
  }
  c.send({ flags: "A", seq: 8, ack: 1 });
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.end(listener);
});

Deno.test("RFC 7413 4.2.2: data of a SYN is never delivered twice", async () => {
  const { listener, c } = await opened();
  // the same SYN, with data and without, asks for the SYN-ACK
  for (const data of ["request", ""]) {
    c.send({ ...SYN, data, fo: LINUX_COOKIE });
    assertEquals(c.fate(), Fate.TCP_SYN_ACCEPTED);
    c.expect({ flags: "SA", seq: 0, ack: 8 });
  }
  // a peer that saw no SYN-ACK for its data sends it again
  c.send({ seq: 1, ack: 1, data: "request" });
  assertEquals(c.takeAll().at(-1)?.ack, 8);
  assertEquals(c.read(), "request");
  c.readFails(Errno.EAGAIN);
  c.send({ flags: "A", seq: 8, ack: 1 });
  c.send({ ...SYN, data: "request", fo: LINUX_COOKIE });
  assertEquals(c.fate(), Fate.TCP_SYN_CHALLENGED);
  c.expect({ flags: "A", ack: 8 });
  c.readFails(Errno.EAGAIN);
  c.end(listener);
});

Deno.test("a SYN with a good cookie and no data opens too", async () => {
  const { host, listener, conn } = await listening();
  const c = conn();
  c.send({ ...SYN, fo: LINUX_COOKIE });
  c.expect({ flags: "SA", ack: 1 });
  c.so = host.accept(listener);
  assertEquals(synDataTaken(c), false);
  c.write("early");
  c.expect({ flags: "PA", seq: 1, data: "early" });
  c.send({ flags: "A", seq: 1, ack: 6 });
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.end(listener);
});

Deno.test("RFC 7413 4.2.2: beyond the limit the handshake is ordinary", async () => {
  const { host, listener, conn } = await listening(2);
  const conns = [0, 1, 2].map((i) => conn(40000 + i));
  const fast = conns.map((c) => {
    c.send({ ...SYN, data: "x", fo: LINUX_COOKIE });
    return c.expect({ flags: "SA", fo: null }).ack === 2;
  });
  assertEquals(fast, [true, true, false]);
  assertEquals(host.inspect.stat(Stat.TCP_FASTOPEN_OVERFLOWS), 1);
  conns[0].send({ flags: "A", seq: 2, ack: 1 }); // confirmed: there is room again
  const next = conn(41000);
  next.send({ ...SYN, data: "x", fo: LINUX_COOKIE });
  next.expect({ flags: "SA", ack: 2 });
  host.end(listener);
});

Deno.test("RFC 7413 5.1: what is reset while it is pending counts for another minute", async () => {
  const { host, listener, conn } = await listening(1);
  const fast = (port: number) => {
    const c = conn(port);
    c.send({ ...SYN, data: "x", fo: LINUX_COOKIE });
    const taken = c.expect({ flags: "SA" }).ack === 2;
    c.send({ flags: "R", seq: taken ? 2 : 1 });
    return taken;
  };
  assertEquals(fast(40000), true);
  assertEquals(fast(40001), false);
  host.advance(59 * SECOND);
  assertEquals(fast(40002), false);
  host.advance(9 * SECOND);
  assertEquals(fast(40003), true);
  host.end(listener);
});

Deno.test("RST before accept: accept tells of it; RST after: reading does", async () => {
  const { host, listener, conn } = await listening();
  const early = conn();
  early.send({ ...SYN, data: "x", fo: LINUX_COOKIE }, { flags: "R", seq: 2 });
  assertEquals(host.call("so_accept", listener, host.place()), -Errno.ECONNABORTED);
  const late = conn(40001);
  late.send({ ...SYN, data: "x", fo: LINUX_COOKIE });
  late.so = host.accept(listener);
  late.send({ flags: "R", seq: 2 });
  assertEquals(late.read(), "x");
  late.readFails(Errno.ECONNRESET);
  late.end(listener);
});

Deno.test("RFC 5961 3.2: RST elsewhere in the window of a pending one is challenged", async () => {
  const { listener, c } = await opened();
  c.send({ flags: "R", seq: 100 });
  assertEquals(c.fate(), Fate.TCP_RST_CHALLENGED);
  c.expect({ flags: "A", ack: 8 });
  assertEquals(c.state(), TcpState.SYN_RECEIVED);
  c.end(listener);
});

Deno.test("close before the handshake ends: data and FIN leave at once", async () => {
  const { host, listener, c } = await opened();
  assertEquals(c.read(), "request");
  c.write("bye");
  c.expect({ flags: "PA", seq: 1, data: "bye" });
  c.close();
  c.expect({ flags: "FA", seq: 4, ack: 8 });
  c.expectWithin(2 * SECOND, { flags: "SA", seq: 0, ack: 8 });
  c.send({ flags: "A", seq: 8, ack: 5 });
  c.send({ flags: "FA", seq: 8, ack: 5 });
  c.expect({ flags: "A", seq: 5, ack: 9 });
  host.end(listener);
});

Deno.test("shutdown before the handshake ends; the peer's data is still read", async () => {
  const { listener, c } = await opened();
  c.shutdown(Shut.WR);
  c.expect({ flags: "FA", seq: 1, ack: 8 });
  c.send({ flags: "A", seq: 8, ack: 1 });
  c.send({ seq: 8, ack: 2, data: "more" });
  assertEquals(c.state(), TcpState.FIN_WAIT_2);
  assertEquals(c.read(), "requestmore");
  c.send({ flags: "FA" });
  assertEquals(c.takeAll().at(-1)?.ack, 13);
  c.end(listener);
});

Deno.test("close with data unread before the handshake ends: RST", async () => {
  const { host, listener, c } = await opened();
  c.close();
  c.expect({ flags: "RA", seq: 1, ack: 8 });
  host.end(listener);
});

Deno.test("a listener that closes resets those not accepted and keeps the others", async () => {
  const { host, listener, conn } = await listening();
  const [kept, lost] = [conn(40000), conn(40001)];
  for (const c of [kept, lost]) {
    c.send({ ...SYN, data: "x", fo: LINUX_COOKIE });
    c.expect({ flags: "SA" });
  }
  kept.so = host.accept(listener);
  host.close(listener);
  lost.expect({ flags: "RA", seq: 1 });
  kept.silent();
  kept.send({ flags: "A", seq: 2, ack: 1 });
  assertEquals(kept.state(), TcpState.ESTABLISHED);
  assertEquals(kept.read(), "x");
  kept.end();
});

Deno.test("the SYN-ACK is sent as often as synack_retries says, and once more", async () => {
  const { listener, c } = await opened();
  const times = [1, 2, 4, 8, 16, 32].map(() => c.expectWithin(100 * SECOND, { flags: "SA" }));
  assertEquals(times, [1, 2, 4, 8, 16, 32].map((s) => s * SECOND));
  c.host.advance(70 * SECOND);
  assertEquals(c.state(), TcpState.CLOSED);
  assertEquals(c.read(), "request");
  c.readFails(Errno.ETIMEDOUT);
  c.end(listener);
});

Deno.test("TCP_FASTOPEN_NO_COOKIE on a listener does the same for it", async () => {
  const { host, listener, conn } = await listening();
  host.setopt(listener, IpProto.TCP, TcpOpt.FASTOPEN_NO_COOKIE, 1);
  const c = conn();
  c.send({ ...SYN, data: "x" });
  c.expect({ flags: "SA", ack: 2 });
  host.end(listener);
});

Deno.test("with SYN cookies there is no Fast Open; the data comes again", async () => {
  const { host, listener, conn } = await listening(5, { tcp: { fastopen: 3, syncookies: 2 } });
  const c = conn();
  c.send({ ...SYN, data: "x", fo: LINUX_COOKIE });
  c.expect({ flags: "SA", ack: 1, fo: null });
  host.end(listener);
});

Deno.test("RFC 9293 3.6.1: Fast Open reopens TIME-WAIT above its numbers", async () => {
  const { host, listener, c } = await opened();
  c.send({ flags: "A", seq: 8, ack: 1 });
  assertEquals(c.read(), "request");
  c.close();
  c.expect({ flags: "FA" });
  c.send({ flags: "FA" });
  c.expect({ flags: "A" });
  const again = new Conn(host, 80, 40000);
  again.isn = (c.isn + 1000) >>> 0;
  again.send({ ...SYN, data: "again", fo: LINUX_COOKIE });
  again.expect({ flags: "SA", ack: 6 });
  assert(((again.iss - (c.iss + 2)) | 0) > 0, "above the old numbers");
  again.so = host.accept(listener);
  assertEquals(again.read(), "again");
  again.end(listener);
});

Deno.test("a SYN with more data than the window takes is cut", async () => {
  const host = await Host.boot(ON);
  const small: [number, number, number] = [0xffff, 0x1002, 500];
  const listener = host.listen(80, 5, [[IpProto.TCP, TcpOpt.FASTOPEN, 5], small]);
  setBytes(host, listener, TcpOpt.FASTOPEN_KEY, KEY);
  const c = new Conn(host, 80, 40000);
  c.send({ ...SYN, data: pattern(1000), fo: LINUX_COOKIE });
  c.expect({ flags: "SA", ack: 501 });
  c.so = host.accept(listener);
  assertEquals(c.tryRead().data, pattern(500));
  c.end(listener);
});

Deno.test("RFC 7323 2.2: the window of the SYN is not scaled, what follows is", async () => {
  const { host, listener, conn } = await listening();
  const c = conn();
  c.send({ ...SYN, wscale: 7, data: "x", fo: LINUX_COOKIE, win: 3000 });
  c.expect({ flags: "SA" });
  c.so = host.accept(listener);
  assertEquals(c.tcb("snd_wnd"), 3000);
  c.write(pattern(10_000));
  assertEquals(c.takeAll().reduce((sum, { data }) => sum + data.length, 0), 2920);
  c.send({ flags: "A", seq: 2, ack: 1, win: 3000 });
  assertEquals(c.tcb("snd_wnd"), 3000 * 128);
  c.end(listener);
});
