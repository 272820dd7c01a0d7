/** RFC 9293 3.10.7.4 and RFC 5961: every synchronized state against unexpected segments. */

import { assertEquals } from "@std/assert";
import { Fate } from "../../assembly/abi/fate.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { type Conn, Errno, type Say } from "./harness.ts";
import { expectedOf, inState, sentBy, SYNCHRONIZED } from "./states.ts";

/** The answer that RFC 5961 calls a challenge ACK, and that old segments get too. */
function expectAck(c: Conn, state: TcpState): void {
  // our SYN-ACK says the same in SYN-RECEIVED
  if (state === TcpState.SYN_RECEIVED) c.expect({ flags: "SA", seq: 0, ack: 1, len: 0 });
  else c.expect({ flags: "A", seq: sentBy(state), ack: expectedOf(state), len: 0 });
  c.silent();
}

/** What RFC 9293 3.10.7.4 has the user told when RST ends a connection. */
function errorOf(state: TcpState): number {
  if (state === TcpState.SYN_RECEIVED) return Errno.ECONNREFUSED;
  return state === TcpState.CLOSING || state === TcpState.LAST_ACK ? 0 : Errno.ECONNRESET;
}

for (const [state, name] of SYNCHRONIZED) {
  const next = expectedOf(state);

  Deno.test(`RFC 5961 3.2: RST at RCV.NXT ends ${name}`, async () => {
    const c = await inState(state);
    c.send({ flags: "R", seq: next });
    assertEquals(c.fate(), Fate.TCP_ACCEPTED);
    c.silent();
    assertEquals(c.state(), TcpState.CLOSED);
    assertEquals(c.host.error(c.so), errorOf(state));
    assertEquals(c.stat(Stat.TCP_RST_IN), 1);
    c.end();
  });

  Deno.test(`RFC 5961 3.2: RST elsewhere in the window is challenged in ${name}`, async () => {
    const c = await inState(state);
    for (const seq of [next + 1, next + 30_000]) {
      c.send({ flags: "R", seq });
      assertEquals(c.fate(), Fate.TCP_RST_CHALLENGED);
      expectAck(c, state);
      assertEquals(c.state(), state);
    }
    assertEquals(c.stat(Stat.TCP_CHALLENGE), 2);
    c.end();
  });

  Deno.test(`RFC 5961 3.2: RST outside of the window is dropped in ${name}`, async () => {
    const c = await inState(state);
    for (const seq of [next - 1, next + 300_000, next + 2 ** 31]) {
      c.send({ flags: "R", seq });
      assertEquals(c.fate(), Fate.TCP_RST_OUT_OF_WINDOW);
      c.silent();
    }
    assertEquals(c.state(), state);
    c.end();
  });

  Deno.test(`RFC 5961 4.2: SYN is challenged in ${name}`, async () => {
    const c = await inState(state);
    const syns: Say[] = [
      { flags: "S", seq: next },
      { flags: "S", seq: next + 1000 },
      { flags: "SA", seq: next + 1000, ack: sentBy(state) },
    ];
    for (const syn of syns) {
      c.send(syn);
      assertEquals(c.fate(), Fate.TCP_SYN_CHALLENGED);
      expectAck(c, state);
      assertEquals(c.state(), state);
    }
    c.end();
  });

  Deno.test(`RFC 9293 3.10.7.4: segments outside of the window are acked in ${name}`, async () => {
    const c = await inState(state);
    const strays: Say[] = [
      { seq: next - 1, ack: 1 }, // a keepalive probe
      { seq: next - 1, ack: 1, data: "o" },
      { seq: next - 100, ack: 1, data: "old" },
      { seq: next + 300_000, ack: 1, data: "future" },
      { seq: next + 2 ** 31, ack: 1, data: "far" },
      { seq: next - 10, ack: 1, flags: "FA" },
    ];
    for (const stray of strays) {
      c.send(stray);
      assertEquals(c.fate(), Fate.TCP_OUT_OF_WINDOW);
      expectAck(c, state);
      assertEquals(c.state(), state);
    }
    c.end();
  });

  Deno.test(`RFC 9293 3.10.7.4: a segment without ACK is dropped in ${name}`, async () => {
    const c = await inState(state);
    c.send({ flags: "P", seq: next, data: "x" });
    c.send({ flags: "F", seq: next });
    assertEquals(c.host.inspect.fate(Fate.TCP_NO_ACK), 2);
    c.silent();
    assertEquals(c.state(), state);
    c.end();
  });

  Deno.test(`RFC 5961 5.2: an ACK of what was never sent is refused in ${name}`, async () => {
    const c = await inState(state);
    const acks = [sentBy(state) + 1, sentBy(state) + 70_000, sentBy(state) - 70_000];
    for (const ack of acks) {
      c.send({ seq: next, ack, data: "x" });
      assertEquals(c.fate(), Fate.TCP_ACK_INVALID);
      if (state === TcpState.SYN_RECEIVED) c.expect({ flags: "R", seq: ack, len: 0 });
      else expectAck(c, state);
      assertEquals(c.state(), state);
    }
    c.end();
  });

  Deno.test(`RFC 9293 3.1 (MUST-3): a bad checksum changes nothing in ${name}`, async () => {
    const c = await inState(state);
    c.send({ flags: "R", seq: next, badChecksum: true });
    assertEquals(c.fate(), Fate.TCP_CHECKSUM);
    c.silent();
    assertEquals(c.state(), state);
    c.end();
  });
}

Deno.test("RFC 5961 4.2: an old SYN in ESTABLISHED is challenged too", async () => {
  const c = await inState(TcpState.ESTABLISHED);
  c.send({ flags: "S", seq: 0 });
  c.expect({ flags: "A", seq: 1, ack: 1 });
  c.send({ flags: "SA", seq: 0, ack: 1 }); // our ACK of the SYN-ACK was lost
  c.expect({ flags: "A", seq: 1, ack: 1 });
  c.end();
});

Deno.test("RFC 9293 figure 9: a peer that has forgotten resets us in the end", async () => {
  const c = await inState(TcpState.ESTABLISHED);
  c.send({ flags: "S", seq: 50_000, mss: 1460 });
  const challenge = c.expect({ flags: "A", seq: 1, ack: 1 });
  c.send({ flags: "R", seq: challenge.ack });
  assertEquals(c.state(), TcpState.CLOSED);
  assertEquals(c.host.error(c.so), Errno.ECONNRESET);
  c.end();
});

Deno.test("RFC 5961 7: challenge ACKs are limited, not to a constant", async () => {
  const counts: number[] = [];
  const c = await inState(TcpState.ESTABLISHED);
  for (let second = 0; second < 4; second++) {
    c.host.advance(1_000_000);
    for (let i = 0; i < 300; i++) c.send({ flags: "R", seq: 2 + i });
    counts.push(c.takeAll().length);
  }
  for (const count of counts) assertEquals(count >= 50 && count <= 150, true, `${counts}`);
  assertEquals(new Set(counts).size > 1, true, `${counts}`);
  assertEquals(
    c.stat(Stat.TCP_CHALLENGE) + c.stat(Stat.TCP_CHALLENGE_LIMITED),
    300 * counts.length,
  );
  c.end();
});

Deno.test("RFC 9293 3.10.7.1: segments for no connection are answered with RST", async () => {
  const c = await inState(TcpState.ESTABLISHED);
  c.lport = 9; // nobody is there
  c.send({ flags: "S", seq: 5 });
  assertEquals(c.fate(), Fate.TCP_NO_CONNECTION);
  c.expect({ flags: "RA", ack: 6, len: 0 });
  c.send({ flags: "FA", seq: 5, ack: 77, data: "x" });
  c.expect({ flags: "R", seq: 77 });
  c.send({ flags: "FP", seq: 5, data: "xyz" });
  c.expect({ flags: "RA", ack: 9 });
  c.send({ flags: "R", seq: 5 });
  assertEquals(c.fate(), Fate.TCP_NO_CONNECTION_RST);
  c.silent();
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: after a reset the user gets the data, then the error", async () => {
  const c = await inState(TcpState.ESTABLISHED);
  c.send({ data: "last words" });
  c.send({ flags: "R" });
  assertEquals(c.read(4), "last");
  assertEquals(c.read(), " words");
  c.readFails(Errno.ECONNRESET);
  assertEquals(c.read(), "");
  assertEquals(c.tryWrite("x"), -Errno.EPIPE);
  c.end();
});

Deno.test("RFC 9293 3.10.7.4: a reset fails the next write with ECONNRESET", async () => {
  const c = await inState(TcpState.ESTABLISHED);
  c.write("x");
  c.send({ flags: "R", seq: 1 });
  assertEquals(c.tryWrite("y"), -Errno.ECONNRESET);
  assertEquals(c.tryWrite("y"), -Errno.EPIPE);
  c.end();
});
