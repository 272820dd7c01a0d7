/** Checksums: vector and scalar sums, and sums of chains, against a plain reference. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { engineWithMbufs, freshEngine, makeChain } from "../engine_instance.ts";

const SEED = 0x63736d73;
const LENGTH_MAX = 2048;
const OFFSET_MAX = 15;
const GUARD = 0xa5;

/** RFC 1071 with words in the order of the network; answers the two bytes to store. */
function reference(bytes: Uint8Array): [number, number] {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += bytes[i] * (i % 2 === 0 ? 256 : 1);
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  const checksum = ~sum & 0xffff;
  return [checksum >> 8, checksum & 255];
}

/** The two bytes that store<u16> writes for a finished sum. */
function stored(finished: number): [number, number] {
  return [finished & 255, finished >> 8];
}

/** Bytes without a pattern. */
function noise(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => (state = Math.imul(state, 1664525) + 1013904223) >>> 24);
}

const fills: Record<string, (length: number) => Uint8Array> = {
  noise,
  ones: (length) => new Uint8Array(length).fill(0xff),
};

for (const [name, fill] of Object.entries(fills)) {
  Deno.test(`checksum: every length and offset, ${name}`, () => {
    const e = freshEngine();
    const { call } = e;
    const source = fill(OFFSET_MAX + LENGTH_MAX);
    const [src, dst] = [e.heap, e.heap + 8192];
    e.bytes.set(source, src);
    for (let offset = 0; offset <= OFFSET_MAX; offset++) {
      // The sums of all prefixes: words as this machine reads them, and their end-around carries.
      let sum = 0;
      for (let length = 0; length <= LENGTH_MAX; length++) {
        const expected = ~((sum % 0xffff) || (sum ? 0xffff : 0)) & 0xffff;
        const at = src + offset;
        const partial = call.probe_checksum_sum(at, length, 0);
        if (partial > 0x10000) throw new Error(`sum of ${length} at ${offset}: not folded`);
        const found = call.probe_checksum_finish(partial);
        const scalar = call.probe_checksum_finish(call.probe_checksum_sum_scalar(at, length, 0));
        if (found !== expected || scalar !== expected) {
          throw new Error(`sum of ${length} at ${offset}: ${found}, ${scalar}, not ${expected}`);
        }
        for (const copy of [call.probe_checksum_copy, call.probe_checksum_copy_scalar]) {
          // The guard behind the copy; the bytes of it are compared below, for fewer lengths.
          e.bytes[dst + offset + length] = GUARD;
          const finished = call.probe_checksum_finish(copy(dst + offset, at, length, 0));
          const intact = e.bytes[dst + offset + length] === GUARD;
          if (finished !== expected || !intact) {
            throw new Error(`copy of ${length} at ${offset}: ${finished}, not ${expected}`);
          }
        }
        sum += source[offset + length] * (length % 2 === 0 ? 1 : 256);
      }
    }
  });
}

Deno.test("checksum: copies are copies, at every length and offset", () => {
  const e = freshEngine();
  const source = noise(LENGTH_MAX + 16);
  const [src, dst] = [e.heap, e.heap + 8192];
  e.bytes.set(source, src);
  for (const name of ["probe_checksum_copy", "probe_checksum_copy_scalar"]) {
    for (let length = 0; length <= LENGTH_MAX; length += length < 200 ? 1 : 37) {
      const [from, to] = [length % 16, length * 7 % 16];
      e.bytes.fill(GUARD, dst, dst + length + 64);
      e.call[name](dst + 16 + to, src + from, length, 0);
      const expected = new Uint8Array(length + 64).fill(GUARD);
      expected.set(source.subarray(from, from + length), 16 + to);
      assertEquals(e.bytes.slice(dst, dst + length + 64), expected);
    }
  }
});

Deno.test("checksum: the result is stored as it is, and a right checksum finishes as 0", () => {
  const e = freshEngine();
  // The example of RFC 1071 3.
  const example = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  assertEquals(reference(example), [0x22, 0x0d]);
  e.bytes.set(example, e.heap);
  const finished = e.call.probe_checksum_finish(e.call.probe_checksum_sum(e.heap, 8, 0));
  assertEquals(stored(finished), [0x22, 0x0d]);
  e.bytes.set(stored(finished), e.heap + 8);
  assertEquals(e.call.probe_checksum_finish(e.call.probe_checksum_sum(e.heap, 10, 0)), 0);
});

Deno.test("checksum: any acc may be carried on, up to the whole range of u32", () => {
  const e = freshEngine();
  e.bytes.fill(0xff, e.heap, e.heap + 64);
  for (const acc of [0, 1, 0xffff, 0x10000, 0x1fffe, 0xffff_0000, 0xffff_ffff]) {
    for (const length of [0, 1, 2, 20, 64]) {
      let sum = acc;
      for (let i = 0; i < length; i++) sum += 0xff * (i % 2 === 0 ? 1 : 256);
      const expected = ~((sum % 0xffff) || (sum ? 0xffff : 0)) & 0xffff;
      for (const name of ["sum", "sum_scalar"]) {
        const partial = e.call[`probe_checksum_${name}`](e.heap, length, acc);
        assertEquals(e.call.probe_checksum_finish(partial), expected);
      }
      assertEquals(
        e.call.probe_checksum_finish(acc),
        ~((acc % 0xffff) || (acc && 0xffff)) & 0xffff,
      );
    }
  }
});

Deno.test("checksum: long regions do not overflow the lanes", () => {
  const length = 12 * 0x40000 + 77;
  const e = freshEngine(2 * length + 1024);
  const dst = e.heap + length + 512;
  e.bytes.fill(0xff, e.heap, e.heap + length);
  const bytes = e.bytes.slice(e.heap, e.heap + length);
  const expected = reference(bytes);
  const sum = e.call.probe_checksum_sum(e.heap, length, 0);
  assertEquals(stored(e.call.probe_checksum_finish(sum)), expected);
  const copied = e.call.probe_checksum_copy(dst, e.heap, length, 0);
  assertEquals(stored(e.call.probe_checksum_finish(copied)), expected);
  assert(e.bytes.subarray(dst, dst + length).every((byte) => byte === 0xff));
});

Deno.test("checksum: a region cut into pieces anywhere sums like the whole", () => {
  const e = freshEngine();
  const bytes = noise(3000);
  e.bytes.set(bytes, e.heap);
  const cuts = fc.array(fc.nat(3000), { maxLength: 8 });
  fc.assert(
    fc.property(cuts, (cuts) => {
      const ends = [...cuts.toSorted((a, b) => a - b), bytes.length];
      let [at, acc] = [0, 0];
      for (const end of ends) {
        acc = e.call.probe_checksum_sum_at(e.heap + at, end - at, acc, at % 2) >>> 0;
        at = end;
      }
      assertEquals(stored(e.call.probe_checksum_finish(acc)), reference(bytes));
    }),
    { seed: SEED, numRuns: 200 },
  );
});

Deno.test("checksum: chains of mbufs of any lengths sum, and copy, like their bytes", () => {
  const spec = fc.record({
    cluster: fc.boolean(),
    lead: fc.nat(100),
    length: fc.oneof(fc.nat(3), fc.nat(90), fc.nat(1900)),
  });
  fc.assert(
    fc.property(
      fc.array(spec, { minLength: 1, maxLength: 7 }),
      fc.nat(2500),
      fc.nat(5000),
      (specs, off, length) => {
        const e = engineWithMbufs({ small: 10, cluster: 10, keep: 16384 });
        const chain = specs.map(({ cluster, lead, length }, i) => {
          const room = (cluster ? 2048 : 192) - lead;
          return { cluster, lead, data: noise(Math.min(length, room), i + 1) };
        });
        const m = makeChain(e, chain, false);
        const whole = chain.flatMap(({ data }) => [...data]);
        const piece = Uint8Array.from(whole.slice(off, off + length));
        const sum = e.call.probe_checksum_chain(m, off, length, 0);
        assertEquals(stored(e.call.probe_checksum_finish(sum)), reference(piece));
        e.bytes.fill(GUARD, e.scratch, e.scratch + piece.length + 32);
        const copied = e.call.probe_checksum_copy_chain(e.scratch + 3, m, off, length, 0);
        assertEquals(stored(e.call.probe_checksum_finish(copied)), reference(piece));
        const expected = new Uint8Array(piece.length + 32).fill(GUARD);
        expected.set(piece, 3);
        assertEquals(e.bytes.slice(e.scratch, e.scratch + expected.length), expected);
      },
    ),
    { seed: SEED, numRuns: 200 },
  );
});
