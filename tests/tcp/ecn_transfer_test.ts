/** Explicit congestion notification in whole transfers, and what is counted of it. */

import { assert, assertEquals } from "@std/assert";
import { Stat } from "../../assembly/abi/stat.ts";
import { bulk } from "./ecn_kit.ts";
import { Pair } from "./pair.ts";

const MSS = 1460;

Deno.test("ECN: TCP_INFO counts what was delivered marked", async () => {
  const c = await bulk();
  c.takeAll();
  c.rcv = 1;
  c.send({ ack: 1 + 2 * MSS });
  c.send({ ack: 1 + 5 * MSS, flags: "AE" });
  c.send({ ack: 1 + 5 * MSS, flags: "AE", sack: [[1 + 6 * MSS, 1 + 8 * MSS]] });
  c.send({ ack: 1 + 9 * MSS });
  assertEquals(c.tcb("delivered_ce"), 5);
  c.end();
});

Deno.test("ECN: marks slow both directions down and nothing is lost or sent again", async () => {
  const every = [7, 30, 211];
  const reductions = await Promise.all(every.map(async (share) => {
    const mark = (n: number) => n % share === share - 1;
    const pair = await Pair.join({ delay_us: 10_000, seed: share, mark }, { checks: false });
    pair.a.tune({ ecn: 1 });
    pair.transfer({ bytes: 500_000 }, { bytes: 300_000 });
    const sum = (s: Stat) => pair.a.inspect.stat(s) + pair.b.inspect.stat(s);
    assertEquals(sum(Stat.TCP_REXMT_SEGMENTS), 0);
    assert(sum(Stat.TCP_CE_IN) > 0);
    const count = sum(Stat.TCP_ECE_REDUCTIONS);
    assert(count > 0 && count <= sum(Stat.TCP_CE_IN), `${count}`);
    pair.end();
    return count;
  }));
  assertEquals(reductions, reductions.toSorted((a, b) => b - a), "more marks, more reductions");
});

Deno.test("ECN: bytes arrive whole with marks, loss, repetition and disorder", async () => {
  for (const seed of [1, 2, 3]) {
    const pair = await Pair.join({
      delay_us: 5000,
      jitter_us: 3000,
      loss: 0.02,
      duplicate: 0.02,
      seed,
      mark: (n) => n % 11 === seed,
    });
    pair.a.tune({ ecn: 1 });
    pair.transfer({ bytes: 200_000 }, { bytes: 200_000 });
    assert(pair.a.inspect.stat(Stat.TCP_CE_IN) + pair.b.inspect.stat(Stat.TCP_CE_IN) > 0);
    pair.end();
  }
});
