/** Congestion control in whole transfers between two engines. */

import { assert, assertEquals } from "@std/assert";
import { IpProto } from "../../assembly/abi/proto.ts";
import { So, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { Cc } from "../../assembly/abi/tcp.ts";
import { Pair, type Side } from "./pair.ts";

const SECOND = 1_000_000;
const MTU_BITS = 1500 * 8;
const ALGORITHMS = [[Cc.NEWRENO, "NewReno"], [Cc.CUBIC, "CUBIC"]] as const;

/** A side that sends so much by an algorithm, with buffers that never limit. */
function side(algorithm: Cc, bytes: number, options: Side["options"] = []): Side {
  return {
    bytes,
    sndbuf: 8 << 20,
    rcvbuf: 8 << 20,
    options: [[IpProto.TCP, TcpOpt.CONGESTION, algorithm], ...options],
  };
}

for (const [algorithm, name] of ALGORITHMS) {
  Deno.test(`${name}: RFC 9406: a queue that grows ends slow start`, async () => {
    const memory = { bytes: 64 << 20 };
    for (const [rate_bps, exits] of [[20_000_000, 1], [undefined, 0]] as const) {
      const link = { delay_us: 25_000, seed: 1, rate_bps };
      const pair = await Pair.join(link, { checks: false, memory });
      pair.transfer(side(algorithm, 6_000_000), side(algorithm, 0));
      assertEquals(pair.a.inspect.stat(Stat.TCP_HYSTART_EXITS), exits, `${rate_bps} bit/s`);
      assertEquals(pair.a.inspect.stat(Stat.TCP_REXMT_SEGMENTS), 0);
      pair.end();
    }
  });

  Deno.test(`${name}: on a lossy link not slower than Reno as RFC 5681 has it`, async () => {
    const link = { delay_us: 20_000, seed: 9, rate_bps: 50_000_000, loss: 0.002 };
    const memory = { bytes: 64 << 20 };
    const pair = await Pair.join(link, { checks: false, memory });
    const bytes = 6_000_000;
    const took = pair.transfer(side(algorithm, bytes), side(algorithm, 0));
    // the response function of Reno with ACKs delayed: 0.87 / sqrt(p) packets in a round trip
    const floor = 0.87 / Math.sqrt(0.002) * 1448 / 0.04;
    const goodput = bytes / (took / SECOND);
    assert(goodput > floor, `${goodput} bytes a second, not ${floor}`);
    pair.end();
  });

  Deno.test(`${name}: a limit of the pace is kept, and reached`, async () => {
    const rate = 400_000;
    const pair = await Pair.join({ delay_us: 10_000, seed: 4 }, { checks: false });
    const options: Side["options"] = [[Sol.SOCKET, So.MAX_PACING_RATE, rate]];
    const bytes = 1_000_000;
    const took = pair.transfer(side(algorithm, bytes, options), side(algorithm, 0));
    const pace = (bytes - 10 * 1460) / (took / SECOND);
    assert(pace <= rate * 1.01 && pace > rate * 0.93, `${pace} bytes a second`);
    pair.end();
  });
}

Deno.test("paced segments build no queue as large as bursts do", async () => {
  const rate_bps = 40_000_000;
  const worst: number[] = [];
  for (const pacing of [0, 1]) {
    const memory = { bytes: 64 << 20 };
    const link = { delay_us: 20_000, seed: 5, rate_bps };
    const pair = await Pair.join(link, { checks: false, memory });
    pair.a.tune({ pacing, hystart: 0 });
    pair.transfer(side(Cc.CUBIC, 150 * 1448), side(Cc.CUBIC, 0));
    worst.push(pair.queued_us / (MTU_BITS / rate_bps * SECOND));
    pair.end();
  }
  const [bursts, paced] = worst;
  assert(paced < 0.7 * bursts, `${paced} packets waited, ${bursts} without a pace`);
});
