/**
 * The server's side of iperf3's TCP test, so that the program itself can be the client and judge
 * what it measures. The control connection carries one byte for each change of state and JSON with
 * a length of four bytes before it.
 *
 * @module
 */

import { type Duplex, readExactly, writeAll } from "./content.ts";

/** States of a test, as iperf3 numbers them. */
const TEST_START = 1;
const TEST_RUNNING = 2;
const TEST_END = 4;
const PARAM_EXCHANGE = 9;
const CREATE_STREAMS = 10;
const EXCHANGE_RESULTS = 13;
const DISPLAY_RESULTS = 14;
const IPERF_DONE = 16;

const COOKIE_BYTES = 37;
const CHUNK_BYTES = 1 << 17;

/** What the client wants. */
interface Parameters {
  readonly parallel?: number;
  readonly reverse?: boolean;
  readonly bidirectional?: boolean;
}

/** One connection that carries data. */
interface Stream {
  readonly conn: Duplex;
  readonly id: number;
  readonly sends: boolean;
  bytes: number;
  /** Settled when it has moved its last byte. */
  done: Promise<void>;
}

/** What was moved. */
export interface IperfResult {
  readonly bytes: number;
}

async function readJson(conn: Duplex): Promise<unknown> {
  const length = new DataView((await readExactly(conn, 4)).buffer).getUint32(0);
  return JSON.parse(new TextDecoder().decode(await readExactly(conn, length)));
}

async function writeJson(conn: Duplex, value: unknown): Promise<void> {
  const text = new TextEncoder().encode(JSON.stringify(value));
  const message = new Uint8Array(4 + text.length);
  new DataView(message.buffer).setUint32(0, text.length);
  message.set(text, 4);
  await writeAll(conn, message);
}

function tell(conn: Duplex, state: number): Promise<void> {
  return writeAll(conn, Uint8Array.of(state));
}

async function expectState(conn: Duplex, state: number): Promise<void> {
  const [got] = await readExactly(conn, 1);
  if (got !== state) throw new Error(`iperf3 is in state ${got} and should be in ${state}`);
}

/** Moves data until the client ends the test or closes the stream. */
async function move(stream: Stream, running: () => boolean): Promise<void> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  try {
    while (!stream.sends || running()) {
      const moved = stream.sends ? await stream.conn.write(buffer) : await stream.conn.read(buffer);
      if (moved === null) return;
      stream.bytes += moved;
    }
  } catch (error) {
    // The client closes with data under way once it has had enough.
    if (running()) throw error;
  }
}

/** Serves one test on a listener. */
export async function serveIperf(listener: { accept(): Promise<Duplex> }): Promise<IperfResult> {
  const control = await listener.accept();
  await readExactly(control, COOKIE_BYTES);
  await tell(control, PARAM_EXCHANGE);
  const wanted = await readJson(control) as Parameters;
  const oneWay = wanted.parallel ?? 1;
  const count = wanted.bidirectional ? 2 * oneWay : oneWay;
  await tell(control, CREATE_STREAMS);
  const streams: Stream[] = [];
  for (let i = 0; i < count; i++) {
    const conn = await listener.accept();
    await readExactly(conn, COOKIE_BYTES);
    // The first half of a test in both directions is what the client sends.
    const sends = wanted.bidirectional ? i >= oneWay : wanted.reverse === true;
    // iperf3 counts its streams 1, 3, 4, 5 and so on.
    streams.push({ conn, id: i === 0 ? 1 : i + 2, sends, bytes: 0, done: Promise.resolve() });
  }
  await tell(control, TEST_START);
  await tell(control, TEST_RUNNING);
  let running = true;
  for (const stream of streams) {
    stream.done = move(stream, () => running);
    stream.done.catch(() => {});
  }
  await expectState(control, TEST_END);
  running = false;
  // The client may be reading a whole block: the end of the stream lets it go on.
  for (const { conn } of streams) conn.close();
  await tell(control, EXCHANGE_RESULTS);
  await readJson(control);
  await writeJson(control, results(streams));
  await tell(control, DISPLAY_RESULTS);
  await expectState(control, IPERF_DONE);
  control.close();
  await Promise.all(streams.map(({ done }) => done));
  return { bytes: Math.min(...streams.map(({ bytes }) => bytes)) };
}

function results(streams: readonly Stream[]): unknown {
  return {
    cpu_util_total: 0,
    cpu_util_user: 0,
    cpu_util_system: 0,
    sender_has_retransmits: 0,
    streams: streams.map(({ id, bytes }) => ({
      id,
      bytes,
      retransmits: -1,
      jitter: 0,
      errors: 0,
      packets: 0,
      start_time: 0,
      end_time: 1,
    })),
  };
}
