/**
 * Frames as binary messages over a WebSocket, one each: for hosts that have nothing else, such as
 * a browser, and for servers that get an upgraded socket.
 *
 * ```ts
 * import { WebSocketDriver } from "@godwit/godwit/drivers/websocket";
 * const client = new WebSocketDriver("wss://gateway.example/", { reconnect: true });
 * Deno.serve({ port: 8080 }, (request) => {
 *   const { socket, response } = Deno.upgradeWebSocket(request);
 *   const server = new WebSocketDriver(socket); // to be attached to a stack
 *   return response;
 * });
 * ```
 *
 * A client needs `--allow-net`. The host keeps the process alive while a socket is open.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import type { DriverCaps, FrameBatch, Ifnet, Medium, NetDriver } from "../runtime/device/driver.ts";
import { SocketError } from "../runtime/errors.ts";
import { type Backoff, backoffOf, type ReconnectOptions } from "./backoff.ts";
import { ViewCache } from "./frame_ring.ts";
import { hostWords } from "./host_error.ts";
import { Inbox, receiveBytesMax } from "./inbox.ts";
import { LinkKeeper } from "./link_keeper.ts";
import {
  checkMtu,
  frameBytesMax,
  queueFrames,
  refuseSecondAttach,
  wholeInRange,
} from "./options.ts";
import { quietSchedule, type Schedule } from "./schedule.ts";
import { countNoPeer, newTunnelStats, type TunnelStats } from "./tunnel_stats.ts";
import { Waker } from "./waker.ts";
import { closeSocket, openSocket } from "./websocket_open.ts";

export type { ReconnectOptions } from "./backoff.ts";
export type { Schedule } from "./schedule.ts";
export type { DriverStats } from "./stats.ts";
export type { TunnelStats } from "./tunnel_stats.ts";

/** How the socket is used. */
export interface WebSocketOptions {
  /** What the messages are; `ethernet` unless told. */
  readonly medium?: Medium;
  /** Largest IP packet in bytes; 1500 unless told. */
  readonly mtu?: number;
  /**
   * Frames received that may wait; 1024 unless told, fewer of large ones. More are dropped: nothing
   * slows a peer.
   */
  readonly queue?: number;
  /** Bytes sent that may wait in the socket; 256 KiB unless told. When full, the stack waits. */
  readonly queueBytes?: number;
  /** Subprotocols that the client offers; none unless told. */
  readonly protocols?: readonly string[];
  /**
   * What a client does when the socket is closed: unless told, the interface goes down with the
   * reason. Otherwise it tries again after growing waits, and frames sent meanwhile are dropped.
   */
  readonly reconnect?: boolean | ReconnectOptions;
  /** How to be called when a try, or a look at the socket's queue, is due. */
  readonly schedule?: Schedule;
}

/** A socket tells nobody that its queue has become shorter: how often it is looked at, if full. */
const LOOK_US = 1000;
/** How long a peer may take to agree to the end. */
const CLOSE_US = 1_000_000;

/** One end of a WebSocket. */
export class WebSocketDriver implements NetDriver {
  /** `websocket` */
  readonly name = "websocket";
  /** MTU and medium of the messages. */
  readonly caps: DriverCaps;
  /** What went through, and what did not and why. */
  readonly stats: TunnelStats = newTunnelStats();
  readonly #target: URL | WebSocket;
  readonly #protocols: readonly string[];
  readonly #backoff: Backoff | undefined;
  readonly #schedule: Schedule;
  readonly #bytesMax: number;
  readonly #queueBytes: number;
  readonly #views = new ViewCache();
  readonly #inbox: Inbox;
  readonly #waker: Waker = new Waker(() => this.#ifp?.wake());
  #ifp: Ifnet | undefined = undefined;
  #keeper: LinkKeeper<WebSocket> | undefined = undefined;
  #socket: WebSocket | undefined = undefined;
  /** A socket that is being opened. */
  #opening: WebSocket | undefined = undefined;
  #connections = 0;
  #cancelLook: (() => void) | void = undefined;
  #looking = false;
  /** Ends `serve`, with the reason. */
  #lose: (reason: string) => void = () => {};

  /**
   * A client for a URL (`ws:` or `wss:`), or either side with a socket that is open or opening.
   * Opens nothing yet; `RangeError` for options that cannot be.
   */
  constructor(target: string | URL | WebSocket, options: WebSocketOptions = {}) {
    this.#target = typeof target === "string" ? parse(target) : target;
    if (!(this.#target instanceof URL) && options.reconnect) {
      throw new RangeError("a socket that was handed in cannot come back");
    }
    this.#protocols = options.protocols ?? [];
    this.#backoff = backoffOf(options.reconnect);
    this.#schedule = options.schedule ?? quietSchedule;
    const medium = options.medium ?? "ethernet";
    const mtu = checkMtu(options.mtu ?? 1500);
    this.caps = { mtu, medium, pointToPoint: medium === "ip" };
    this.#bytesMax = frameBytesMax(medium, mtu);
    const queue = wholeInRange("queue", options.queue ?? queueFrames(this.#bytesMax), 1, 65536);
    this.#queueBytes = wholeInRange("queueBytes", options.queueBytes ?? 256 * 1024, 1, 1 << 30);
    this.#inbox = new Inbox(queue, receiveBytesMax(medium, mtu), this.stats);
  }

  /** True while the socket is open. */
  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /**
   * Connects. Does not wait for a socket that was handed in, nor for a client with `reconnect`
   * beyond its first try.
   *
   * @throws SocketError ECONNREFUSED if the server cannot be reached or refuses, EACCES without the
   * permission, ENOTCONN if the socket handed in is closed already
   */
  async attach(ifp: Ifnet): Promise<void> {
    refuseSecondAttach(this.name, this.#ifp);
    const target = this.#target;
    this.#ifp = ifp;
    let first: WebSocket | string;
    try {
      first = target instanceof URL ? await this.#open(target) : this.#usable(target);
    } catch (error) {
      if (!this.#backoff) {
        this.#ifp = undefined;
        throw error;
      }
      first = hostWords(error);
    }
    const work = {
      passive: false,
      next: () => this.#open(target as URL),
      serve: (socket: WebSocket) => this.#serve(socket),
      down: (reason: string) => this.#ifp?.down(reason),
    };
    this.#keeper = new LinkKeeper(work, first, this.#backoff, this.#schedule);
  }

  /** Sends frames, which the socket copies, until `queueBytes` wait in it. */
  start(tx: FrameBatch): number {
    const socket = this.#socket;
    const stats = this.stats;
    if (!socket || socket.readyState > WebSocket.OPEN) return countNoPeer(stats, tx.count);
    if (socket.readyState === WebSocket.CONNECTING) return this.#busy(0);
    // Asked for once a batch: the socket's count is dear, and what is added to it is known.
    let waiting = socket.bufferedAmount;
    for (let i = 0; i < tx.count; i++) {
      const length = tx.length(i);
      if (length < 1 || length > this.#bytesMax) {
        stats.txDropped++;
        continue;
      }
      if (waiting >= this.#queueBytes) return this.#busy(i);
      socket.send(this.#views.get(tx.memory, tx.address(i), length));
      waiting += length;
      stats.txFrames++;
      stats.txBytes += length;
    }
    return tx.count;
  }

  /** Copies what has arrived into the empty frames. */
  rx(free: FrameBatch): number {
    return this.#inbox.fill(free);
  }

  /** Closes the socket, and waits a moment until the peer has agreed. */
  async detach(): Promise<void> {
    this.#ifp = undefined;
    const ended = this.#keeper?.end();
    this.#keeper = undefined;
    this.#lose("detached");
    // Its server may never answer; nobody else waits for that.
    this.#opening?.close();
    await ended;
    this.#inbox.clear();
    this.#waker.stop();
    this.#views.clear();
  }

  /** Uses one socket until it is closed. */
  async #serve(socket: WebSocket): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#lose = resolve;
    const listening = new AbortController();
    const { signal } = listening;
    socket.addEventListener("open", () => this.#ifp?.wake(), { signal });
    socket.addEventListener("close", (event) => resolve(closeWords(event)), { signal });
    // An error is followed by a close, which says no more than this.
    socket.addEventListener("error", (event) => resolve(errorWords(event)), { signal });
    this.#socket = socket;
    if (this.#ifp) {
      if (this.#connections++ > 0) this.stats.reconnects++;
      this.#ifp.wake();
    } else {
      resolve("detached");
    }
    if (socket.readyState > WebSocket.OPEN) resolve("the WebSocket was closed");
    const reason = await promise;
    listening.abort();
    socket.onmessage = null;
    this.#socket = undefined;
    this.#cancelLook?.();
    this.#looking = false;
    await closeSocket(socket, CLOSE_US, this.#schedule);
    // What was held back may go: there is nobody any more to hold it back for.
    this.#ifp?.wake();
    return reason;
  }

  async #open(url: URL): Promise<WebSocket> {
    try {
      return await openSocket(url, this.#protocols, (socket) => {
        this.#opening = socket;
        this.#listen(socket);
      });
    } finally {
      this.#opening = undefined;
    }
  }

  #usable(socket: WebSocket): WebSocket {
    if (socket.readyState > WebSocket.OPEN) {
      throw new SocketError(Errno.ENOTCONN, "attach", "the WebSocket is closed already");
    }
    this.#listen(socket);
    return socket;
  }

  #listen(socket: WebSocket): void {
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.#received(data);
  }

  #received(data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return this.#inbox.refuse();
    this.#backoff?.reset();
    if (this.#inbox.put(new Uint8Array(data))) this.#waker.arrived(this.#inbox.filling);
  }

  #busy(taken: number): number {
    this.stats.txBusy++;
    if (!this.#looking) this.#look();
    return taken;
  }

  /** Looks again and again, until half of the socket's queue is gone. */
  #look(): void {
    this.#looking = true;
    this.#cancelLook = this.#schedule(LOOK_US, () => {
      this.#looking = false;
      const socket = this.#socket;
      if (!socket || !this.#ifp) return;
      const opening = socket.readyState === WebSocket.CONNECTING;
      if (opening || socket.bufferedAmount > this.#queueBytes / 2) this.#look();
      else this.#ifp.wake();
    });
  }
}

function parse(text: string): URL {
  const url = URL.parse(text);
  if (!url || !/^(wss?|https?):$/.test(url.protocol)) {
    throw new RangeError(`${JSON.stringify(text)} is no URL of a WebSocket`);
  }
  return url;
}

function closeWords({ code, reason }: CloseEvent): string {
  return `the WebSocket was closed (${code}${reason === "" ? "" : `: ${reason}`})`;
}

function errorWords(event: Event): string {
  const { message } = event as { message?: string };
  return `the WebSocket was lost${message ? `: ${message}` : ""}`;
}

/** The driver from one object, which says where to and how: for `stack.drivers.load`. */
export default function webSocket(
  options: WebSocketOptions & { readonly url: string | URL },
): WebSocketDriver {
  return new WebSocketDriver(options.url, options);
}
