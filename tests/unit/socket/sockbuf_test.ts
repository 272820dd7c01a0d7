/** Socket buffers against plain byte arrays. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Errno } from "../../../assembly/abi/errno.ts";
import * as layout from "../../../runtime/wasm/layout.gen.ts";
import { Kernel } from "./kernel.ts";

const SEED = 20230517;
const HIWAT = 60_000;

/** A stream buffer beside the bytes it should hold. */
class Stream {
  bytes = new Uint8Array(0);
  #next = 0;

  constructor(readonly k: Kernel, readonly sb: number) {}

  append(len: number, each: number): void {
    const data = Uint8Array.from({ length: len }, () => this.#next++ & 255);
    this.k.memory.set(data, this.k.engine.staging);
    const m = this.k.call("probe_chain", this.k.engine.staging, len, each);
    assert(m, "out of mbufs");
    this.k.call("probe_sb_append", this.sb, m);
    this.bytes = new Uint8Array([...this.bytes, ...data]);
  }

  drop(n: number): void {
    this.k.call("probe_sb_drop", this.sb, n);
    this.bytes = this.bytes.slice(n);
  }

  /** Reads from an offset as TCP does: the mbuf that seek finds, and those behind it. */
  read(off: number, len: number): Uint8Array {
    let m = this.k.call("probe_sb_seek", this.sb, off);
    let at = m ? this.k.call("probe_sb_seek_off") : 0;
    const got: number[] = [];
    while (m && got.length < len) {
      const data = this.k.view.getUint32(m + layout.Mbuf.data, true);
      const end = this.k.view.getUint32(m + layout.Mbuf.len, true);
      assert(at < end, "seek stopped before the byte");
      got.push(...this.k.memory.slice(data + at, data + Math.min(end, at + len - got.length)));
      m = this.k.view.getUint32(m + layout.Mbuf.next, true);
      at = 0;
    }
    return Uint8Array.from(got);
  }

  check(): void {
    assertEquals(this.k.call("probe_sb_consistent", this.sb), 1, "counts and chain differ");
    const cc = this.k.view.getUint32(this.sb + layout.Sockbuf.cc, true);
    assertEquals(cc, this.bytes.length);
    assertEquals(this.read(0, cc), this.bytes);
  }
}

const operation = fc.oneof(
  fc.record({
    kind: fc.constant("append"),
    a: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 5000 })),
    b: fc.constantFrom(1, 7, 191, 192, 193, 1000, 1460, 2048),
  }),
  fc.record({ kind: fc.constant("drop"), a: fc.nat(100), b: fc.constant(0) }),
  fc.record({ kind: fc.constant("seek"), a: fc.nat(100), b: fc.integer({ min: 1, max: 3000 }) }),
);

Deno.test("a stream holds what was appended and not dropped, and seek finds it", async () => {
  const k = await Kernel.boot();
  const before = k.mbufs();
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
      const sb = k.call("probe_so_rcv", k.socket());
      const stream = new Stream(k, sb);
      for (const { kind, a, b } of operations) {
        const size = stream.bytes.length;
        if (kind === "append") stream.append(Math.min(a, b * 100), b);
        else if (kind === "drop") stream.drop(Math.floor((size * a) / 100));
        else {
          const off = Math.floor((size * a) / 100);
          assertEquals(stream.read(off, b), stream.bytes.slice(off, off + b));
        }
        assertEquals(k.call("probe_sb_consistent", sb), 1, "counts and chain differ");
      }
      stream.check();
      k.call("probe_sb_flush", sb);
      assertEquals(k.mbufs(), before, "mbufs left after flush");
      k.call("so_close", sb - layout.Socket.rcv_cc);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

Deno.test("seek beyond the data answers nil", async () => {
  const k = await Kernel.boot();
  const sb = k.call("probe_so_rcv", k.socket());
  const stream = new Stream(k, sb);
  assertEquals(k.call("probe_sb_seek", sb, 0), 0);
  stream.append(10, 10);
  assert(k.call("probe_sb_seek", sb, 9));
  assertEquals(k.call("probe_sb_seek_off"), 9);
  assertEquals(k.call("probe_sb_seek", sb, 10), 0);
});

Deno.test("small pieces share mbufs: storage stays near the data", async () => {
  const k = await Kernel.boot();
  const sb = k.call("probe_so_rcv", k.socket());
  const stream = new Stream(k, sb);
  for (let i = 0; i < 2000; i++) stream.append(1, 1);
  stream.check();
  const mbcnt = k.view.getUint32(sb + layout.Sockbuf.mbcnt, true);
  assert(mbcnt <= 2000 * 2, `${mbcnt} bytes of storage for 2000 of data`);
});

Deno.test("space counts data and storage, and may be below zero", async () => {
  const k = await Kernel.boot();
  const sb = k.call("probe_so_rcv", k.socket());
  const stream = new Stream(k, sb);
  assertEquals(k.call("probe_sb_reserve", sb, HIWAT), 0);
  assertEquals(k.call("probe_sb_space", sb), HIWAT);
  stream.append(1000, 1000);
  assertEquals(k.call("probe_sb_space", sb), HIWAT - 1000);
  assertEquals(k.call("probe_sb_reserve", sb, 400), 0);
  assertEquals(k.call("probe_sb_space", sb), -600);
  assertEquals(k.call("probe_sb_reserve", sb, 0), -Errno.EINVAL);
  assertEquals(k.call("probe_sb_reserve", sb, -1), -Errno.EINVAL);
  assertEquals(k.call("probe_sb_reserve", sb, 0x7fffffff), -Errno.ENOBUFS);
});

Deno.test("records keep their boundaries, and refuse what does not fit", async () => {
  const k = await Kernel.boot();
  const so = k.socket();
  const sb = k.call("probe_so_rcv", so);
  k.call("probe_sb_reserve", sb, 5000);
  const before = k.mbufs();
  const model: number[] = [];
  let held = 0;
  const size = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4000 }));
  const step = fc.option(size, { nil: undefined, freq: 3 });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      for (const len of steps) {
        if (len === undefined) {
          k.call("probe_sb_drop_record", sb);
          held -= model.shift() ?? 0;
        } else {
          const from = k.name({ ip: "10.0.0.1", port: len });
          const m = len ? k.call("probe_chain", k.engine.staging, len, 1500) : 0;
          const ok = k.call("probe_sb_append_addr", sb, from, m, 0);
          if (ok) {
            model.push(len);
            held += len;
          } else k.call("probe_mbuf_freem", m);
          const room = k.view.getUint32(sb + layout.Sockbuf.mbcnt, true) < 10_000;
          if (room) assertEquals(ok !== 0, held + (ok ? 0 : len) <= 5000, `${len} into ${held}`);
        }
        assertEquals(k.call("probe_sb_consistent", sb), 1);
        assertEquals(k.view.getUint32(sb + layout.Sockbuf.cc, true), held);
        assertEquals(k.call("probe_sb_record_length", sb), model[0] ?? 0);
      }
    }),
    { seed: SEED, numRuns: 200 },
  );
  k.call("probe_sb_flush", sb);
  assertEquals(k.mbufs(), before);
});
