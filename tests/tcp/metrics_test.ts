/** What is remembered of destinations between connections: RFC 9040. */

import { assert, assertEquals } from "@std/assert";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Metric } from "../../runtime/wasm/layout.gen.ts";
import { Conn, Errno, Host, pattern, PEER } from "./harness.ts";
import type { HostOptions } from "./host.ts";
import { accepted, localPort } from "./shake.ts";

const SECOND = 1_000_000;
const MS = 1000;

/** What is remembered, the newest first. */
function remembered(host: Host): { peer: string; srtt_us: number; ssthresh: number }[] {
  const list = [];
  for (let i = 0;; i++) {
    const at = host.call("tcp_metrics", i) >>> 0;
    if (at === 0) return list;
    const address = at + Metric.faddr_hi + 12;
    list.push({
      peer: [...host.engine.memory.subarray(address, address + 4)].join("."),
      srtt_us: host.inspect.u32(at + Metric.srtt_us),
      ssthresh: host.inspect.u32(at + Metric.ssthresh),
    });
  }
}

/** Connects to a peer that is `rtt` away. */
function open(host: Host, rtt: number, peer = PEER): Conn {
  const so = host.socket();
  assertEquals(host.call("so_connect", so, host.name(peer, 80)), -Errno.EINPROGRESS);
  host.step();
  const c = new Conn(host, localPort(host, so), 80);
  c.so = so;
  c.peer = peer;
  c.expect({ flags: "S" });
  host.advance(rtt);
  c.send({ flags: "SA", ack: 1, mss: 1460 });
  c.expect({ flags: "A" });
  return c;
}

/** One request, answered a round trip later. */
function talk(c: Conn, rtt: number): void {
  c.write(pattern(1000));
  c.takeAll();
  c.host.advance(rtt);
  c.send({});
}

/** Both close, we first; the record of TIME-WAIT is all that is left. */
function finish(c: Conn, rtt = MS): void {
  c.close();
  c.expect({ flags: "FA" });
  c.host.advance(rtt);
  c.send({ flags: "FA" });
  c.expect({ flags: "A" });
}

/** A host that has talked to a peer 300 ms away for long. */
async function experienced(options: HostOptions = {}): Promise<Host> {
  const host = await Host.boot(options);
  const c = open(host, 300 * MS);
  for (let i = 0; i < 10; i++) talk(c, 300 * MS);
  finish(c, 300 * MS);
  return host;
}

Deno.test("RFC 9040 3.2: a longer round trip seen before holds for the first RTO", async () => {
  const host = await experienced();
  const [{ srtt_us }] = remembered(host);
  assert(srtt_us > 290 * MS && srtt_us < 310 * MS, `${srtt_us}`);
  const c = open(host, 5 * MS);
  assertEquals(c.tcb("rto_us"), srtt_us + 2 * srtt_us);
  assert(c.tcb("srtt_us") < 6 * MS, "the estimate is this connection's own");
  talk(c, 5 * MS);
  assert(c.tcb("rto_us") < 300 * MS, "and the RTO follows it from the first sample on");
  c.end();
});

Deno.test("RFC 9040 3.2: a shorter round trip than the handshake's is no hint", async () => {
  const host = await Host.boot();
  const first = open(host, 5 * MS);
  talk(first, 5 * MS);
  finish(first);
  const c = open(host, 400 * MS);
  assert(c.tcb("rto_us") >= 1200 * MS);
  c.end();
});

Deno.test("the passive side remembers, and takes hints, too", async () => {
  const host = await Host.boot();
  const { c, listener } = await accepted({}, host);
  for (let i = 0; i < 10; i++) talk(c, 300 * MS);
  c.send({ flags: "FA" });
  c.takeAll();
  c.close();
  c.expect({ flags: "FA" });
  host.advance(MS);
  c.send({});
  assertEquals(remembered(host).length, 1);
  const again = new Conn(host, 80, 40001);
  again.send({ flags: "S", mss: 1460 });
  again.expect({ flags: "SA" });
  again.send({ flags: "A" });
  again.so = host.accept(listener);
  assertEquals(again.tcb("rto_us"), 3 * remembered(host)[0].srtt_us);
  again.end(listener);
});

Deno.test("a connection that is dropped leaves nothing", async () => {
  const host = await Host.boot();
  const reset = open(host, 300 * MS);
  talk(reset, 300 * MS);
  reset.send({ flags: "RA" });
  assertEquals(reset.state(), TcpState.CLOSED);
  const aborted = open(host, 300 * MS);
  talk(aborted, 300 * MS);
  host.call("so_abort", aborted.so);
  host.step();
  assertEquals(remembered(host), []);
  host.end(reset.so, aborted.so);
});

Deno.test("no_metrics_save: nothing is kept", async () => {
  const host = await experienced({ tcp: { no_metrics_save: 1 } });
  assertEquals(remembered(host), []);
  host.end();
});

Deno.test("a flush forgets", async () => {
  const host = await experienced();
  assertEquals(remembered(host).length, 1);
  host.call("tcp_metrics_flush");
  assertEquals(remembered(host), []);
  const c = open(host, 5 * MS);
  assert(c.tcb("rto_us") < 300 * MS);
  c.end();
});

Deno.test("RFC 9040 3.2: after an hour it is not believed any more", async () => {
  const host = await experienced();
  host.advance(3600 * SECOND);
  const c = open(host, 5 * MS);
  assert(c.tcb("rto_us") < 300 * MS);
  assertEquals(remembered(host), []);
  c.end();
});

Deno.test("too many destinations: the one not used for longest goes", async () => {
  const host = await Host.boot({ memory: { tcbs: 3 } });
  const peers = [1, 2, 3, 4].map((i) => `192.0.2.${i}`);
  for (const peer of peers.slice(0, 3)) {
    const c = open(host, 10 * MS, peer);
    talk(c, 10 * MS);
    finish(c);
  }
  const used = open(host, 10 * MS, peers[0]); // finds what is known of it
  const fourth = open(host, 10 * MS, peers[3]);
  talk(fourth, 10 * MS);
  finish(fourth);
  assertEquals(remembered(host).map(({ peer }) => peer), [peers[3], peers[0], peers[2]]);
  host.end(used.so);
});

Deno.test("ssthresh is kept, but used only if asked for", async () => {
  for (const no_ssthresh_save of [0, 1]) {
    const host = await Host.boot({ tcp: { no_ssthresh_save, frto: 0 } });
    const c = open(host, 100 * MS);
    c.write(pattern(14600));
    c.takeAll();
    c.host.advance(2 * SECOND); // a timeout
    c.takeAll();
    c.send({ ack: 14601 });
    talk(c, 100 * MS);
    const ssthresh = c.tcb("ssthresh");
    assert(ssthresh < 14600);
    finish(c);
    assertEquals(remembered(host)[0].ssthresh, ssthresh);
    const next = open(host, 100 * MS);
    assertEquals(next.tcb("ssthresh") === ssthresh, no_ssthresh_save === 0);
    next.end();
  }
});

Deno.test("a connection that ends in the midst of timeouts takes back what was known", async () => {
  const host = await experienced();
  const c = open(host, 5 * MS);
  c.send({ flags: "FA" });
  c.takeAll();
  c.close();
  c.expect({ flags: "FA" });
  c.expectWithin(10 * SECOND, { flags: "FA" });
  c.send({});
  assertEquals(remembered(host)[0].srtt_us, 0);
  host.end();
});
