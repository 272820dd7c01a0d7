/**
 * A socket's error queue, as Linux has it: which sends with `MSG_ZEROCOPY` the stack is done with,
 * and when data was sent and acknowledged (`SO_TIMESTAMPING`). All of it is read off what the stack
 * did; the queue only keeps it until `recvmsg` asks.
 *
 * @module
 */

import * as layout from "../runtime/wasm/layout.gen.ts";
import type { SocketFd } from "./fd.ts";
import { STAMPING_SYMBOLS } from "./symbols.ts";
import { snapshotInfo } from "./tcp_info.ts";
import type { World } from "./world.ts";

const S = STAMPING_SYMBOLS;

/** One entry of the queue. */
export interface Notice {
  readonly origin: number;
  readonly errno: number;
  readonly code: number;
  info: number;
  data: number;
  /** When it happened, script time; undefined if the entry tells no time. */
  readonly at_us?: number;
  /** Bytes of the packet, or of the data, that the entry is about; 0 if it gives none back. */
  readonly length: number;
  /** TCP_INFO at that time. */
  readonly stats?: ReadonlyMap<string, number>;
}

/** Data whose way is followed: it ends at this byte of the stream. */
interface Followed {
  readonly end: number;
  readonly length: number;
  /** Kinds of timestamps that are still wanted. */
  wanted: number;
}

const ENOMSG = 42;
/** Headers of IP and TCP, and of TCP's timestamps. */
const HEADERS = 40;
const TIMESTAMPS = 12;

/** What the stack has done with the bytes of a stream. */
interface Progress {
  readonly sent: number;
  readonly acked: number;
}

/** The queue of one socket. */
export class ErrorQueue {
  readonly notices: Notice[] = [];
  /** How many notices there ever were: a new one is an edge. */
  total = 0;
  readonly #copies: { readonly id: number; readonly end: number }[] = [];
  readonly #followed: Followed[] = [];
  #nextId = 0;
  /** Where in the stream the keys of timestamps begin. */
  keyBase = 0;

  /** A send with `MSG_ZEROCOPY` ended at this byte. */
  copied(end: number): void {
    this.#copies.push({ id: this.#nextId++, end });
  }

  /** So many bytes that end at this one are to be followed, for these kinds of timestamps. */
  follow(end: number, length: number, wanted: number): void {
    this.#followed.push({ end, length, wanted });
  }

  /** Looks how far the stack has come. */
  sample(world: World, fd: SocketFd): void {
    if (this.#copies.length === 0 && this.#followed.length === 0) return;
    const progress = progressOf(world, fd);
    // what the stack lets go of with its connection is done with as well
    const acked = progress?.acked ?? Infinity;
    while (this.#copies.length > 0 && this.#copies[0].end <= acked) {
      this.#done(this.#copies.shift()!.id);
    }
    if (progress) this.#stamp(world, fd, progress);
    else this.#followed.length = 0;
  }

  /** Neighbours that are told together are one entry. The stack copies data, and says so. */
  #done(id: number): void {
    const last = this.notices.at(-1);
    if (last?.origin === S.SO_EE_ORIGIN_ZEROCOPY && last.data === id - 1) {
      last.data = id;
      return;
    }
    const code = S.SO_EE_CODE_ZEROCOPY_COPIED;
    const origin = S.SO_EE_ORIGIN_ZEROCOPY;
    this.#push({ origin, errno: 0, code, info: id, data: id, length: 0 });
  }

  #stamp(world: World, fd: SocketFd, { sent, acked }: Progress): void {
    for (const item of this.#followed) {
      if (item.end <= sent) {
        this.#tell(world, fd, item, S.SOF_TIMESTAMPING_TX_SCHED, S.SCM_TSTAMP_SCHED);
        this.#tell(world, fd, item, S.SOF_TIMESTAMPING_TX_SOFTWARE, S.SCM_TSTAMP_SND);
      }
      if (item.end <= acked) {
        this.#tell(world, fd, item, S.SOF_TIMESTAMPING_TX_ACK, S.SCM_TSTAMP_ACK);
      }
    }
    while (this.#followed.length > 0 && this.#followed[0].wanted === 0) this.#followed.shift();
  }

  #tell(world: World, fd: SocketFd, item: Followed, kind: number, info: number): void {
    if (!(item.wanted & kind)) return;
    item.wanted &= ~kind;
    const flags = fd.kept.get("SO_TIMESTAMPING") ?? 0;
    const keyed = (flags & S.SOF_TIMESTAMPING_OPT_ID) !== 0;
    const alone = (flags & S.SOF_TIMESTAMPING_OPT_TSONLY) !== 0;
    const acked = kind === S.SOF_TIMESTAMPING_TX_ACK;
    const told = alone && acked && flags & S.SOF_TIMESTAMPING_OPT_STATS;
    const stats = told ? snapshotInfo(world, fd.so) : undefined;
    this.#push({
      origin: S.SO_EE_ORIGIN_TIMESTAMPING,
      errno: ENOMSG,
      code: 0,
      info,
      data: keyed ? (item.end - 1 - this.keyBase) >>> 0 : 0,
      at_us: world.host.now_us,
      length: alone ? 0 : item.length + (acked ? 0 : headersOf(world, fd)),
      ...(stats ? { stats } : {}),
    });
  }

  #push(notice: Notice): void {
    this.notices.push(notice);
    this.total++;
  }
}

/** Bytes of the headers of a packet with data. */
function headersOf(world: World, fd: SocketFd): number {
  const options = snapshotInfo(world, fd.so).get("tcpi_options") ?? 0;
  return HEADERS + (options & 1 ? TIMESTAMPS : 0);
}

/** Bytes of the stream that were sent, and acknowledged; undefined if the connection is gone. */
function progressOf(world: World, fd: SocketFd): Progress | undefined {
  const { host } = world;
  const tcb = host.calls.tcb_of(fd.so) >>> 0;
  if (tcb === 0) return undefined;
  const { Tcb } = layout;
  const first = host.u32(tcb + Tcb.iss) + 1;
  const place = (at: number) => Math.max((host.u32(tcb + at) - first) | 0, 0);
  return { sent: place(Tcb.snd_nxt), acked: place(Tcb.snd_una) };
}

/** The queue of a socket, made when first needed. */
export function errorQueue(fd: SocketFd): ErrorQueue {
  return fd.errors ??= new ErrorQueue();
}
