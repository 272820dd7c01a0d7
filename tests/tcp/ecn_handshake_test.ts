/** Who agrees to explicit congestion notification: RFC 3168 6.1.1. */

import { assertEquals } from "@std/assert";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { CE, ECT_0, ECT_1, INFO_ECN, infoOptions } from "./ecn_kit.ts";
import { Conn, Host, type Say } from "./harness.ts";
import { accepted, connecting, synOptions } from "./shake.ts";

const SECOND = 1_000_000;

/** True if data of the connection may be marked, and CE on data that comes is echoed. */
function uses(c: Conn): { sends: boolean; echoes: boolean } {
  c.write("x");
  const sends = c.expect({ len: 1 }).tos === ECT_0;
  c.send({ data: "y", tos: CE });
  const answer = c.takeAll().at(-1);
  return { sends, echoes: answer?.flags.includes("E") ?? false };
}

Deno.test("RFC 3168 6.1.1: an active open asks, an ECN-setup SYN-ACK alone agrees", async () => {
  const cases = [["SAE", true], ["SA", false], ["SAEC", false], ["SAC", false]] as const;
  for (const [flags, agreed] of cases) {
    const c = await connecting({ ecn: true });
    c.send({ flags, ack: 1, ...synOptions({}, c) });
    c.expect({ flags: "A", tos: 0 });
    c.silent();
    assertEquals((infoOptions(c) & INFO_ECN) !== 0, agreed);
    assertEquals(uses(c), { sends: agreed, echoes: agreed }, flags);
    c.end();
  }
});

Deno.test("RFC 3168 6.1.1: who does not ask sends a plain SYN and uses no ECN", async () => {
  for (const ecn of [0, 2]) {
    const c = await connecting({ host: { tcp: { ecn } } });
    c.send({ flags: "SAE", ack: 1, ...synOptions({}, c) });
    c.expect({ flags: "A" });
    assertEquals(uses(c), { sends: false, echoes: false });
    c.end();
  }
});

Deno.test("RFC 3168 6.1.1: a listener answers an ECN-setup SYN, unless ECN is off", async () => {
  for (const [ecn, agreed] of [[0, false], [1, true], [2, true]] as const) {
    const host = await Host.boot();
    host.tune({ ecn });
    const listener = host.listen(80);
    const c = new Conn(host, 80, 40000);
    c.send({ flags: "SEC", mss: 1460 });
    c.expect({ flags: agreed ? "SAE" : "SA", tos: 0 });
    c.send({ flags: "A", ack: 1 });
    c.so = host.accept(listener);
    assertEquals(uses(c), { sends: agreed, echoes: agreed });
    c.end(listener);
  }
});

Deno.test("RFC 3168 6.1.1: any other SYN is answered by a plain SYN-ACK", async () => {
  const says: Say[] = [
    { flags: "S" },
    { flags: "SE" },
    { flags: "SC" },
    // MUST NOT set ECT on SYN: what says so was set on the way
    { flags: "SEC", tos: ECT_0 },
    { flags: "SEC", tos: ECT_1 },
    { flags: "SEC", tos: CE },
  ];
  for (const say of says) {
    const host = await Host.boot();
    const listener = host.listen(80);
    const c = new Conn(host, 80, 40000);
    c.send({ ...say, mss: 1460 });
    c.expect({ flags: "SA", tos: 0 });
    c.send({ flags: "A", ack: 1 });
    c.so = host.accept(listener);
    assertEquals(uses(c), { sends: false, echoes: false });
    c.end(listener);
  }
});

Deno.test("RFC 3168 6.1.1: SYN, SYN-ACK, ACK, FIN and RST are Not-ECT", async () => {
  const { c } = await accepted({ ecn: true }); // expects TOS 0 on the SYN-ACK
  c.send({ data: "abc" });
  c.host.advance(SECOND);
  c.expect({ flags: "A", len: 0, tos: 0 });
  c.shutdown(1);
  c.expect({ flags: "FA", len: 0, tos: 0 });
  c.send({ flags: "R", seq: c.nxt });
  c.host.close(c.so);
  c.so = 0;
  c.send({ flags: "A", seq: 77, ack: 99 });
  c.expect({ flags: "R", tos: 0 });
  c.end();
});

Deno.test("RFC 3168 6.1.1.1: a SYN without an answer is sent again without ECN", async () => {
  const c = await connecting({ ecn: true });
  c.expectWithin(2 * SECOND, { flags: "S", tos: 0 });
  c.expectWithin(3 * SECOND, { flags: "S", tos: 0 });
  c.send({ flags: "SA", ack: 1, ...synOptions({}, c) });
  c.expect({ flags: "A" });
  assertEquals(uses(c), { sends: false, echoes: false });
  c.end();
});

Deno.test("RFC 3168 6.1.1: after a plain SYN no data is ECT, but echoes are sent", async () => {
  const c = await connecting({ ecn: true });
  c.expectWithin(2 * SECOND, { flags: "S" });
  c.send({ flags: "SAE", ack: 1, ...synOptions({}, c) });
  c.expect({ flags: "A" });
  assertEquals(uses(c), { sends: false, echoes: true });
  c.end();
});

Deno.test("ecn_fallback: how many SYNs ask before one does not; 0 is all of them", async () => {
  for (const [ecn_fallback, asks] of [[1, 1], [3, 3], [0, 6]]) {
    const c = await connecting({ ecn: true, host: { tcp: { ecn_fallback } } });
    for (let i = 1; i < 6; i++) {
      c.expectWithin(60 * SECOND, { flags: i < asks ? "SEC" : "S" });
    }
    c.end();
  }
});

Deno.test("RFC 3168 6.1.1.1: a peer that falls back is answered without ECN", async () => {
  const host = await Host.boot();
  const listener = host.listen(80);
  const c = new Conn(host, 80, 40000);
  c.send({ flags: "SEC", mss: 1460 });
  c.expect({ flags: "SAE" });
  c.send({ flags: "SEC", seq: 0, mss: 1460 });
  c.expect({ flags: "SAE" });
  c.send({ flags: "S", seq: 0, mss: 1460 });
  c.expect({ flags: "SA" });
  c.send({ flags: "A", ack: 1 });
  c.so = host.accept(listener);
  assertEquals(uses(c), { sends: false, echoes: false });
  c.end(listener);
});

Deno.test("RFC 3168 6.1.1: a SYN-ACK sent again still agrees", async () => {
  const host = await Host.boot();
  const listener = host.listen(80);
  const c = new Conn(host, 80, 40000);
  c.send({ flags: "SEC", mss: 1460 });
  c.expect({ flags: "SAE" });
  c.expectWithin(2 * SECOND, { flags: "SAE", tos: 0 });
  c.send({ flags: "A", ack: 1 });
  c.so = host.accept(listener);
  assertEquals(uses(c), { sends: true, echoes: true });
  c.end(listener);
});

Deno.test("RFC 3168 6.1.1: a simultaneous open agrees if both SYNs and SYN-ACKs do", async () => {
  const cases = [["SEC", "SAE", true], ["SEC", "SA", false], ["S", "SA", false]] as const;
  for (const [syn, synAck, agreed] of cases) {
    const c = await connecting({ ecn: true });
    c.send({ flags: syn, seq: 0, ...synOptions({}, c) });
    c.expect({ flags: syn === "SEC" ? "SAE" : "SA", ack: 1, tos: 0 });
    c.send({ flags: synAck, seq: 0, ack: 1, ...synOptions({}, c) });
    c.takeAll();
    assertEquals(c.state(), TcpState.ESTABLISHED);
    assertEquals(c.stat(Stat.TCP_ECE_REDUCTIONS), 0, "ECE of a SYN-ACK is no congestion");
    assertEquals(uses(c), { sends: agreed, echoes: agreed });
    c.end();
  }
});
