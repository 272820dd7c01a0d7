/** Operations on chains of mbufs against plain byte arrays, and the conservation of mbufs. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Mf } from "../../../assembly/abi/mbuf.ts";
import { Stat } from "../../../assembly/abi/stat.ts";
import { Mbuf } from "../../../runtime/wasm/layout.gen.ts";
import { dataOf, engineWithMbufs, makeChain, mbufsOf } from "../engine_instance.ts";

const SEED = 0x6d627566;
const SCRATCH_BYTES = 16384;
const MCLBYTES = 2048;

type Op =
  | { op: "make"; packet: boolean; mbufs: { cluster: boolean; lead: number; len: number }[] }
  | { op: "devget" | "pullup" | "prepend" | "split"; pick: number; n: number }
  | { op: "adj"; pick: number; n: number }
  | { op: "cat"; pick: number; other: number }
  | { op: "copydata" | "copyback" | "copym"; pick: number; off: number; n: number }
  | { op: "linear" | "free"; pick: number };

const length = fc.oneof(fc.nat(40), fc.nat(300), fc.nat(5000));
const pick = fc.nat(1000);
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    op: fc.constant("make" as const),
    packet: fc.boolean(),
    mbufs: fc.array(
      fc.record({
        cluster: fc.boolean(),
        lead: fc.oneof(fc.nat(64), fc.nat(2048)),
        len: fc.oneof(fc.constant(0), fc.nat(200), fc.nat(2048)),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  }),
  fc.record({ op: fc.constantFrom("devget", "pullup", "prepend", "split"), pick, n: length }),
  fc.record({ op: fc.constant("adj" as const), pick, n: fc.integer({ min: -3000, max: 3000 }) }),
  fc.record({ op: fc.constant("cat" as const), pick, other: pick }),
  fc.record({
    op: fc.constantFrom("copydata", "copyback", "copym"),
    pick,
    off: length,
    n: length,
  }),
  fc.record({ op: fc.constantFrom("linear", "free"), pick }),
);

/** Chains of one engine beside what each should hold. */
class Model {
  readonly e;
  chains: { m: number; bytes: Uint8Array; packet: boolean }[] = [];
  #fill = 1;

  constructor(small: number, cluster: number) {
    this.e = engineWithMbufs({ small, cluster, keep: SCRATCH_BYTES });
  }

  /** Bytes that occur nowhere else nearby. */
  fresh(n: number): Uint8Array {
    return Uint8Array.from({ length: n }, () => (this.#fill = this.#fill * 73 % 65521) & 255);
  }

  denied(): bigint {
    return this.counter(Stat.MBUF_DENIED);
  }

  counter(stat: Stat): bigint {
    return this.e.u64(this.e.call.probe_stat_counters() + 8 * stat);
  }

  apply(op: Op): void {
    const before = this.denied();
    if (op.op === "make") return this.make(op);
    if (op.op === "devget") return this.devget(op.n);
    if (this.chains.length === 0) return;
    const chain = this.chains[op.pick % this.chains.length];
    /** A nil answer must have a reason; the chain is gone. */
    const gone = (allowed: boolean) => {
      assert(allowed || this.denied() > before, `${op.op} failed without a reason`);
      this.chains = this.chains.filter((c) => c !== chain);
    };
    const { call } = this.e;
    switch (op.op) {
      case "prepend": {
        const head = call.probe_mbuf_prepend(chain.m, op.n);
        if (head === 0) return gone(op.n > MCLBYTES);
        const added = this.fresh(op.n);
        assert(mbufsOf(this.e, head)[0].len >= op.n, "the new bytes are not contiguous");
        this.e.bytes.set(added, this.e.u32(head + Mbuf.data));
        chain.m = head;
        chain.bytes = join(added, chain.bytes);
        return;
      }
      case "pullup": {
        const head = call.probe_mbuf_pullup(chain.m, op.n);
        if (head === 0) return gone(op.n > Math.min(chain.bytes.length, MCLBYTES));
        assert(this.e.u32(head + Mbuf.len) >= op.n);
        chain.m = head;
        return;
      }
      case "linear": {
        const head = call.probe_mbuf_linear(chain.m);
        if (head === 0) return gone(chain.bytes.length > MCLBYTES);
        assertEquals(mbufsOf(this.e, head).length, 1);
        chain.m = head;
        return;
      }
      case "adj": {
        call.probe_mbuf_adj(chain.m, op.n);
        const { length } = chain.bytes;
        if (op.n >= 0) chain.bytes = chain.bytes.slice(op.n);
        else chain.bytes = chain.bytes.slice(0, Math.max(0, length + op.n));
        return;
      }
      case "cat": {
        const other = this.chains[op.other % this.chains.length];
        if (other === chain) return;
        call.probe_mbuf_cat(chain.m, other.m);
        chain.bytes = join(chain.bytes, other.bytes);
        this.chains = this.chains.filter((c) => c !== other);
        return;
      }
      case "split":
        return this.split(chain, op.n);
      case "copydata":
        return this.copydata(chain, op.off, op.n);
      case "copyback":
        return this.copyback(chain, op.off, op.n);
      case "copym":
        return this.copym(chain, op.off, op.n);
      case "free":
        call.probe_mbuf_freem(chain.m);
        this.chains = this.chains.filter((c) => c !== chain);
    }
  }

  make({ packet, mbufs }: Op & { op: "make" }): void {
    const specs = mbufs.map(({ cluster, lead, len }) => {
      const cap = cluster ? MCLBYTES : 192;
      const room = cap - Math.min(lead, cap);
      return { cluster, lead, data: this.fresh(Math.min(len, room)) };
    });
    const before = this.denied();
    const m = makeChain(this.e, specs, packet);
    if (m === 0) return assert(this.denied() > before);
    this.chains.push({ m, bytes: join(...specs.map((spec) => spec.data)), packet });
  }

  devget(n: number): void {
    const bytes = this.fresh(n);
    const before = this.denied();
    this.e.bytes.set(bytes, this.e.scratch);
    const m = this.e.call.probe_mbuf_devget(this.e.scratch, n, 7);
    if (m === 0) return assert(this.denied() > before);
    assertEquals(this.e.view.getUint16(m + Mbuf.rcvif, true), 7);
    assert(this.e.call.probe_mbuf_leading(m) >= 16);
    this.chains.push({ m, bytes, packet: true });
  }

  split(chain: Model["chains"][0], at: number): void {
    const before = this.denied();
    const tail = this.e.call.probe_mbuf_split(chain.m, at);
    if (tail === 0) return assert(at >= chain.bytes.length || this.denied() > before);
    this.chains.push({ m: tail, bytes: chain.bytes.slice(at), packet: chain.packet });
    chain.bytes = chain.bytes.slice(0, at);
  }

  copydata(chain: Model["chains"][0], off: number, n: number): void {
    const { e } = this;
    e.bytes.fill(0xee, e.scratch, e.scratch + n + 1);
    const got = e.call.probe_mbuf_copydata(chain.m, off, n, e.scratch);
    const expected = chain.bytes.slice(off, off + n);
    assertEquals(got, expected.length);
    assertEquals(e.bytes.slice(e.scratch, e.scratch + got), expected);
    assertEquals(e.bytes[e.scratch + got], 0xee);
  }

  copyback(chain: Model["chains"][0], off: number, n: number): void {
    const { e } = this;
    const bytes = this.fresh(n);
    const before = this.denied();
    e.bytes.set(bytes, e.scratch);
    const result = e.call.probe_mbuf_copyback(chain.m, off, n, e.scratch);
    if (result !== 0) {
      assertEquals(result, -Errno.ENOBUFS);
      return assert(this.denied() > before);
    }
    const longer = new Uint8Array(Math.max(chain.bytes.length, off + n));
    longer.set(chain.bytes);
    longer.set(bytes, off);
    chain.bytes = longer;
  }

  copym(chain: Model["chains"][0], off: number, n: number): void {
    const before = this.denied();
    const copy = this.e.call.probe_mbuf_copym(chain.m, off, n);
    if (copy === 0) return assert(off > chain.bytes.length || this.denied() > before);
    if (chain.packet) assert(this.e.call.probe_mbuf_leading(copy) >= 144);
    this.chains.push({ m: copy, bytes: chain.bytes.slice(off, off + n), packet: chain.packet });
  }

  check(): void {
    let mbufs = 0;
    for (const { m, bytes, packet } of this.chains) {
      mbufs += mbufsOf(this.e, m).length;
      assertEquals(dataOf(this.e, m), bytes);
      assertEquals(this.e.call.probe_mbuf_length(m), bytes.length);
      const flags = this.e.view.getUint16(m + Mbuf.flags, true);
      assertEquals((flags & Mf.PKTHDR) !== 0, packet);
    }
    assertEquals(this.e.call.probe_mbuf_used(), mbufs, "mbufs were lost");
    const allocated = this.counter(Stat.MBUF_ALLOCATED);
    assertEquals(allocated - this.counter(Stat.MBUF_FREED), BigInt(mbufs));
  }
}

function join(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

for (const [name, small, cluster] of [["ample", 300, 300], ["scarce", 8, 6]] as const) {
  Deno.test(`mbuf operations agree with byte arrays; ${name} memory`, () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 40, size: "max" }), (ops) => {
        const model = new Model(small, cluster);
        for (const op of ops) {
          model.apply(op);
          model.check();
        }
        for (const { m } of model.chains) model.e.call.probe_mbuf_freem(m);
        assertEquals(model.e.call.probe_mbuf_used(), 0);
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
}

Deno.test("adj takes the extremes of i32", () => {
  for (const n of [-0x80000000, 0x7fffffff]) {
    const model = new Model(10, 10);
    const mbufs = [{ cluster: false, lead: 0, len: 50 }, { cluster: true, lead: 9, len: 900 }];
    model.apply({ op: "make", packet: true, mbufs });
    model.apply({ op: "adj", pick: 0, n });
    assertEquals(model.chains[0].bytes.length, 0);
    model.check();
  }
});

Deno.test("a chain cut between two mbufs needs no other", () => {
  const model = new Model(2, 0);
  const mbuf = { cluster: false, lead: 0, len: 50 };
  model.apply({ op: "make", packet: true, mbufs: [mbuf, mbuf] });
  model.apply({ op: "split", pick: 0, n: 50 });
  assertEquals(model.chains.map(({ bytes }) => bytes.length), [50, 50]);
  model.check();
});

Deno.test("copyback refuses an end that no chain can have", () => {
  const model = new Model(10, 10);
  model.apply({ op: "make", packet: true, mbufs: [{ cluster: false, lead: 0, len: 50 }] });
  const { call, scratch } = model.e;
  for (const [off, n] of [[-1, 2], [0x7fffffff, 1], [2, -2]]) {
    assertEquals(call.probe_mbuf_copyback(model.chains[0].m, off, n, scratch), -Errno.EINVAL);
  }
  model.check();
});

Deno.test("copym copies to the end for a length beyond it", () => {
  const model = new Model(10, 10);
  model.apply({ op: "make", packet: true, mbufs: [{ cluster: false, lead: 3, len: 150 }] });
  const copy = model.e.call.probe_mbuf_copym(model.chains[0].m, 10, -1);
  assertEquals(dataOf(model.e, copy), model.chains[0].bytes.slice(10));
});

Deno.test("the packet header goes along with the first mbuf", () => {
  const { e } = new Model(10, 10);
  const specs = [{ cluster: false, lead: 0, data: new Uint8Array(20) }, {
    cluster: true,
    lead: 0,
    data: new Uint8Array(500),
  }];
  for (const name of ["prepend", "pullup"]) {
    const m = makeChain(e, specs, true);
    e.view.setUint16(m + Mbuf.flags, Mf.PKTHDR | Mf.BCAST | Mf.CSUM_L4_OK, true);
    e.view.setUint16(m + Mbuf.rcvif, 3, true);
    e.setU32(m + Mbuf.nextpkt, 0x1234);
    e.setU32(m + Mbuf.aux, 0x55);
    e.setU64(m + Mbuf.tstamp, 99n);
    const head = e.call[`probe_mbuf_${name}`](m, 300);
    const flags = e.view.getUint16(head + Mbuf.flags, true);
    assertEquals(flags, Mf.EXT | Mf.PKTHDR | Mf.BCAST | Mf.CSUM_L4_OK);
    assertEquals(e.view.getUint16(head + Mbuf.rcvif, true), 3);
    assertEquals(e.u32(head + Mbuf.nextpkt), 0x1234);
    assertEquals(e.u32(head + Mbuf.aux), 0x55);
    assertEquals(e.u64(head + Mbuf.tstamp), 99n);
    e.setU32(head + Mbuf.nextpkt, 0);
    mbufsOf(e, head);
  }
});

Deno.test("the end of a record stays with the last mbuf", () => {
  const { e } = new Model(20, 20);
  const spec = { cluster: false, lead: 64, data: new Uint8Array(100) };
  const make = () => {
    const m = makeChain(e, [spec, spec], true);
    e.view.setUint16(e.u32(m + Mbuf.next) + Mbuf.flags, Mf.EOR, true);
    return m;
  };
  const flagsOf = (m: number): number[] =>
    m === 0 ? [] : [e.view.getUint16(m + Mbuf.flags, true), ...flagsOf(e.u32(m + Mbuf.next))];
  assertEquals(flagsOf(e.call.probe_mbuf_prepend(make(), 100)), [Mf.PKTHDR, 0, Mf.EOR]);
  assertEquals(flagsOf(e.call.probe_mbuf_linear(make())), [Mf.PKTHDR | Mf.EXT | Mf.EOR]);
  const cut = make();
  e.call.probe_mbuf_adj(cut, -120);
  assertEquals(flagsOf(cut), [Mf.PKTHDR | Mf.EOR]);
  const halves = make();
  const tail = e.call.probe_mbuf_split(halves, 150);
  assertEquals([flagsOf(halves), flagsOf(tail)], [[Mf.PKTHDR, 0], [Mf.PKTHDR | Mf.EOR]]);
});
