/** TCP_CORK and MSG_MORE: short segments wait at the user's wish (RFC 9293 3.9.1.2, MUST-60). */

import { assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, TcpOpt } from "../../assembly/abi/socket.ts";
import { type Conn, Errno, pattern } from "./harness.ts";
import { established } from "./shake.ts";

const LEVEL = IpProto.TCP;
const CORKED: [number, number, number][] = [[LEVEL, TcpOpt.CORK, 1]];
/** The RTO of a connection whose handshake took no time: its least. */
const CEILING = 200_000;

function cork(c: Conn, on: number): void {
  c.host.setopt(c.so, LEVEL, TcpOpt.CORK, on);
}

Deno.test("TCP_CORK holds short segments and joins them; full ones leave", async () => {
  const c = await established({ options: CORKED });
  for (const letter of ["a", "b", "c"]) c.write(letter);
  c.silentFor(CEILING - 1);
  c.write(pattern(1460));
  c.expect({ flags: "A", seq: 1, len: 1460 });
  c.silent();
  cork(c, 0);
  c.silent(); // Nagle: data is in flight
  c.send({ ack: 1461 });
  c.expect({ flags: "PA", seq: 1461, len: 3 });
  c.end();
});

Deno.test("TCP_CORK taken off lets go what was held", async () => {
  const c = await established({ options: CORKED });
  c.write("abc");
  c.silent();
  cork(c, 0);
  c.expect({ flags: "PA", seq: 1, data: "abc" });
  c.silentFor(CEILING - 1);
  c.end();
});

Deno.test("TCP_CORK: held data leaves after 200 ms all the same, as one segment", async () => {
  const c = await established({ options: CORKED });
  c.write("a");
  c.host.advance(150_000);
  c.write("b");
  c.silentFor(CEILING - 150_000 - 1);
  c.host.advance(1);
  c.expect({ flags: "PA", seq: 1, data: "ab" });
  c.write("c");
  c.silent();
  // corked again: counted from when nothing is in flight any more
  c.host.advance(100_000);
  c.send({ ack: 3 });
  c.silentFor(CEILING - 1);
  c.host.advance(1);
  c.expect({ flags: "PA", seq: 3, data: "c" });
  c.end();
});

Deno.test("TCP_CORK: FIN takes what is held along", async () => {
  const c = await established({ options: CORKED });
  c.write("abc");
  c.shutdown(1);
  c.expect({ flags: "FPA", seq: 1, data: "abc" });
  c.end();
});

Deno.test("TCP_CORK goes before TCP_NODELAY, which lets go once what is held", async () => {
  const c = await established({ options: CORKED });
  c.write("a");
  c.silent();
  c.host.setopt(c.so, LEVEL, TcpOpt.NODELAY, 1);
  c.expect({ flags: "PA", data: "a" });
  c.send({ ack: 2 });
  c.write("b");
  c.silent();
  cork(c, 0);
  c.expect({ flags: "PA", data: "b" });
  c.write("c"); // and now nothing waits
  c.expect({ flags: "PA", data: "c" });
  c.end();
});

Deno.test("TCP_CORK: a closed window is probed nevertheless (MUST-36)", async () => {
  const c = await established({ win: 0, options: CORKED });
  c.write("abc");
  c.expectWithin(2_000_000, { flags: "A", seq: 1, data: "a" });
  c.send({ ack: 1, win: 0 });
  c.expectWithin(5_000_000, { flags: "A", seq: 1, data: "a" });
  c.end();
});

Deno.test("MSG_MORE holds this write's short segment until one without it", async () => {
  const c = await established();
  c.write("a", Msg.MORE);
  c.write("b", Msg.MORE);
  c.silentFor(CEILING - 1);
  c.write("c");
  c.expect({ flags: "PA", seq: 1, data: "abc" });
  c.end();
});

Deno.test("MSG_MORE: full segments leave; the rest waits for an ACK, or 200 ms", async () => {
  const c = await established();
  c.write(pattern(1500), Msg.MORE);
  c.expect({ flags: "A", seq: 1, len: 1460 });
  c.silent();
  c.send({ ack: 1461 });
  c.expect({ flags: "PA", seq: 1461, len: 40 });
  c.send({});
  c.write("abc", Msg.MORE);
  c.silentFor(CEILING - 1);
  c.host.advance(1);
  c.expect({ flags: "PA", seq: 1501, data: "abc" });
  c.end();
});

Deno.test("MSG_MORE: where the buffer is full, nothing follows at once", async () => {
  const c = await established({ sndbuf: 2000, options: [[LEVEL, TcpOpt.NODELAY, 1]] });
  c.write(pattern(1900), Msg.MORE);
  c.expect({ seq: 1, len: 1460 });
  c.silent();
  assertEquals(c.tryWrite(pattern(4000, 1900), Msg.MORE), -Errno.EAGAIN);
  c.expect({ flags: "PA", seq: 1461, len: 440 });
  c.end();
});
