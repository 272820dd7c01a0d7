/** Settings of TCP about sizes, losses and the pace: that the engine does as they say. */

import { assert, assertEquals } from "@std/assert";
import { So, Sol } from "../../assembly/abi/socket.ts";
import { Tcb } from "../../runtime/wasm/layout.gen.ts";
import { type Conn, Host, pattern, type Shake } from "./harness.ts";
import { connecting, established } from "./shake.ts";

const MSS = 1460;
const MS = 1000;
const SECOND = 1_000_000;

/** A connection with these settings, a round trip of 100 ms, and segments in flight. */
async function inFlight(segments: number, settings: Shake["settings"], shake: Shake = {}) {
  const c = await established({ sndbuf: 1 << 20, rtt_us: 100 * MS, ...shake, settings });
  c.write(pattern(segments * MSS));
  const sent = c.takeAll();
  c.host.advance(100 * MS);
  return { c, sent };
}

function mss(c: Conn): number {
  return c.tcb("snd_mss") & 0xffff;
}

Deno.test("mss_default: a peer that does not say takes so much", async () => {
  const c = await connecting({ settings: { mss_default: 700 } });
  c.send({ flags: "SA", ack: 1 });
  c.expect({ flags: "A", ack: 1 });
  assertEquals(mss(c), 700);
  c.end();
});

Deno.test("dsack: whether what came twice is reported", async () => {
  for (const dsack of [0, 1]) {
    const c = await established({ sackOk: true, settings: { dsack } });
    c.send({ data: "abc" });
    c.takeAll();
    c.send({ data: "abc", seq: 1 });
    assertEquals(c.expect({ flags: "A", ack: 4 }).sack, dsack ? [[1, 4]] : undefined);
    c.end();
  }
});

Deno.test("reordering: duplicate ACKs until a segment counts as lost", async () => {
  for (const reordering of [3, 5]) {
    const settings = { reordering, recovery: 0, early_retrans: 0 };
    const { c } = await inFlight(10, settings);
    let duplicates = 0;
    for (let again = false; !again; duplicates++) {
      assert(duplicates < 10);
      c.send({ ack: 1 });
      again = c.takeAll().some(({ seq }) => seq === 1);
    }
    assertEquals(duplicates, reordering);
    c.end();
  }
});

Deno.test("undo: whether a spurious timeout leaves the window as it was", async () => {
  for (const undo of [0, 1]) {
    const { c, sent } = await inFlight(10, { undo, frto: 0, early_retrans: 0 }, { ts: true });
    const before = c.tcb("cwnd");
    const first = sent[0].ts!;
    c.expectWithin(SECOND, { seq: 1 });
    assert(c.tcb("cwnd") < before);
    // the ACK of what was sent first, late: it echoes the time of that (RFC 3522)
    c.send({ ack: sent[9].seq + sent[9].data.length, ts: [c.tsNow(), first[0]] });
    c.takeAll();
    assertEquals(c.tcb("cwnd") >= before, undo === 1, `${c.tcb("cwnd")} of ${before}`);
    c.end();
  }
});

Deno.test("base_mss, probe_threshold: where a search begins, and how fine it is", async () => {
  for (const [base_mss, probe_threshold, probes] of [[900, 8, 1], [1200, 8, 1], [1200, 400, 0]]) {
    const settings = { mtu_probing: 2, base_mss, probe_threshold, initial_cwnd_segments: 20 };
    const c = await established({ sndbuf: 1 << 20, sackOk: true, settings });
    assertEquals(mss(c), base_mss);
    c.write(pattern(20 * MSS));
    assertEquals(c.takeAll().filter((s) => s.data.length > base_mss).length, probes);
    c.end();
  }
});

Deno.test("pacing_ss_ratio, pacing_ca_ratio: the pace, of window over round trip", async () => {
  const ratios = { pacing: 1, pacing_ss_ratio: 400, pacing_ca_ratio: 50, rto_min_us: 9 * SECOND };
  const { c } = await inFlight(100, ratios, { win: 60_000, wscale: 7 });
  c.send({ ack: 1 + 2 * MSS });
  const pace = () => Math.round(c.tcb("pacing_rate") * c.tcb("srtt_us") / c.tcb("cwnd") / 10_000);
  assertEquals(pace(), 400);
  c.host.engine.view.setUint32(c.host.call("tcb_of", c.so) + Tcb.ssthresh, c.tcb("cwnd"), true);
  c.host.advance(200 * MS);
  c.send({ ack: 1 + 4 * MSS });
  c.host.advance(10 * MS);
  assertEquals(Math.round(pace() / 10), 5);
  c.end();
});

Deno.test("rcvbuf_min, sndbuf_min: buffers of new sockets while mbufs are scarce", async () => {
  const host = await Host.boot({ memory: { mbufs_cluster: 36 } });
  host.tune({ rcvbuf: 50_000, sndbuf: 60_000, rcvbuf_min: 3000, sndbuf_min: 2000 });
  const sizes = () => {
    const so = host.socket();
    const found = [So.RCVBUF, So.SNDBUF].map((name) => host.getopt(so, Sol.SOCKET, name));
    host.close(so);
    return found;
  };
  assertEquals(sizes(), [50_000, 60_000]);
  const c = await established({ sndbuf: 60_000 }, host);
  while (c.tryWrite(pattern(2000)) === 2000);
  c.takeAll();
  assertEquals(sizes(), [3000, 2000]);
  c.end();
});
