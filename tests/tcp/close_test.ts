/** Closing in every order: RFC 9293 3.6, 3.6.1 and 3.10.4, RFC 2525 2.17. */

import { assertEquals } from "@std/assert";
import { Ev } from "../../assembly/abi/event.ts";
import { Fate } from "../../assembly/abi/fate.ts";
import { Shut, So, Sol } from "../../assembly/abi/socket.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { type Conn, Errno, pattern } from "./harness.ts";
import { established } from "./shake.ts";
import { inState } from "./states.ts";

const SECOND = 1_000_000;

/** The wire's two ends of a connection whose user is gone: nothing may be left of it. */
function gone(c: Conn): void {
  c.silent();
  assertEquals(c.host.inspect.sockets(), []);
}

Deno.test("RFC 9293 figure 12: we close first", async () => {
  const c = await established();
  c.close();
  c.expect({ flags: "FA", seq: 1, ack: 1 });
  c.send({ ack: 2 });
  c.send({ flags: "FA", ack: 2 });
  c.expect({ flags: "A", seq: 2, ack: 2 });
  gone(c);
  c.end();
});

Deno.test("RFC 9293 figure 12: the ACK of our FIN may come with the peer's FIN", async () => {
  const c = await established();
  c.close();
  c.expect({ flags: "FA", seq: 1 });
  c.send({ flags: "FA", ack: 2 });
  c.expect({ flags: "A", seq: 2, ack: 2 });
  gone(c);
  c.end();
});

Deno.test("RFC 9293 3.6: the peer closes first; data may still go to it", async () => {
  const c = await established();
  c.send({ flags: "FA", data: "end" });
  c.expect({ flags: "A", ack: 5 });
  assertEquals(c.state(), TcpState.CLOSE_WAIT);
  assertEquals(c.read(), "end");
  assertEquals(c.read(), "");
  c.write("answer");
  c.expect({ data: "answer", ack: 5 });
  c.send({ ack: 7 });
  c.close();
  c.expect({ flags: "FA", seq: 7, ack: 5 });
  c.send({ ack: 8 });
  gone(c);
  c.end();
});

Deno.test("RFC 9293 figure 13: both close at once", async () => {
  const c = await established();
  c.close();
  c.expect({ flags: "FA", seq: 1, ack: 1 });
  c.send({ flags: "FA", seq: 1, ack: 1 });
  c.expect({ flags: "A", seq: 2, ack: 2 });
  c.send({ seq: 2, ack: 2 });
  assertEquals(c.fate(), Fate.TCP_ACCEPTED);
  gone(c);
  c.end();
});

Deno.test("RFC 9293 figure 13: the peer's FIN and its ACK of ours in one batch", async () => {
  const c = await established();
  c.close();
  c.expect({ flags: "FA", seq: 1, ack: 1 });
  c.send({ flags: "FA", seq: 1, ack: 1 }, { seq: 2, ack: 2 });
  c.expect({ flags: "A", ack: 2 });
  gone(c);
  c.end();
});

Deno.test("RFC 9293 3.6: half close: reading goes on after shutdown", async () => {
  const c = await established();
  c.write("request");
  c.shutdown(Shut.WR);
  c.expect({ flags: "A", seq: 1, data: "request" });
  c.expect({ flags: "FA", seq: 8, len: 0 });
  c.send({ ack: 9 });
  assertEquals(c.state(), TcpState.FIN_WAIT_2);
  assertEquals(c.tryWrite("more"), -Errno.EPIPE);
  for (let i = 0; i < 3; i++) {
    c.host.advance(60 * SECOND); // no limit while somebody reads
    c.send({ data: `part ${i};` });
    assertEquals(c.read(), `part ${i};`);
    c.takeAll();
  }
  c.send({ flags: "FA" });
  c.expect({ flags: "A", ack: 23 });
  assertEquals(c.read(), "");
  c.end();
});

Deno.test("RFC 9293 3.6: FIN waits for the data in front of it", async () => {
  const c = await established({ win: 10 });
  c.write("0123456789abcdef");
  c.close();
  c.expect({ flags: "A", seq: 1, data: "0123456789" });
  c.silent();
  c.send({ ack: 11, win: 5 });
  c.expect({ seq: 11, data: "abcde" });
  c.silent();
  c.send({ ack: 16, win: 5 });
  c.expect({ flags: "FA", seq: 16, data: "f" });
  c.send({ flags: "FA", ack: 18 });
  c.expect({ flags: "A", seq: 18, ack: 2 });
  gone(c);
  c.end();
});

Deno.test("RFC 6298 5.4: a lost FIN is sent again, with its data", async () => {
  const c = await established();
  c.write("abc");
  c.close();
  c.expect({ seq: 1, data: "abc" });
  c.expect({ flags: "FA", seq: 4, len: 0 });
  c.send({ ack: 4 });
  assertEquals(c.expectWithin(SECOND, { flags: "FA", seq: 4, len: 0 }), 200_000);
  c.send({ ack: 5 });
  c.silent();
  c.end();
  const d = await established();
  d.write("abc");
  d.close();
  d.takeAll();
  d.expectWithin(SECOND, { flags: "FA", seq: 1, data: "abc" });
  d.send({ ack: 5 });
  d.end();
});

Deno.test("RFC 2525 2.17 (SHLD-3): close with unread data sends RST", async () => {
  const c = await established();
  c.write("sent");
  c.expect({ data: "sent" });
  c.send({ data: "never read", ack: 5 });
  c.close();
  c.expect({ flags: "RA", seq: 5, ack: 11 });
  gone(c);
  c.end();
});

Deno.test("RFC 2525 2.17: the same in FIN-WAIT-2 and in CLOSE-WAIT", async () => {
  const half = await inState(TcpState.FIN_WAIT_2);
  half.send({ data: "never read" });
  half.close();
  half.expect({ flags: "RA", seq: 2, ack: 11 });
  gone(half);
  half.end();
  const c = await established();
  c.send({ flags: "FA", data: "never read" });
  c.expect({ ack: 12 });
  c.close();
  c.expect({ flags: "RA", seq: 1, ack: 12 });
  gone(c);
  c.end();
});

Deno.test("RFC 9293 3.6.1: data after close is answered with RST", async () => {
  const c = await established();
  c.close();
  c.expect({ flags: "FA", seq: 1 });
  c.send({ ack: 2 });
  c.send({ data: "too late" });
  assertEquals(c.fate(), Fate.TCP_AFTER_CLOSE);
  c.expect({ flags: "R", seq: 2 });
  gone(c);
  c.end();
});

Deno.test("RFC 9293 3.6.1: the same while our FIN is not acknowledged", async () => {
  const c = await established();
  c.write("abc");
  c.close();
  c.takeAll();
  c.rcv = 1;
  c.send({ data: "too late", ack: 1 });
  assertEquals(c.fate(), Fate.TCP_AFTER_CLOSE);
  c.expect({ flags: "R", seq: 1 }); // where the peer expects us: it takes no other (RFC 5961 3)
  gone(c);
  c.end();
});

Deno.test("SO_LINGER of 0: close sends RST and forgets what is unsent", async () => {
  const c = await established({ win: 100 });
  c.host.setopt(c.so, Sol.SOCKET, So.LINGER, 1, 0);
  c.write(pattern(1000));
  c.expect({ seq: 1, len: 100 });
  c.close();
  c.expect({ flags: "RA", seq: 101, ack: 1 });
  gone(c);
  c.end();
});

Deno.test("RFC 9293 3.10.5: an RST of ours stands where the peer expects it", async () => {
  // after a timeout we send again from SND.UNA, but the peer may have everything up to SND.NXT
  const c = await established();
  c.host.setopt(c.so, Sol.SOCKET, So.LINGER, 1, 0);
  c.write(pattern(4380));
  c.takeAll();
  c.expectWithin(SECOND, { seq: 1, len: 1460 });
  c.close();
  c.expect({ flags: "RA", seq: 4381 });
  // a probe of a closed window was not taken
  const d = await established({ win: 0 });
  d.host.setopt(d.so, Sol.SOCKET, So.LINGER, 1, 0);
  d.write("abc");
  d.expectWithin(10 * SECOND, { seq: 1, data: "a" });
  d.close();
  d.expect({ flags: "RA", seq: 1 });
  c.end();
  d.end();
});

Deno.test("FIN-WAIT-2 of a closed socket ends after 60 s", async () => {
  const c = await established();
  c.close();
  c.expect({ flags: "FA", seq: 1 });
  c.send({ ack: 2 });
  assertEquals(c.host.inspect.sockets().length, 1);
  c.silentFor(60 * SECOND - 1);
  assertEquals(c.host.inspect.sockets().length, 1);
  c.silentFor(1);
  gone(c);
  c.end();
});

Deno.test("RFC 9293 3.8.3: FIN that nobody acknowledges is given up", async () => {
  for (const state of [TcpState.LAST_ACK, TcpState.FIN_WAIT_1, TcpState.CLOSING]) {
    const c = await inState(state);
    c.close();
    c.host.advance(1200 * SECOND);
    assertEquals(c.takeAll().filter((s) => s.flags === "FA").length, 12);
    gone(c);
    c.end();
  }
});

Deno.test("shutdown of the reading side drops what comes, and acknowledges it", async () => {
  const c = await established();
  c.send({ data: "before" });
  c.shutdown(Shut.RD);
  assertEquals(c.read(), "");
  c.send({ data: "after" }, { data: "wards" });
  c.expect({ flags: "A", ack: 17 });
  c.send({ seq: 18, data: "z" }, { seq: 17, data: "y" });
  assertEquals(c.takeAll().at(-1)?.ack, 19);
  assertEquals(c.read(), "");
  assertEquals(c.state(), TcpState.ESTABLISHED);
  c.write("still writing");
  c.expect({ data: "still writing" });
  c.end();
});

Deno.test("shutdown twice, of both sides, and without connection", async () => {
  const c = await established();
  c.shutdown(Shut.RDWR);
  c.expect({ flags: "FA", seq: 1 });
  c.silent();
  c.shutdown(Shut.WR);
  c.silent();
  c.send({ flags: "FA", ack: 2 });
  c.expect({ flags: "A", ack: 2 });
  assertEquals(c.host.call("so_shutdown", c.so, Shut.WR), -Errno.ENOTCONN);
  c.end();
});

Deno.test("the user hears of the peer's FIN and of the end", async () => {
  const c = await established();
  const at = c.host.engine.scratch + 2048;
  c.host.call("so_want", c.so, Ev.READ | Ev.HUP);
  assertEquals(c.host.call("ev_drain", at, 8), 0);
  c.send({ flags: "FA" });
  assertEquals(c.host.call("ev_drain", at, 8), 1);
  assertEquals(c.host.inspect.u32(at + 4), Ev.READ);
  c.shutdown(Shut.WR);
  assertEquals(c.host.call("ev_drain", at, 8), 1);
  assertEquals(c.host.inspect.u32(at + 4), Ev.HUP);
  c.end();
});

Deno.test("RFC 9293 3.10.4: close in SYN-RECEIVED sends FIN once the handshake ends", async () => {
  const c = await inState(TcpState.SYN_RECEIVED);
  c.close();
  c.silent();
  c.send({ flags: "SA", seq: 0, ack: 1 });
  c.expect({ flags: "FA", seq: 1, ack: 1 });
  c.send({ flags: "FA", seq: 1, ack: 2 });
  c.expect({ flags: "A", seq: 2, ack: 2 });
  gone(c);
  c.end();
});
