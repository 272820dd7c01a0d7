/**
 * Frames over a stream of the host, TCP or Unix, each behind its length: the format of QEMU's
 * `-netdev stream` (and `-netdev socket`), so that the network card of a virtual machine plugs
 * straight in.
 *
 * ```ts
 * import { StreamDriver } from "@godwit/godwit/drivers/stream";
 * const driver = new StreamDriver({ listen: { hostname: "127.0.0.1", port: 7010 } });
 * ```
 * ```sh
 * qemu-system-x86_64 -device e1000,netdev=n -netdev \
 *   stream,id=n,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port=7010
 * ```
 *
 * Needs `--allow-net`, or `--allow-read` and `--allow-write` for a socket file.
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, Medium, NetDriver } from "../runtime/device/driver.ts";
import { type Backoff, backoffOf, type ReconnectOptions } from "./backoff.ts";
import { ViewCache } from "./frame_ring.ts";
import { hostWords } from "./host_error.ts";
import { LinkKeeper } from "./link_keeper.ts";
import { checkMtu, frameBytesMax, refuseSecondAttach, wholeInRange } from "./options.ts";
import type { Schedule } from "./schedule.ts";
import {
  type Endpoint,
  endpointOf,
  type StreamConn,
  type StreamTarget,
} from "./stream_endpoint.ts";
import { StreamReader, StreamWriter } from "./stream_frames.ts";
import { countNoPeer, newTunnelStats, type TunnelStats } from "./tunnel_stats.ts";

export type { ReconnectOptions } from "./backoff.ts";
export type { Schedule } from "./schedule.ts";
export type { DriverStats } from "./stats.ts";
export type { StreamAddress, StreamConn, StreamTarget } from "./stream_endpoint.ts";
export type { TunnelStats } from "./tunnel_stats.ts";

/** How the stream is used. */
export interface StreamOptions {
  /** What the frames are; `ethernet` unless told. */
  readonly medium?: Medium;
  /** Largest IP packet in bytes; 1500 unless told. */
  readonly mtu?: number;
  /** Bytes that may wait to be written; 256 KiB unless told. When full, the stack waits. */
  readonly queueBytes?: number;
  /**
   * What happens when the connection is lost: unless told, the interface goes down with the
   * reason. Otherwise it is dialled again after growing waits, or the next peer is accepted, and
   * frames sent meanwhile are dropped.
   */
  readonly reconnect?: boolean | ReconnectOptions;
  /** How to be called when the next try is due; `setTimeout` unless told. */
  readonly schedule?: Schedule;
}

/** One end of the stream. */
export class StreamDriver implements NetDriver {
  /** `stream` */
  readonly name = "stream";
  /** MTU and medium of the frames. */
  readonly caps: DriverCaps;
  /** What went through, and what did not and why. */
  readonly stats: TunnelStats = newTunnelStats();
  readonly #endpoint: Endpoint;
  readonly #backoff: Backoff | undefined;
  readonly #schedule: Schedule | undefined;
  readonly #bytesMax: number;
  readonly #views = new ViewCache();
  readonly #reader = new StreamReader();
  readonly #writer: StreamWriter;
  #ifp: Ifnet | undefined = undefined;
  #keeper: LinkKeeper<StreamConn> | undefined = undefined;
  #conn: StreamConn | undefined = undefined;
  #connections = 0;
  /** The peer has said something. */
  #heard = false;
  #blocked = false;
  #writing: Promise<void> | undefined = undefined;
  /** Ends `serve`, with the reason. */
  #lose: (reason: string) => void = () => {};
  /** Tells the reading side that the stack has taken all frames. */
  #drained: () => void = () => {};

  /** Opens nothing yet; `RangeError` for options that cannot be. */
  constructor(target: StreamTarget, options: StreamOptions = {}) {
    if ("conn" in target && options.reconnect) {
      throw new RangeError("a connection that was handed in cannot come back");
    }
    this.#endpoint = endpointOf(target);
    this.#backoff = backoffOf(options.reconnect);
    this.#schedule = options.schedule;
    const medium = options.medium ?? "ethernet";
    const mtu = checkMtu(options.mtu ?? 1500);
    this.caps = { mtu, medium, pointToPoint: medium === "ip" };
    this.#bytesMax = frameBytesMax(medium, mtu);
    const queueBytes = options.queueBytes ?? Math.max(256 * 1024, 2 * this.#bytesMax);
    const least = this.#bytesMax + 4;
    this.#writer = new StreamWriter(wholeInRange("queueBytes", queueBytes, least, 1 << 30));
  }

  /** Where a listening driver listens; undefined until attached. */
  get address(): unknown {
    return this.#endpoint.address;
  }

  /** True while there is a peer. */
  get connected(): boolean {
    return this.#conn !== undefined;
  }

  /**
   * Listens, or connects; a listening driver does not wait for its peer, nor one with `reconnect`.
   *
   * @throws SocketError ECONNREFUSED, EADDRINUSE, ENOENT, EACCES and others of the host
   */
  async attach(ifp: Ifnet): Promise<void> {
    refuseSecondAttach(this.name, this.#ifp);
    this.#ifp = ifp;
    let first: StreamConn | string | undefined;
    try {
      await this.#endpoint.open();
      if (!this.#endpoint.passive) first = await this.#endpoint.next();
    } catch (error) {
      if (this.#endpoint.passive || !this.#backoff) {
        this.#ifp = undefined;
        throw error;
      }
      first = hostWords(error);
    }
    const work = {
      passive: this.#endpoint.passive,
      next: () => this.#endpoint.next(),
      serve: (conn: StreamConn) => this.#serve(conn),
      down: (reason: string) => this.#down(reason),
    };
    this.#keeper = new LinkKeeper(work, first, this.#backoff, this.#schedule);
  }

  /** Queues frames, to be written together. */
  start(tx: FrameBatch): number {
    const conn = this.#conn;
    if (!conn) return countNoPeer(this.stats, tx.count);
    let taken = 0;
    for (; taken < tx.count; taken++) {
      const length = tx.length(taken);
      if (length < 1 || length > this.#bytesMax) {
        this.stats.txDropped++;
        continue;
      }
      if (!this.#writer.put(this.#views.get(tx.memory, tx.address(taken), length))) {
        this.#blocked = true;
        this.stats.txBusy++;
        break;
      }
    }
    if (this.#writer.frames > 0) this.#writing ??= this.#write(conn);
    return taken;
  }

  /** Copies whole frames out of what was read. */
  rx(free: FrameBatch): number {
    const reader = this.#reader;
    const filled = reader.rx(free, this.stats);
    if (!reader.ready || reader.hostile !== undefined) this.#drained();
    return filled;
  }

  /** Closes connection and listener. */
  async detach(): Promise<void> {
    this.#ifp = undefined;
    const ended = this.#keeper?.end();
    this.#keeper = undefined;
    this.#lose("detached");
    this.#endpoint.close();
    await ended;
    this.#views.clear();
  }

  #down(reason: string): void {
    this.#endpoint.close();
    this.#ifp?.down(reason);
  }

  /**
   * A connection stands. One that was accepted counts only when its peer has said something: who
   * looks whether somebody listens, and leaves, is no peer, and its leaving no loss.
   */
  #count(): void {
    if (this.#connections++ > 0) this.stats.reconnects++;
  }

  /** Uses one connection until it is lost; answers no reason if it never had a peer. */
  async #serve(conn: StreamConn): Promise<string> {
    if (!this.#ifp) {
      conn.close();
      return "detached";
    }
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#lose = resolve;
    this.#conn = conn;
    this.#heard = false;
    if (!this.#endpoint.hasVisitors) this.#count();
    const reading = this.#read(conn);
    this.#ifp.wake();
    const reason = await promise;
    this.#conn = undefined;
    // The process must not end before what is awaited here has.
    conn.ref?.();
    conn.close();
    this.#drained();
    await reading;
    await this.#writing;
    this.stats.rxDropped += this.#reader.clear();
    this.stats.txDropped += this.#writer.frames;
    this.#writer.take();
    this.#blocked = false;
    // What was held back may go: there is nobody any more to hold it back for.
    this.#ifp?.wake();
    return this.#heard || !this.#endpoint.hasVisitors ? reason : "";
  }

  /**
   * Reads, and then waits until the stack has taken all whole frames: so a stack that is slow
   * slows its peer down, and nothing is lost.
   */
  async #read(conn: StreamConn): Promise<void> {
    const reader = this.#reader;
    while (conn === this.#conn) {
      let count: number | null;
      try {
        count = await conn.read(reader.room());
      } catch (error) {
        return this.#lose(
          `the connection to ${this.#endpoint.words} was lost: ${hostWords(error)}`,
        );
      }
      if (conn !== this.#conn) return;
      if (count === null) {
        const where = reader.partial ? ", in the middle of a frame" : "";
        return this.#lose(`${this.#endpoint.words} has closed the connection${where}`);
      }
      reader.added(count);
      if (!this.#heard) {
        this.#heard = true;
        if (this.#endpoint.hasVisitors) this.#count();
      }
      if (!reader.ready) continue;
      if (reader.hostile === undefined) {
        this.#backoff?.reset();
        const drained = new Promise<void>((resolve) => this.#drained = resolve);
        this.#ifp?.wake();
        await drained;
      }
      if (reader.hostile !== undefined) {
        return this.#lose(`${this.#endpoint.words} sent a frame of ${reader.hostile} bytes`);
      }
    }
  }

  /** Writes what has gathered, until nothing has. */
  async #write(conn: StreamConn): Promise<void> {
    const writer = this.#writer;
    try {
      while (conn === this.#conn && writer.frames > 0) {
        const frames = writer.frames;
        const bytes = writer.take();
        if (this.#blocked) {
          this.#blocked = false;
          this.#ifp?.wake();
        }
        if (!await this.#writeAll(conn, bytes)) {
          this.stats.txDropped += frames;
          return;
        }
        this.stats.txFrames += frames;
        this.stats.txBytes += bytes.length - 4 * frames;
      }
    } finally {
      this.#writing = undefined;
    }
  }

  async #writeAll(conn: StreamConn, bytes: Uint8Array): Promise<boolean> {
    try {
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
      return true;
    } catch (error) {
      this.#lose(`the connection to ${this.#endpoint.words} was lost: ${hostWords(error)}`);
      return false;
    }
  }
}

/** The driver from one object, which says where to and how: for `stack.drivers.load`. */
export default function stream(options: StreamTarget & StreamOptions): StreamDriver {
  return new StreamDriver(options, options);
}
