import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type StreamConn, StreamDriver, type StreamOptions } from "../../../drivers/stream.ts";
import { STREAM_FRAME_MAX, StreamReader } from "../../../drivers/stream_frames.ts";
import { newTunnelStats } from "../../../drivers/tunnel_stats.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { makeFrame } from "../../../drivers/contract/world.ts";
import { FakeIfnet, VirtualClock } from "../../../drivers/contract/fake_ifnet.ts";
import { framed } from "./framed.ts";

/** A connection that the test plays: what it reads is pushed, what it writes must be let go. */
class PlayedConn implements StreamConn {
  readonly written: Uint8Array[] = [];
  closed = false;
  #pieces: (Uint8Array | null)[] = [];
  #reader: (() => void) | undefined;
  #fail: ((error: Error) => void) | undefined;
  #writers: (() => void)[] = [];
  /** Writes are held back. */
  stuck = false;

  push(piece: Uint8Array | null): void {
    this.#pieces.push(piece);
    this.#reader?.();
  }

  release(): void {
    this.stuck = false;
    for (const go of this.#writers.splice(0)) go();
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#pieces.length === 0) {
      await new Promise<void>((resolve, reject) => {
        this.#reader = resolve;
        this.#fail = reject;
      });
    }
    const piece = this.#pieces[0];
    if (piece === null) return null;
    const count = Math.min(piece.length, into.length);
    into.set(piece.subarray(0, count));
    if (count === piece.length) this.#pieces.shift();
    else this.#pieces[0] = piece.subarray(count);
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.stuck) await new Promise<void>((resolve) => this.#writers.push(resolve));
    if (this.closed) throw new Error("closed");
    // A part at a time: the driver must go on by itself.
    const count = Math.min(bytes.length, 1000);
    this.written.push(bytes.slice(0, count));
    return count;
  }

  close(): void {
    this.closed = true;
    this.#fail?.(new Error("closed"));
    this.release();
  }
}

/** Lets everything run that waits for nothing. */
async function quiet(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

async function attached(options: StreamOptions = {}) {
  const conn = new PlayedConn();
  const driver = new StreamDriver({ conn }, options);
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  await driver.attach(ifp);
  return { conn, driver, ifp };
}

Deno.test("stream: a frame is its length in network order, and its bytes", async () => {
  const { conn, driver, ifp } = await attached();
  const frames = [60, 1, 1514].map((length, i) => makeFrame("ethernet", length, i));
  assertEquals(driver.start(ifp.txBatch(frames)), 3);
  await quiet();
  const bytes = Uint8Array.from(conn.written.flatMap((piece) => [...piece]));
  assertEquals(bytes, framed(frames));
  assertEquals(bytes.slice(0, 4), Uint8Array.of(0, 0, 0, 60));
  assertEquals([driver.stats.txFrames, driver.stats.txBytes], [3, 1575]);
  await driver.detach();
  assert(conn.closed);
});

Deno.test("property: frames come whole, in order, however the stream is cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 1514 }), { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 8 }),
      async (lengths, cuts, batch) => {
        const { conn, driver, ifp } = await attached();
        const frames = lengths.map((length, i) => makeFrame("ethernet", length, i));
        const bytes = framed(frames);
        for (let at = 0, i = 0; at < bytes.length; i++) {
          conn.push(bytes.slice(at, at += cuts[i % cuts.length]));
        }
        const got: Uint8Array[] = [];
        for (let idle = 0; idle < 2;) {
          await quiet();
          const free = ifp.freeBatch(batch, 2048);
          const filled = driver.rx(free);
          got.push(...ifp.filled(free, filled));
          idle = filled > 0 ? 0 : idle + 1;
        }
        assertEquals(got, frames);
        assertEquals(ifp.downs, []);
        await driver.detach();
      },
    ),
    { numRuns: 100, seed: 4242 },
  );
});

Deno.test("stream: empty frames and frames without room are counted, the next one comes", () => {
  const reader = new StreamReader();
  const good = makeFrame("ethernet", 100, 7);
  const bytes = framed([new Uint8Array(0), new Uint8Array(STREAM_FRAME_MAX), good]);
  reader.room().set(bytes);
  reader.added(bytes.length);
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  const stats = newTunnelStats();
  const free = ifp.freeBatch(4, 2048);
  assertEquals(ifp.filled(free, reader.rx(free, stats)), [good]);
  assertEquals([stats.rxInvalid, stats.rxDropped, stats.rxFrames], [2, 2, 1]);
  assertEquals([reader.partial, reader.hostile], [false, undefined]);
});

Deno.test("stream: a length that no frame has takes the interface down", async () => {
  for (const hostile of [STREAM_FRAME_MAX + 1, 0x7fffffff, 0xffffffff]) {
    const { conn, driver, ifp } = await attached();
    const good = makeFrame("ethernet", 60, 1);
    const lie = new Uint8Array(8);
    new DataView(lie.buffer).setUint32(0, hostile);
    conn.push(Uint8Array.from([...framed([good]), ...lie]));
    await quiet();
    const free = ifp.freeBatch(4, 2048);
    assertEquals(ifp.filled(free, driver.rx(free)), [good]);
    await quiet();
    assertEquals(ifp.downs, [`the peer sent a frame of ${hostile} bytes`]);
    assert(conn.closed);
    assertEquals(driver.connected, false);
    await driver.detach();
  }
});

Deno.test("stream: says whether the peer went in the middle of a frame", async () => {
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(0), "the peer has closed the connection"],
    [Uint8Array.of(0, 0), "the peer has closed the connection, in the middle of a frame"],
    [Uint8Array.of(0, 0, 0, 9, 1), "the peer has closed the connection, in the middle of a frame"],
  ];
  for (const [bytes, reason] of cases) {
    const { conn, driver, ifp } = await attached();
    if (bytes.length > 0) conn.push(bytes);
    conn.push(null);
    await quiet();
    assertEquals(ifp.downs, [reason]);
    await driver.detach();
  }
});

Deno.test("stream: a full queue makes busy, wakes when written, and loses nothing", async () => {
  const { conn, driver, ifp } = await attached({ queueBytes: 2000 });
  conn.stuck = true;
  const frames = Array.from({ length: 60 }, (_, i) => makeFrame("ethernet", 96, i));
  let taken = driver.start(ifp.txBatch(frames));
  // 20 in the buffer that is being written, 20 in the other.
  assertEquals(taken, 20);
  await quiet();
  taken += driver.start(ifp.txBatch(frames.slice(taken)));
  assertEquals([taken, driver.stats.txBusy], [40, 2]);
  assertEquals(driver.start(ifp.txBatch(frames.slice(taken))), 0);
  const { wakes } = ifp;
  conn.release();
  await quiet();
  assert(ifp.wakes > wakes);
  taken += driver.start(ifp.txBatch(frames.slice(taken)));
  await quiet();
  assertEquals(taken, 60);
  assertEquals(Uint8Array.from(conn.written.flatMap((piece) => [...piece])), framed(frames));
  await driver.detach();
});

Deno.test("stream: a stack that takes nothing stops the reading, not the memory", async () => {
  const { conn, driver, ifp } = await attached();
  const frame = makeFrame("ethernet", 1000, 1);
  const piece = framed(new Array<Uint8Array>(100).fill(frame));
  for (let i = 0; i < 20; i++) conn.push(piece);
  await quiet();
  let got = 0;
  for (let idle = 0; idle < 2;) {
    const filled = driver.rx(ifp.freeBatch(64, 2048));
    got += filled;
    idle = filled > 0 ? 0 : idle + 1;
    if (filled === 0) await quiet();
  }
  assertEquals([got, driver.stats.rxDropped], [2000, 0]);
  await driver.detach();
});

Deno.test("stream: frames on their way count as dropped when the peer goes", async () => {
  const { conn, driver, ifp } = await attached();
  conn.stuck = true;
  const frames = Array.from({ length: 5 }, (_, i) => makeFrame("ethernet", 60, i));
  driver.start(ifp.txBatch(frames.slice(0, 2)));
  driver.start(ifp.txBatch(frames.slice(2)));
  conn.push(null);
  await quiet();
  assertEquals(ifp.downs.length, 1);
  assertEquals([driver.stats.txFrames, driver.stats.txDropped], [0, 5]);
  assertEquals(driver.start(ifp.txBatch(frames)), 5);
  assertEquals(driver.stats.txNoPeer, 5);
  await driver.detach();
});

Deno.test("stream: dials again after growing waits, on a clock moved by hand", async () => {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const path = `${folder}/late`;
  const clock = new VirtualClock();
  const ifp = new FakeIfnet("eth0", clock);
  const reconnect = { first_ms: 100, most_ms: 350, random: () => 1 };
  const driver = new StreamDriver({ connect: { path } }, { reconnect, schedule: clock.schedule });
  await driver.attach(ifp);
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    while (clock.pending === 0) await new Promise((resolve) => setTimeout(resolve));
    waits.push((clock.nextDue_us - clock.now_us) / 1000);
    if (i === 3) break;
    clock.advance(clock.nextDue_us - clock.now_us);
  }
  assertEquals(waits, [100, 200, 350, 350]);
  assertEquals(driver.start(ifp.txBatch([new Uint8Array(60)])), 1);
  assertEquals(driver.stats.txNoPeer, 1);
  const listener = Deno.listen({ transport: "unix", path });
  const accepting = listener.accept();
  clock.advance(350_000);
  const first = await accepting;
  while (!driver.connected) await new Promise((resolve) => setTimeout(resolve));
  first.close();
  while (driver.connected) await new Promise((resolve) => setTimeout(resolve));
  while (clock.pending === 0) await new Promise((resolve) => setTimeout(resolve));
  const again = listener.accept();
  clock.advance(350_000);
  (await again).close();
  while (driver.stats.reconnects === 0) await new Promise((resolve) => setTimeout(resolve));
  assertEquals([driver.stats.reconnects, ifp.downs], [1, []]);
  await driver.detach();
  assertEquals(clock.pending, 0);
  listener.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("stream: gives up after so many tries, with the last error", async () => {
  const clock = new VirtualClock();
  const ifp = new FakeIfnet("eth0", clock);
  const reconnect = { first_ms: 1, attempts: 2 };
  const at = { path: "/nonexistent/socket" };
  const driver = new StreamDriver({ connect: at }, { reconnect, schedule: clock.schedule });
  await driver.attach(ifp);
  for (let i = 0; i < 1000 && ifp.downs.length === 0; i++) {
    clock.advance(10_000);
    await new Promise((resolve) => setTimeout(resolve));
  }
  assertEquals(ifp.downs.length, 1);
  assert(ifp.downs[0].includes("connecting to /nonexistent/socket failed"), ifp.downs[0]);
  await driver.detach();
});

Deno.test("stream: a listener with reconnect takes one peer after the other", async () => {
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  const listen = { hostname: "127.0.0.1", port: 0 };
  const driver = new StreamDriver({ listen }, { reconnect: true });
  await driver.attach(ifp);
  const { port } = driver.address as Deno.NetAddr;
  for (let i = 0; i < 3; i++) {
    const peer = await Deno.connect({ hostname: "127.0.0.1", port });
    await peer.write(framed([makeFrame("ethernet", 60 + i, i)]));
    let filled = 0;
    const free = ifp.freeBatch(1, 2048);
    while ((filled = driver.rx(free)) === 0) await new Promise((resolve) => setTimeout(resolve));
    assertEquals(ifp.filled(free, filled), [makeFrame("ethernet", 60 + i, i)]);
    peer.close();
  }
  assertEquals([driver.stats.reconnects, ifp.downs], [2, []]);
  await driver.detach();
});

Deno.test("stream: says what is wrong with what it is given", async () => {
  const conn = new PlayedConn();
  assertThrows(() => new StreamDriver({ conn }, { reconnect: true }), RangeError, "come back");
  assertThrows(() => new StreamDriver({ connect: { port: 0 } }), RangeError, "port");
  assertThrows(() => new StreamDriver({ conn }, { queueBytes: 1000 }), RangeError, "queueBytes");
  const ifp = new FakeIfnet("eth0", new VirtualClock());
  const nobody = new StreamDriver({ connect: { path: "/nonexistent/socket" } });
  const error = await assertRejects(() => nobody.attach(ifp), SocketError);
  assertEquals([error.code, error.syscall], ["ENOENT", "connect"]);
  await nobody.detach();
});
