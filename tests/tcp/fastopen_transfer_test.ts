/** Fast Open over bad links (RFC 7413): every byte arrives once, whatever happens to the SYNs. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { Pair, type Side } from "./pair.ts";

const link = fc.record({
  delay_us: fc.constantFrom(0, 100, 20_000, 300_000),
  jitter_us: fc.constantFrom(0, 50, 5000, 50_000),
  loss: fc.constantFrom(0, 0.1, 0.2),
  duplicate: fc.constantFrom(0, 0.2),
  seed: fc.nat(),
});

const side = fc.record({
  bytes: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 8000 })),
  sndbuf: fc.constantFrom(undefined, 2048, 100_000),
  rcvbuf: fc.constantFrom(undefined, 500, 1000, 30_000),
});

/** A side whose connect waits for the first data. */
function fast(side: Side): Side {
  return { ...side, options: [[IpProto.TCP, TcpOpt.FASTOPEN_CONNECT, 1]] };
}

/** With cookies and without, on timestamps and without. */
const settings = fc.record({
  fastopen: fc.constantFrom(0x403, 0x607),
  timestamps: fc.constantFrom(0, 1),
  sack: fc.constantFrom(0, 1),
});

Deno.test("property: data of SYNs arrives once, in order, and both streams end", async () => {
  const property = fc.asyncProperty(link, side, side, settings, async (l, a, b, tcp) => {
    // on such links a handshake may take long
    const pair = await Pair.join(l, { tcp: { ...tcp, syn_retries: 20, synack_retries: 20 } });
    for (const port of [80, 81, 82]) pair.transfer(fast(a), b, port);
    pair.end();
  });
  await fc.assert(property, { numRuns: 60, seed: 7413 });
});

Deno.test("on a clean link the data of every SYN is taken, after the first cookie", async () => {
  for (const [fastopen, taken] of [[0x403, 2], [0x607, 3]]) {
    const pair = await Pair.join({ delay_us: 1000, seed: 1 }, { tcp: { fastopen } });
    for (const port of [80, 81, 82]) pair.transfer(fast({ bytes: 3000 }), { bytes: 3000 }, port);
    assertEquals(pair.a.inspect.stat(Stat.TCP_FASTOPEN_ACTIVE), taken);
    assertEquals(pair.b.inspect.stat(Stat.TCP_FASTOPEN_PASSIVE), taken);
    assertEquals(pair.a.inspect.stat(Stat.TCP_FASTOPEN_FAILED), 0);
    assertEquals(pair.a.inspect.stat(Stat.TCP_REXMT_SEGMENTS), 0);
    pair.end();
  }
});
