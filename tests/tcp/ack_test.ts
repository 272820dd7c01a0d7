/** When data is acknowledged: RFC 9293 3.8.6.3, RFC 5681 4.2, RFC 1122 4.2.3.2. */

import { assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { pattern } from "./harness.ts";
import { established } from "./shake.ts";

const DELAY = 40_000;

// RFC 5681 4.2-1
Deno.test("RFC 9293 3.8.6.3: a lone segment is acknowledged after 40 ms", async () => {
  const c = await established();
  c.send({ data: "abc" });
  assertEquals(c.expectWithin(500_000, { flags: "A", seq: 1, ack: 4, len: 0 }), DELAY);
  assertEquals(c.stat(Stat.TCP_DELACK), 1);
  c.silentFor(10_000_000);
  c.end();
});

Deno.test("RFC 5681 4.2-2 (SHLD-19): every second segment is acknowledged at once", async () => {
  const c = await established();
  for (let i = 0; i < 5; i++) {
    c.send({ data: pattern(1460) });
    c.silent();
    c.send({ data: pattern(1460) });
    c.expect({ flags: "A", ack: 1 + 2920 * (i + 1) });
  }
  c.silentFor(1_000_000);
  assertEquals(c.stat(Stat.TCP_DELACK), 0);
  c.end();
});

Deno.test("RFC 9293 3.8.6.3: the delay counts from the first segment", async () => {
  const c = await established();
  c.send({ data: "a" });
  c.host.advance(30_000);
  c.silent();
  assertEquals(c.expectWithin(500_000, { ack: 2 }), 10_000);
  c.send({ data: "b" });
  assertEquals(c.expectWithin(500_000, { ack: 3 }), DELAY);
  c.end();
});

Deno.test("RFC 9293 3.8.6.3: data of ours carries the ACK", async () => {
  const c = await established();
  c.send({ data: "question" });
  c.write("answer");
  c.expect({ flags: "A", seq: 1, ack: 9, data: "answer" });
  c.silentFor(DELAY);
  assertEquals(c.stat(Stat.TCP_DELACK), 0);
  c.end();
});

Deno.test("TCP_NODELAYACK: everything is acknowledged at once", async () => {
  const c = await established({ options: [[IpProto.TCP, TcpOpt.NODELAYACK, 1]] });
  for (let i = 1; i <= 3; i++) {
    c.send({ data: "x" });
    c.expect({ flags: "A", ack: 1 + i });
  }
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: FIN is acknowledged at once", async () => {
  const c = await established();
  c.send({ flags: "FA", data: "abc" });
  c.expect({ flags: "A", ack: 5 });
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: an ACK is never acknowledged", async () => {
  const c = await established();
  c.write("abc");
  c.expect({ data: "abc" });
  c.send({ ack: 4 });
  c.send({ ack: 4, win: 100 });
  c.send({ ack: 4 }, { ack: 4 }, { ack: 1 });
  c.silentFor(10_000_000);
  c.end();
});

Deno.test("MUST-58, MUST-59: a burst in one batch is acknowledged by one segment", async () => {
  const c = await established();
  c.send(...Array.from({ length: 10 }, (_, i) => ({ data: pattern(1460, i * 1460) })));
  c.expect({ flags: "A", ack: 14601 });
  c.silent();
  c.end();
});
