/**
 * Reassembly and what is reported of it, against a model that keeps a flag for every byte:
 * RFC 9293 3.10.7.4, RFC 2018 4, RFC 2883 4.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { pattern } from "./harness.ts";
import { established } from "./shake.ts";

const TOTAL = 800;
/** How many blocks a receiver remembers the order of. */
const MEMORY = 6;

type Block = [start: number, end: number];

/**
 * What the receiver of a stream of TOTAL bytes, numbered from 1, must know and say. The peer may
 * put its FIN anywhere, and send bytes that lie beyond it.
 */
class Model {
  /** Value of each byte that has come, the first that came. */
  readonly bytes: (number | undefined)[] = new Array(TOTAL).fill(undefined);
  /** Where a FIN came and no byte was. */
  readonly fins = new Set<number>();
  outOfOrder = 0;
  duplicates = 0;
  /** Where blocks lie that were reported first, the last of them in front. */
  #recent: number[] = [];

  /** The first byte that is missing. */
  get next(): number {
    const at = this.bytes.indexOf(undefined);
    return at < 0 ? TOTAL : at;
  }

  /** All up to a FIN has come. */
  get ended(): boolean {
    return this.fins.has(this.next);
  }

  get ack(): number {
    return 1 + this.next + (this.ended ? 1 : 0);
  }

  /** Contiguous bytes beyond a gap. */
  get blocks(): Block[] {
    const found: Block[] = [];
    for (let at = this.next; at < TOTAL; at++) {
      if (this.bytes[at] === undefined) continue;
      if (found.at(-1)?.[1] === at) found[found.length - 1][1]++;
      else found.push([at, at + 1]);
    }
    return found;
  }

  /**
   * Takes a segment; answers the blocks of the ACK, at most `room`, and whether it is due at once.
   */
  take(
    start: number,
    data: Uint8Array,
    fin: boolean,
    room: number,
  ): { at_once: boolean; sack: Block[] } {
    const { next, ended } = this;
    const gaps = this.blocks.length > 0 || this.fins.size > 0;
    if (start > next && !ended) this.outOfOrder++;
    // RFC 9293 3.10.7.4: nothing follows a FIN
    const cut = Math.min(...[...this.fins].filter((at) => at >= start));
    const end = Math.min(start + data.length, cut);
    const twice = this.#twice(start, end);
    for (let at = start; at < end; at++) this.bytes[at] ??= data[at - start];
    if (fin && end === start + data.length && this.bytes[end] === undefined) this.fins.add(end);
    if (end > start) this.#touch(start, end);
    if (this.ended) {
      this.bytes.fill(undefined, this.next);
      this.#recent = [];
    }
    if (twice) this.duplicates++;
    const sack = twice ? [twice] : [];
    for (const block of this.#order()) if (sack.length < room) sack.push(block);
    return { at_once: twice !== undefined || start !== next || gaps || fin || ended, sack };
  }

  /** The first bytes of a segment that were here before, as far as they are contiguous. */
  #twice(start: number, end: number): Block | undefined {
    let from = start;
    while (from < end && this.bytes[from] === undefined) from++;
    let to = from;
    while (to < end && this.bytes[to] !== undefined) to++;
    return to > from ? [from, to] : undefined;
  }

  #touch(start: number, end: number): void {
    const block = this.blocks.find(([l, r]) => l < end && start < r);
    this.#recent = this.#recent.filter((at) => at > this.next && !(block && within(at, block)));
    if (block) this.#recent = [block[0], ...this.#recent].slice(0, MEMORY);
  }

  /** Blocks in the order of RFC 2018 4; those beyond memory ascending. */
  #order(): Block[] {
    const { blocks } = this;
    const known = this.#recent.map((at) => blocks.find((block) => within(at, block))!);
    return [...known, ...blocks.filter((block) => !known.includes(block))];
  }
}

function within(at: number, [start, end]: Block): boolean {
  return start <= at && at < end;
}

const piece = fc.record({
  start: fc.nat(TOTAL - 1),
  /** The peer sends what is missing first. */
  missing: fc.constantFrom(false, false, false, true),
  length: fc.integer({ min: 1, max: 150 }),
  /** What the peer says of a byte is not always the same. */
  lie: fc.nat(3),
  fin: fc.boolean(),
  /** The FIN is not at the end of the stream: the peer contradicts itself. */
  early: fc.constantFrom(...new Array(11).fill(false), true),
  /** The peer sends no data, but its FIN. */
  alone: fc.constantFrom(false, false, false, false, true),
  read: fc.boolean(),
});

const agreed = fc.record({
  ts: fc.boolean(),
  host: fc.record({ tcp: fc.record({ quickacks: fc.constantFrom(0, 16) }) }),
});

Deno.test("property: reassembly, SACK and DSACK are those of a model of single bytes", async () => {
  let [blocks, reports, cutShort] = [0, 0, 0];
  const pieces = fc.array(piece, { minLength: 8, maxLength: 70 });
  const property = fc.asyncProperty(agreed, pieces, async (shake, list) => {
    const c = await established({ ...shake, sackOk: true });
    const model = new Model();
    const room = shake.ts ? 3 : 4;
    let read = 0;
    const reads = () => {
      const { n, data } = c.tryRead();
      for (let i = 0; i < n; i++) assertEquals(data[i], model.bytes[read + i], `byte ${read + i}`);
      read += Math.max(n, 0);
      assertEquals(read, model.next, "all that is in order can be read");
    };
    for (const { start, missing, length, lie, fin, early, alone, read: reading } of list) {
      // what comes after a FIN within the stream is none of reassembly's business
      if (model.ended && model.next < TOTAL) break;
      let from = missing ? model.next : start;
      if (alone && fin && !early) from = TOTAL;
      const end = alone && fin ? from : Math.min(from + length, TOTAL);
      const data = pattern(end - from, from + 7 * lie);
      const last = fin && (early || end === TOTAL);
      if (end === from && !last) continue;
      const want = model.take(from, data, last, room);
      c.send({ seq: 1 + from, data, flags: last ? "FA" : "A" });
      const acks = c.takeAll();
      if (want.at_once && !(last && shake.host.tcp.quickacks)) {
        assertEquals(acks.length, 1, "an ACK at once");
      }
      assert(acks.length <= 1);
      for (const ack of acks) {
        assertEquals(ack.ack, model.ack);
        const sack = want.sack.map(([l, r]) => [l + 1, r + 1]);
        assertEquals(ack.sack ?? [], sack as Block[]);
        blocks = Math.max(blocks, sack.length);
      }
      if (model.ended) {
        assertEquals(c.tcb("segq"), 0, "nothing waits beyond the FIN");
        if (model.next < TOTAL) cutShort++;
      }
      if (reading) reads();
    }
    assertEquals(c.host.inspect.stat(Stat.TCP_DSACK_OUT), model.duplicates);
    assertEquals(c.tcb("ooo_segments"), model.outOfOrder);
    reports += model.duplicates;
    if (!model.ended) {
      c.send({ seq: 1, data: pattern(TOTAL), flags: "FA" });
      model.take(0, pattern(TOTAL), true, room);
    }
    reads();
    assertEquals(c.state(), TcpState.CLOSE_WAIT);
    assertEquals(c.tcb("bytes_received"), model.next);
    assertEquals(c.tcb("segq_mbcnt") + c.tcb("segq_count"), 0);
    c.end();
  });
  await fc.assert(property, { numRuns: 200, seed: 2018 });
  assertEquals(blocks, 4);
  assert(cutShort > 20, `${cutShort} streams cut short`);
  assert(reports > 500, `${reports} duplicates`);
});
