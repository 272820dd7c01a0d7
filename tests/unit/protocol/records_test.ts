/** Records: the queue gives back what was put in, and answers are read without going astray. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { RecordAt, RecordKind, UntrustedLimit } from "../../../assembly/abi/untrusted.ts";
import { AnsweredRecord, recordBytes, RecordQueue } from "../../../runtime/protocol/records.ts";
import { type Manifest, ManifestError, readManifest } from "../../../runtime/protocol/manifest.ts";

const SEED = 20_260_821;

Deno.test("records: a queue gives them back in order, and refuses what has no room", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.nat(30_000).map((length) => ({ length, room: 0 })) },
    {
      weight: 1,
      arbitrary: fc.integer({ min: 40_000, max: 131_072 }).map((room) => ({ length: 0, room })),
    },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new RecordQueue();
      const waiting: { length: number; mark: number }[] = [];
      const bytes = () => waiting.reduce((sum, { length }) => sum + recordBytes(length), 0);
      for (const [mark, { length, room }] of steps.entries()) {
        if (room > 0) {
          take(queue, waiting, room);
          continue;
        }
        const at = queue.add(RecordKind.FRAME, length, { key: 7, index: mark });
        const fits = bytes() + recordBytes(length) <= UntrustedLimit.QUEUE_BYTES;
        assertEquals(at >= 0, fits);
        if (!fits) continue;
        queue.data(at, length).fill(mark & 255);
        waiting.push({ length, mark });
      }
    }),
    { seed: SEED, numRuns: 50 },
  );
});

/** Takes records off a queue and compares them with what should be there. */
function take(queue: RecordQueue, waiting: { length: number; mark: number }[], room: number): void {
  const target = new Uint8Array(room);
  const view = new DataView(target.buffer);
  const end = queue.moveTo(target);
  let at = 0;
  for (let n = 0; at < end; n++) {
    assert(n < UntrustedLimit.BATCH);
    const { length, mark } = waiting.shift()!;
    assertEquals(view.getUint32(at + RecordAt.INDEX, true), mark);
    assertEquals(view.getUint32(at + RecordAt.LENGTH, true), length);
    const data = target.subarray(at + RecordAt.DATA, at + RecordAt.DATA + length);
    assert(data.every((byte) => byte === (mark & 255)));
    at += view.getUint32(at + RecordAt.BYTES, true);
  }
  assertEquals(at, end);
  assertEquals(queue.empty, waiting.length === 0);
}

/** Bytes that are often records. */
const answers = fc.array(
  fc.oneof(
    fc.record({ length: fc.nat(64), kind: fc.integer({ min: 31, max: 39 }), lie: fc.nat(20) }),
    fc.uint8Array({ maxLength: 60 }),
  ),
  { maxLength: 6 },
).map((list) => {
  const all = list.map((it) => {
    if (it instanceof Uint8Array) return it;
    const bytes = new Uint8Array(recordBytes(it.length));
    const view = new DataView(bytes.buffer);
    view.setUint32(RecordAt.BYTES, bytes.length + (it.lie === 1 ? 4 : 0), true);
    view.setUint32(RecordAt.LENGTH, it.length + (it.lie === 2 ? 2 ** 31 : 0), true);
    view.setUint16(RecordAt.KIND, it.kind, true);
    return bytes;
  });
  return new Uint8Array(all.flatMap((bytes) => [...bytes]));
});

Deno.test("records: answers are whole, or it is said what is wrong with them", () => {
  let good = 0;
  fc.assert(
    fc.property(answers, (bytes) => {
      const place = new Uint8Array(2000);
      place.set(bytes);
      const record = new AnsweredRecord(place);
      if (record.fault(bytes.length) !== undefined) return;
      good++;
      let at = 0;
      for (let more = record.first(bytes.length); more; more = record.next(bytes.length)) {
        assert(record.kind >= RecordKind.SEND_PACKET && record.kind <= RecordKind.STATE);
        assertEquals(record.data.length, record.length);
        assertEquals(record.bytes, recordBytes(record.length));
        at += record.bytes;
      }
      assertEquals(at, bytes.length);
    }),
    { seed: SEED, numRuns: 2000 },
  );
  assert(good > 100 && good < 1900);
});

Deno.test("records: a manifest is read whole, or refused in words", () => {
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.array(fc.nat(70_000), { maxLength: 4 }));
  const keys = ["abi", "name", "ethertypes", "protocols", "ports", "sockets", "tick_ms", "state"];
  const given = fc.dictionary(fc.constantFrom(...keys), value)
    .map((it) => ({ abi: 1, name: "x", ...it }));
  fc.assert(
    fc.property(given, (it) => {
      let manifest: Manifest;
      try {
        manifest = readManifest(JSON.stringify(it));
      } catch (error) {
        assert(error instanceof ManifestError, String(error));
        return;
      }
      assert(manifest.protocols.every((n) => n >= 1 && n <= 255));
      assert(manifest.ethertypes.every((n) => n >= 0x600 && n <= 0xffff));
    }),
    { seed: SEED, numRuns: 500 },
  );
});
