/** The arena, pools and where mbufs come from. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Mf, Mt } from "../../../assembly/abi/mbuf.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import { Mbuf, Pool } from "../../../runtime/wasm/layout.gen.ts";
import { type EngineUnderTest, engineWithMbufs, freshEngine } from "../engine_instance.ts";

const SEED = 0x706f6f6c;
const HEAP_BYTES = 1 << 18;

/** An engine with an arena, and room for one struct Pool before it. */
function arenaEngine(): EngineUnderTest & { pool: number; begin: number } {
  const e = freshEngine(HEAP_BYTES);
  const begin = e.heap + 256;
  e.call.probe_arena_init(begin, e.bytes.length);
  return { ...e, pool: e.heap, begin };
}

Deno.test("the arena hands out aligned memory that does not overlap, to its last byte", () => {
  const request = fc.record({ bytes: fc.nat(9000), align: fc.nat(8).map((n) => 1 << n) });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 60, size: "max" }), (requests) => {
      const e = arenaEngine();
      let top = e.begin;
      for (const { bytes, align } of requests) {
        const expected = Math.ceil(top / align) * align;
        const fits = expected + bytes <= e.bytes.length;
        assertEquals(e.call.probe_arena_alloc(bytes, align), fits ? expected : 0);
        if (fits) top = expected + bytes;
        assertEquals(e.call.probe_arena_top(), top);
      }
      const rest = e.bytes.length - top;
      assertEquals(e.call.probe_arena_alloc(rest + 1, 1), 0);
      if (rest > 0) assertEquals(e.call.probe_arena_alloc(rest, 1), top);
    }),
    { seed: SEED, numRuns: 60 },
  );
});

Deno.test("the arena refuses sizes that wrap around", () => {
  const e = arenaEngine();
  assertEquals(e.call.probe_arena_alloc(-1, 16), 0);
  assertEquals(e.call.probe_arena_alloc(-e.begin, 1), 0);
  assertEquals(e.call.probe_arena_top(), e.begin);
});

Deno.test("a pool gives distinct items, cleared by get, up to its limit and no further", () => {
  const action = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("get", "getDirty") },
    { weight: 2, arbitrary: fc.nat(1000) },
  );
  const shape = fc.record({ bytes: fc.integer({ min: 4, max: 300 }), limit: fc.nat(20) });
  fc.assert(
    fc.property(shape, fc.array(action, { maxLength: 80, size: "max" }), (shape, actions) => {
      const e = arenaEngine();
      const p = e.pool;
      assertEquals(e.call.probe_pool_init(p, shape.bytes, shape.limit), 1);
      const item = Math.ceil(shape.bytes / 8) * 8;
      const out: number[] = [];
      let [peak, denied] = [0, 0];
      for (const act of actions) {
        if (typeof act === "number") {
          if (out.length > 0) e.call.probe_pool_put(p, out.splice(act % out.length, 1)[0]);
        } else {
          const at = act === "get" ? e.call.probe_pool_get(p) : e.call.probe_pool_get_dirty(p);
          if (out.length === shape.limit) {
            assertEquals(at, 0);
            denied++;
            continue;
          }
          assert(at >= e.begin && at + item <= e.bytes.length && at % 8 === 0);
          assert(out.every((other) => Math.abs(other - at) >= item), "items overlap");
          if (act === "get") assert(e.bytes.slice(at, at + item).every((byte) => byte === 0));
          e.bytes.fill(0xa5, at, at + item);
          out.push(at);
          peak = Math.max(peak, out.length);
        }
        for (const at of out) assert(e.bytes.slice(at, at + item).every((byte) => byte === 0xa5));
      }
      assertEquals(e.u32(p + Pool.used), out.length);
      assertEquals(e.u32(p + Pool.peak), peak);
      assertEquals(e.u32(p + Pool.denied), denied);
      assertEquals(e.call.probe_pool_left(p), shape.limit - out.length);
      assertEquals(e.u32(p + Pool.high), peak);
    }),
    { seed: SEED, numRuns: 100 },
  );
});

Deno.test("a pool touches nothing before its items are asked for", () => {
  const e = arenaEngine();
  const before = e.bytes.slice(e.begin);
  assertEquals(e.call.probe_pool_init(e.pool, 100, 1000), 1);
  assertEquals(e.bytes.slice(e.begin), before);
  assertEquals(e.u32(e.pool + Pool.base) % 64, 0);
});

Deno.test("a pool that does not fit is empty and refuses", () => {
  for (const [bytes, limit] of [[4096, 10_000], [0xffff_fff0, 16], [0x8000_0000, 2]]) {
    const e = arenaEngine();
    assertEquals(e.call.probe_pool_init(e.pool, bytes, limit), 0);
    assertEquals(e.call.probe_pool_get(e.pool), 0);
    assertEquals(e.u32(e.pool + Pool.denied), 1);
  }
});

Deno.test("every pool is on the list, the newest first", () => {
  const e = arenaEngine();
  const pools = [e.pool, e.pool + 64, e.pool + 128];
  pools.forEach((p) => e.call.probe_pool_init(p, 32, 4));
  const found: number[] = [];
  for (let p = e.call.probe_pool_first(); p !== 0; p = e.u32(p + Pool.next)) found.push(p);
  assertEquals(found, pools.reverse());
});

Deno.test("the checked engine stops at an item given back wrongly and says where", () => {
  const wrong: Record<string, (e: EngineUnderTest, p: number, item: number) => void> = {
    twice: (e, p, item) => {
      e.call.probe_pool_put(p, item);
      e.call.probe_pool_put(p, item);
    },
    "in the middle": (e, p, item) => e.call.probe_pool_put(p, item + 16),
    "below the pool": (e, p, item) => e.call.probe_pool_put(p, item - 64),
    "never handed out": (e, p, item) => e.call.probe_pool_put(p, item + 64),
  };
  for (const put of Object.values(wrong)) {
    const e = arenaEngine();
    assertEquals(e.call.probe_checked(), 1);
    e.call.probe_pool_init(e.pool, 64, 4);
    const item = e.call.probe_pool_get(e.pool);
    const place = e.call.probe_panic_info();
    assertEquals(e.u32(place + 8), 0);
    assertThrows(() => put(e, e.pool, item), WebAssembly.RuntimeError, "unreachable");
    assert(e.u32(place + 8) > 0, "no line");
    const file = e.u32(place + 4);
    const utf16 = e.bytes.slice(file, file + e.u32(file - 4));
    assertEquals(new TextDecoder("utf-16le").decode(utf16), "assembly/sys/pool.ts");
  }
});

Deno.test("the checked engine poisons what is free", () => {
  const e = arenaEngine();
  e.call.probe_pool_init(e.pool, 64, 4);
  const item = e.call.probe_pool_get(e.pool);
  e.call.probe_pool_put(e.pool, item);
  assert(e.bytes.slice(item + 4, item + 64).every((byte) => byte === 0xdf));
});

Deno.test("a new mbuf has a clean header, whatever was in its memory", () => {
  const e = engineWithMbufs({ small: 1, cluster: 1 });
  const { call } = e;
  const cases = [
    { make: () => call.probe_mbuf_get(Mt.SONAME), type: Mt.SONAME, cap: 192, flags: 0, lead: 0 },
    { make: () => call.probe_mbuf_getcl(Mt.DATA), type: Mt.DATA, cap: 2048, flags: Mf.EXT },
    {
      make: () => call.probe_mbuf_gethdr(48),
      type: Mt.DATA,
      cap: 192,
      flags: Mf.PKTHDR,
      lead: 144,
    },
    {
      make: () => call.probe_mbuf_gethdr(49),
      type: Mt.DATA,
      cap: 2048,
      flags: Mf.PKTHDR | Mf.EXT,
      lead: 144,
    },
  ];
  for (const { make, type, cap, flags, lead = 0 } of [...cases, ...cases]) {
    const m = make();
    const header = new Uint8Array(Mbuf.size);
    const view = new DataView(header.buffer);
    view.setUint32(Mbuf.data, m + 64 + lead, true);
    view.setUint32(Mbuf.buf, m + 64, true);
    view.setUint32(Mbuf.cap, cap, true);
    view.setUint8(Mbuf.type, type);
    view.setUint8(Mbuf.cls, cap === 192 ? 0 : 1);
    view.setUint16(Mbuf.flags, flags, true);
    const found = e.bytes.slice(m, m + Mbuf.size);
    found.fill(0, Mbuf.aux2 + 4, Mbuf.tstamp); // padding
    assertEquals(found, header);
    assertEquals(call.probe_mbuf_leading(m), lead);
    assertEquals(call.probe_mbuf_trailing(m), cap - lead);
    e.bytes.fill(0xff, m + Mbuf.pktlen, m + 64 + cap);
    e.setU32(m + Mbuf.next, 0x77);
    assertEquals(call.probe_mbuf_free(m), 0x77);
  }
});

Deno.test("freem frees every mbuf of a chain and takes nil", () => {
  const e = engineWithMbufs({ small: 3, cluster: 3 });
  const chain = [e.call.probe_mbuf_get(1), e.call.probe_mbuf_getcl(1), e.call.probe_mbuf_get(1)];
  e.setU32(chain[0] + Mbuf.next, chain[1]);
  e.setU32(chain[1] + Mbuf.next, chain[2]);
  assertEquals(e.call.probe_mbuf_used(), 3);
  e.call.probe_mbuf_freem(chain[0]);
  e.call.probe_mbuf_freem(0);
  assertEquals(e.call.probe_mbuf_used(), 0);
});

Deno.test("low says when less than an eighth of either pool is left", () => {
  for (const name of ["probe_mbuf_get", "probe_mbuf_getcl"]) {
    const e = engineWithMbufs({ small: 80, cluster: 80 });
    for (let taken = 1; taken <= 80; taken++) {
      e.call[name](1);
      assertEquals(e.call.probe_mbuf_low(), 80 - taken < 10 ? 1 : 0);
    }
  }
});

Deno.test("an empty pool asks for memory once, tries again, and counts a refusal", () => {
  const e = engineWithMbufs({ small: 2, cluster: 1 });
  const { call } = e;
  const [CALLS, GIVES, ASKS] = [0, 4, 8].map((offset) => call.probe_drain() + offset);
  const counter = (stat: Stat) => Number(e.u64(call.probe_stat_counters() + 8 * stat));
  const [first] = [call.probe_mbuf_get(1), call.probe_mbuf_get(1)];
  assertEquals(call.probe_mbuf_get(1), 0);
  assertEquals([counter(Stat.MBUF_DENIED), counter(Stat.MBUF_DRAINS)], [1, 0]);

  call.probe_mbuf_set_drain(call.probe_drain_fn());
  assertEquals(call.probe_mbuf_get(1), 0);
  assertEquals([counter(Stat.MBUF_DENIED), counter(Stat.MBUF_DRAINS)], [2, 1]);

  e.setU32(GIVES, first);
  assertEquals(call.probe_mbuf_get(1), first);
  assertEquals([counter(Stat.MBUF_DENIED), counter(Stat.MBUF_DRAINS)], [2, 2]);

  // A drain function that itself asks does not call itself.
  e.setU32(ASKS, 1);
  assertEquals(call.probe_mbuf_get(1), 0);
  assertEquals([counter(Stat.MBUF_DENIED), counter(Stat.MBUF_DRAINS)], [4, 3]);
  assertEquals(e.u32(CALLS), 3);
  assertEquals(counter(Stat.MBUF_ALLOCATED) - counter(Stat.MBUF_FREED), call.probe_mbuf_used());
});

Deno.test("the clock never goes back", () => {
  const e = freshEngine();
  for (const [set, now] of [[0, 0], [5, 5], [3, 5], [-1, 5], [2 ** 52, 2 ** 52], [6, 2 ** 52]]) {
    e.call.probe_clock_set(set);
    assertEquals(e.call.probe_clock_now(), now);
  }
});
