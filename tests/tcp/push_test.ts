/** PSH at the end of every write: RFC 9293 3.9.1.2, with T.push_writes 1. */

import { assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, TcpOpt } from "../../assembly/abi/socket.ts";
import { type Conn, pattern, type Shake } from "./harness.ts";
import { established } from "./shake.ts";

const NODELAY: [number, number, number][] = [[IpProto.TCP, TcpOpt.NODELAY, 1]];

function connection(shake: Shake = {}): Promise<Conn> {
  return established({ mss: 1000, options: NODELAY, ...shake, host: { tcp: { push_writes: 1 } } });
}

/** The ends of the segments that have left with PSH. */
function pushed(c: Conn): number[] {
  return c.takeAll().filter((s) => s.flags.includes("P")).map((s) => s.seq + s.data.length);
}

Deno.test("PSH at the end of each write, not where the buffer runs empty", async () => {
  const c = await connection();
  c.write(pattern(3000));
  assertEquals(pushed(c), [3001]);
  c.write(pattern(500));
  c.write(pattern(1500));
  assertEquals(pushed(c), [3501, 5001]);
  c.end();
});

Deno.test("PSH: a write that waits for the window keeps its mark", async () => {
  const c = await connection({ win: 8000 });
  c.write(pattern(2500));
  c.write(pattern(6500));
  assertEquals(c.takeAll().map((s) => [s.seq, s.data.length, s.flags]), [
    [1, 1000, "A"],
    [1001, 1000, "A"],
    [2001, 500, "PA"],
    [2501, 1000, "A"],
    [3501, 1000, "A"],
    [4501, 1000, "A"],
    [5501, 1000, "A"], // half the window is unpushed here, but not more
    [6501, 1000, "A"],
  ]);
  c.send({ ack: 7501, win: 8000 });
  assertEquals(c.takeAll().map((s) => [s.seq, s.data.length, s.flags]), [
    [7501, 1000, "A"],
    [8501, 500, "PA"],
  ]);
  c.end();
});

Deno.test("PSH: one write behind another that is held: a mark for both", async () => {
  const c = await connection({ options: [] });
  c.write("a");
  assertEquals(pushed(c), [2]);
  c.write("b");
  c.write("c");
  c.send({ ack: 2 });
  assertEquals(pushed(c), [4]);
  c.end();
});

Deno.test("PSH: MSG_MORE makes none, the write that ends it does", async () => {
  const c = await connection();
  c.write(pattern(2000), Msg.MORE);
  assertEquals(pushed(c), []);
  c.write(pattern(10));
  assertEquals(pushed(c), [2011]);
  c.end();
});

Deno.test("PSH: half of the peer's window at most is left unpushed", async () => {
  const c = await connection({ win: 10_000 });
  c.write(pattern(20_000));
  let ends = pushed(c);
  for (let ack = 2001; ack <= 20_001; ack += 2000) {
    c.send({ ack, win: 10_000 });
    ends = ends.concat(pushed(c));
  }
  assertEquals(ends, [10_001, 20_001]);
  c.end();
});

Deno.test("PSH: what is sent again carries it again", async () => {
  const c = await connection();
  c.write(pattern(1000));
  c.write(pattern(1000));
  assertEquals(pushed(c), [1001, 2001]);
  c.host.untilSent(1_000_000);
  const again = c.takeAll();
  assertEquals(again[0].seq, 1);
  assertEquals(again[0].flags, "PA");
  c.end();
});

Deno.test("PSH: more marks than are kept become fewer, and the last remains", async () => {
  const c = await connection();
  for (let i = 0; i < 20; i++) c.write(pattern(400));
  assertEquals(pushed(c).length, 20);
  const ends: number[] = [];
  while (ends.at(-1) !== 8001) {
    c.host.untilSent(100_000_000);
    const again = c.takeAll();
    ends.push(...again.filter((s) => s.flags.includes("P")).map((s) => s.seq + s.data.length));
    const last = again.at(-1)!;
    c.send({ ack: last.seq + last.data.length });
  }
  // sent again in full segments: those that hold the first marks, and the last
  assertEquals(ends, [1001, 2001, 3001, 8001]);
  c.end();
});

Deno.test("MUST-61: with push_writes 0, PSH where the buffer is empty", async () => {
  const c = await established({ mss: 1000, options: NODELAY, win: 2500 });
  c.write(pattern(1000));
  assertEquals(pushed(c), [1001]);
  c.write(pattern(1000));
  c.write(pattern(1000));
  assertEquals(pushed(c), [2001]);
  c.send({ ack: 2001, win: 2500 });
  assertEquals(pushed(c), [3001]);
  c.end();
});
