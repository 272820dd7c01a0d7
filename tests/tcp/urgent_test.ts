/** Urgent data: RFC 9293 3.8.5, RFC 6093; MSG_OOB, SO_OOBINLINE and SIOCATMARK as in 4.4BSD. */

import { assertEquals } from "@std/assert";
import { Ev } from "../../assembly/abi/event.ts";
import { Sioc } from "../../assembly/abi/ifnet.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Msg, So, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { type Conn, Errno, pattern, type Shake } from "./harness.ts";
import { connecting, established } from "./shake.ts";

const INLINE: Shake = { options: [[Sol.SOCKET, So.OOBINLINE, 1]] };
const STDURG: Shake = { options: [[IpProto.TCP, TcpOpt.STDURG, 1]] };

function atMark(c: Conn): boolean {
  const at = c.host.place();
  assertEquals(c.host.call("so_ioctl", c.so, Sioc.ATMARK, at, 4), 4);
  return c.host.inspect.u32(at) !== 0;
}

// MUST-30, MUST-62
Deno.test("RFC 6093 3.1: the pointer names the byte after the urgent one", async () => {
  const c = await established();
  c.send({ flags: "UPA", data: "ab!cd", up: 3 });
  assertEquals(c.read(10, Msg.OOB), "!");
  assertEquals(atMark(c), false);
  assertEquals(c.read(), "ab");
  assertEquals(atMark(c), true);
  assertEquals(c.read(), "cd");
  assertEquals(atMark(c), false);
  c.end();
});

// MUST-33
Deno.test("SO_OOBINLINE: the urgent byte stays in the stream, behind the mark", async () => {
  const c = await established(INLINE);
  c.send({ flags: "UPA", data: "ab!cd", up: 3 });
  c.readFails(Errno.EINVAL, Msg.OOB);
  assertEquals(c.read(), "ab");
  assertEquals(atMark(c), true);
  assertEquals(c.read(), "!cd");
  c.end();
});

Deno.test("MSG_OOB: EINVAL without urgent data, EWOULDBLOCK before it is there", async () => {
  const c = await established();
  c.readFails(Errno.EINVAL, Msg.OOB);
  c.send({ flags: "UA", up: 3 }); // the pointer runs ahead of the data
  c.readFails(Errno.EAGAIN, Msg.OOB);
  c.send({ data: "ab" });
  c.readFails(Errno.EAGAIN, Msg.OOB);
  c.send({ data: "!c" });
  assertEquals(c.read(1, Msg.OOB | Msg.PEEK), "!");
  assertEquals(c.read(1, Msg.OOB), "!");
  c.readFails(Errno.EINVAL, Msg.OOB);
  assertEquals(c.read(), "ab");
  assertEquals(c.read(), "c");
  c.end();
});

// MUST-32
Deno.test("RFC 9293 3.8.5: the pointer tells the user before the data comes", async () => {
  const c = await established();
  const at = c.host.engine.scratch + 2048;
  c.host.call("so_want", c.so, Ev.OOB);
  assertEquals(c.host.call("ev_drain", at, 8), 0);
  c.send({ flags: "UA", up: 1000 });
  assertEquals(c.host.call("ev_drain", at, 8), 1);
  assertEquals(c.host.inspect.u32(at + 4), Ev.OOB);
  c.end();
});

Deno.test("a single urgent byte: at the mark at once, nothing else to read", async () => {
  const c = await established();
  c.send({ flags: "UPA", data: "!", up: 1 });
  assertEquals(atMark(c), true);
  assertEquals(c.read(1, Msg.OOB), "!");
  c.readFails(Errno.EAGAIN);
  c.end();
});

Deno.test("urgent data out of order is found when the gap is filled", async () => {
  for (const shake of [{}, INLINE]) {
    const c = await established(shake);
    c.send({ flags: "UA", seq: 4, data: "d!f", up: 2 });
    c.send({ seq: 7, data: "ghi" });
    c.send({ flags: "UA", seq: 1, data: "abc", up: 5 });
    if (shake === INLINE) {
      assertEquals(c.read(), "abcd");
      assertEquals(atMark(c), true);
      assertEquals(c.read(), "!fghi");
    } else {
      assertEquals(c.read(1, Msg.OOB), "!");
      assertEquals(c.read(), "abcd");
      assertEquals(atMark(c), true);
      assertEquals(c.read(), "fghi");
    }
    c.end();
  }
});

Deno.test("a repeated segment does not make its urgent byte urgent again", async () => {
  const c = await established();
  const segment = { flags: "UPA", seq: 1, data: "a!b", up: 2 };
  c.send(segment);
  assertEquals(c.read(1, Msg.OOB), "!");
  c.send(segment);
  c.send({ ...segment, data: "a!bc" });
  c.readFails(Errno.EINVAL, Msg.OOB);
  assertEquals(c.read(), "a");
  assertEquals(c.read(), "bc");
  c.end();
});

Deno.test("the next urgent byte replaces one that was not read", async () => {
  const c = await established();
  c.send({ flags: "UA", data: "a1", up: 2 });
  c.send({ flags: "UA", data: "b2", up: 2 });
  assertEquals(c.read(1, Msg.OOB), "2");
  assertEquals(c.read(), "ab");
  assertEquals(atMark(c), true);
  c.end();
});

Deno.test("RFC 9293 3.8.5: a pointer of 0 and one behind RCV.NXT name nothing", async () => {
  const c = await established();
  c.send({ flags: "UA", data: "abc", up: 0 });
  c.send({ flags: "UA", seq: 2, data: "bcdef", up: 1 });
  c.readFails(Errno.EINVAL, Msg.OOB);
  assertEquals(c.read(), "abcdef");
  c.end();
});

Deno.test("RFC 9293 3.8.5 (MUST-31): urgent data of any length", async () => {
  const c = await established({ ...INLINE, rcvbuf: 100_000, wscale: 2 });
  c.send({ flags: "UA", data: pattern(1000), up: 65535 });
  for (let i = 1000; i < 66_000; i += 1000) c.send({ data: pattern(1000, i) });
  assertEquals(c.tryRead(1 << 17).n, 65534);
  assertEquals(atMark(c), true);
  assertEquals(c.tryRead(1 << 17).n, 466);
  c.end();
});

Deno.test("RFC 9293 3.8.5: MSG_OOB sends at once, pointing behind its last byte", async () => {
  const c = await established();
  c.write("abc");
  c.expect({ flags: "A", data: "abc" });
  c.write("d!", Msg.OOB); // data is in flight, but urgent data does not wait for it
  c.expect({ flags: "AU", seq: 4, data: "d!", up: 2 });
  c.write("ef");
  c.silent(); // this does
  c.send({ ack: 6 });
  c.expect({ flags: "A", seq: 6, data: "ef" });
  c.end();
});

Deno.test("RFC 9293 3.8.5: a closed window does not hold the pointer back", async () => {
  const c = await established({ win: 0 });
  c.write("ab");
  c.write("!", Msg.OOB);
  c.expect({ flags: "AU", seq: 1, len: 0, up: 3 });
  c.send({ win: 100 });
  c.expect({ flags: "AU", seq: 1, data: "ab!", up: 3 });
  c.end();
});

Deno.test("RFC 9293 3.8.5: data sent again carries its pointer", async () => {
  const c = await established();
  c.write("ab!", Msg.OOB);
  c.expect({ flags: "AU", seq: 1, data: "ab!", up: 3 });
  c.expectWithin(1_000_000, { flags: "AU", seq: 1, data: "ab!", up: 3 });
  c.send({ ack: 4 });
  c.write("more");
  c.expect({ flags: "A", data: "more", up: 0 });
  c.end();
});

Deno.test("RFC 9293 3.8.5: a pointer beyond 65,535 bytes is told when it comes near", async () => {
  const c = await established({ sndbuf: 200_000, wscale: 7, win: 50 });
  c.write(pattern(70_000));
  c.write("!", Msg.OOB);
  let near = 0;
  for (let i = 0; i < 200 && c.tcb("snd_una") !== c.tcb("snd_up"); i++) {
    for (const s of c.takeAll()) {
      const distance = 70_002 - s.seq;
      assertEquals(s.flags.includes("U"), distance <= 65_535, `at ${s.seq}`);
      if (s.flags.includes("U")) {
        assertEquals(s.up, distance);
        near++;
      }
    }
    c.send({});
  }
  assertEquals(near > 40, true);
  c.end();
});

Deno.test("TCP_STDURG: the pointer names the urgent byte itself, both ways", async () => {
  const c = await established(STDURG);
  c.send({ flags: "UPA", data: "ab!cd", up: 2 });
  assertEquals(c.read(1, Msg.OOB), "!");
  assertEquals(c.read(), "ab");
  assertEquals(c.read(), "cd");
  c.send({ flags: "UPA", data: "?", up: 0 });
  assertEquals(c.read(1, Msg.OOB), "?");
  c.takeAll();
  c.write("x!", Msg.OOB);
  c.expect({ flags: "AU", data: "x!", up: 1, ack: 7 });
  c.send({ ack: 3 });
  c.write("!", Msg.OOB);
  c.expect({ flags: "AU", data: "!", up: 0 });
  c.end();
});

Deno.test("RFC 9293 3.8.5: urgent data right with the SYN-ACK", async () => {
  const c = await connecting();
  c.send({ flags: "USA", seq: 0, ack: 1, mss: 1460, data: "a!b", up: 3 });
  assertEquals(c.read(1, Msg.OOB), "!");
  assertEquals(c.read(), "a");
  assertEquals(c.read(), "b");
  c.end();
});
