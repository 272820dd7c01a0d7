/**
 * Echo requests to a host, and what comes back (RFC 792).
 *
 * @module
 */

import { IpProto } from "../assembly/abi/proto.ts";
import { Af, IpOpt, Sock } from "../assembly/abi/socket.ts";
import { SocketError, type Stack } from "../mod.ts";
import {
  echoRequest,
  errorWords,
  ICMP_HEADER_BYTES,
  type IcmpMessage,
  IcmpType,
  readIcmp,
  readQuoted,
} from "./icmp.ts";
import { receiveWithin, release } from "./waiting.ts";

/** How to ping. */
export interface PingOptions {
  /** How many requests; without end unless told. */
  readonly count?: number;
  /** Time from one to the next; a second unless told. */
  readonly interval_us?: number;
  /** How long each is waited for; a second unless told. */
  readonly timeout_us?: number;
  /** Bytes that a request carries, 0 to 65,507; 56 unless told. */
  readonly size?: number;
  /** TTL of the requests, 1 to 255. */
  readonly ttl?: number;
  /** Source address. */
  readonly source?: string;
  /** Ends it; the summary follows. */
  readonly signal?: AbortSignal;
}

/** A reply to a request. */
export interface PingReply {
  /** Tells the events apart. */
  readonly kind: "reply";
  /** Number of the request, from 0. */
  readonly seq: number;
  /** Who replied. */
  readonly address: string;
  /** Bytes of the reply, with its ICMP header. */
  readonly bytes: number;
  /** TTL that the reply arrived with. */
  readonly ttl: number;
  /** From the request to the reply, on the stack's clock. */
  readonly rtt_us: number;
  /** True for every reply to a request but the first. */
  readonly duplicate: boolean;
}

/** A request without a reply. */
export interface PingFailure {
  /** An error by ICMP from `address`, no answer in time, or a request that could not be sent. */
  readonly kind: "error" | "timeout" | "unsent";
  /** Number of the request, from 0. */
  readonly seq: number;
  /** Who sent the error. */
  readonly address?: string;
  /** What went wrong. */
  readonly message: string;
}

/** The figures at the end. Times are 0 if there was no reply. */
export interface PingSummary {
  /** Tells the events apart. */
  readonly kind: "summary";
  /** Requests sent. */
  readonly transmitted: number;
  /** Requests that were answered. */
  readonly received: number;
  /** Further replies to answered requests. */
  readonly duplicates: number;
  /** Errors by ICMP. */
  readonly errors: number;
  /** Shortest round trip. */
  readonly min_us: number;
  /** Mean round trip. */
  readonly avg_us: number;
  /** Longest round trip. */
  readonly max_us: number;
  /** Their standard deviation. */
  readonly stddev_us: number;
}

/** What happens while pinging. */
export type PingEvent = PingReply | PingFailure | PingSummary;

const SECOND_US = 1_000_000;
const DATA_BYTES_MAX = 65_507;
const STAMP_BYTES = 8;

/** One run of ping. */
class Ping {
  readonly #stack: Stack;
  readonly #address: string;
  readonly #fd: number;
  readonly #id: number;
  readonly #body: Uint8Array<ArrayBuffer>;
  /** When those went out that nothing has come back for, by number; the oldest first. */
  readonly pending = new Map<number, number>();
  /** When those went out that have been answered, of the last 2^16. */
  readonly #answered = new Map<number, number>();
  readonly rtts_us: number[] = [];
  sent = 0;
  duplicates = 0;
  errors = 0;

  constructor(stack: Stack, address: string, fd: number, size: number) {
    this.#stack = stack;
    this.#address = address;
    this.#fd = fd;
    // Descriptors are unique among those who ping at a time from this stack.
    this.#id = 0x4757 + fd & 0xffff;
    this.#body = Uint8Array.from({ length: size }, (_, i) => i);
  }

  /** Sends the next request; answers what went wrong. */
  async send(signal?: AbortSignal): Promise<PingFailure | undefined> {
    const seq = this.sent++;
    const now_us = this.#stack.now_us;
    const body = this.#body;
    if (body.length >= STAMP_BYTES) new DataView(body.buffer).setFloat64(0, now_us);
    const request = echoRequest(this.#id, seq & 0xffff, body);
    this.#answered.delete(seq - 0x10000);
    try {
      await this.#stack.sys.sendto(this.#fd, request, 0, { address: this.#address }, { signal });
    } catch (error) {
      if (signal?.aborted) return undefined;
      if (!(error instanceof SocketError)) throw error;
      return { kind: "unsent", seq, message: error.message };
    }
    this.pending.set(seq, now_us);
  }

  /** What a message means for the requests; undefined if it is about something else. */
  take(message: IcmpMessage): PingReply | PingFailure | undefined {
    if (message.type === IcmpType.ECHO_REPLY) return this.#reply(message);
    const quoted = readQuoted(message);
    if (quoted === undefined || quoted.protocol !== IpProto.ICMP) return undefined;
    const [head, , id, low] = quoted.words;
    if (head !== IcmpType.ECHO << 8 || id !== this.#id || quoted.destination !== this.#address) {
      return undefined;
    }
    const seq = this.#whole(low);
    if (!this.pending.delete(seq)) return undefined;
    this.errors++;
    const words = errorWords(message.type, message.code);
    return { kind: "error", seq, address: message.source, message: words };
  }

  #reply({ id, seq: low, body, source, ttl, length }: IcmpMessage): PingReply | undefined {
    if (id !== this.#id) return undefined;
    const seq = this.#whole(low);
    const first_us = this.pending.get(seq);
    const sent_us = first_us ?? this.#answered.get(seq);
    if (sent_us === undefined || body.length !== this.#body.length) return undefined;
    // A late reply to somebody who had this descriptor before carries another time.
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    if (body.length >= STAMP_BYTES && view.getFloat64(0) !== sent_us) return undefined;
    const rtt_us = this.#stack.now_us - sent_us;
    const duplicate = first_us === undefined;
    if (duplicate) {
      this.duplicates++;
    } else {
      this.pending.delete(seq);
      this.#answered.set(seq, sent_us);
      this.rtts_us.push(rtt_us);
    }
    return { kind: "reply", seq, address: source, bytes: length, ttl, rtt_us, duplicate };
  }

  /** The number of which a message has the low 16 bits: the last one sent. */
  #whole(low: number): number {
    const last = this.sent - 1;
    return last - (last - low & 0xffff);
  }

  /** The oldest that has waited long enough. */
  overdue(timeout_us: number): PingFailure | undefined {
    for (const [seq, sent_us] of this.pending) {
      if (sent_us + timeout_us > this.#stack.now_us) return undefined;
      this.pending.delete(seq);
      return { kind: "timeout", seq, message: "no answer" };
    }
  }

  summary(): PingSummary {
    const { rtts_us, sent: transmitted, duplicates, errors } = this;
    const received = rtts_us.length;
    const mean = (list: readonly number[]) =>
      list.reduce((sum, value) => sum + value, 0) / Math.max(1, list.length);
    const avg_us = mean(rtts_us);
    return {
      kind: "summary",
      transmitted,
      received,
      duplicates,
      errors,
      min_us: rtts_us.reduce((a, b) => Math.min(a, b), rtts_us[0] ?? 0),
      avg_us,
      max_us: rtts_us.reduce((a, b) => Math.max(a, b), 0),
      stddev_us: Math.sqrt(mean(rtts_us.map((rtt) => (rtt - avg_us) ** 2))),
    };
  }
}

/**
 * Pings a host by its IPv4 address: yields what comes back, and a summary at the end.
 *
 * ```ts
 * import { createStack } from "@godwit/godwit";
 * import { ping } from "@godwit/godwit/commands";
 *
 * await using stack = await createStack();
 * for await (const event of ping(stack, "127.0.0.1", { count: 1 })) console.log(event.kind);
 * // reply
 * // summary
 * ```
 *
 * @throws RangeError for impossible options, SocketError EINVAL or EADDRNOTAVAIL for addresses
 */
export async function* ping(
  stack: Stack,
  address: string,
  options: PingOptions = {},
): AsyncGenerator<PingEvent, void> {
  const { count = Infinity, size = 56, ttl, source, signal } = options;
  const { interval_us = SECOND_US, timeout_us = SECOND_US } = options;
  if (!(size >= 0 && size <= DATA_BYTES_MAX)) {
    throw new RangeError(`a request carries 0 to ${DATA_BYTES_MAX} bytes, not ${size}`);
  }
  if (!(interval_us > 0 && timeout_us > 0)) throw new RangeError("times are above 0");
  const { sys } = stack;
  const fd = sys.socket(Af.INET, Sock.RAW, IpProto.ICMP);
  try {
    if (source !== undefined) sys.bind(fd, { address: source });
    if (ttl !== undefined) sys.setsockopt(fd, IpProto.IP, IpOpt.TTL, ttl);
    const run = new Ping(stack, address, fd, size);
    const buffer = new Uint8Array(size + ICMP_HEADER_BYTES + 576);
    let next_us = stack.now_us;
    while (!signal?.aborted) {
      if (run.sent < count && stack.now_us >= next_us) {
        const failure = await run.send(signal);
        if (failure) yield failure;
        next_us += interval_us;
      }
      const late = run.overdue(timeout_us);
      if (late) {
        yield late;
        continue;
      }
      const [oldest_us = Infinity] = run.pending.values();
      const due_us = Math.min(run.sent < count ? next_us : Infinity, oldest_us + timeout_us);
      if (due_us === Infinity) break;
      const got = await receiveWithin(stack, fd, buffer, due_us - stack.now_us, signal);
      const message = typeof got === "number" ? readIcmp(buffer.subarray(0, got)) : undefined;
      const event = message && run.take(message);
      if (event) yield event;
    }
    yield run.summary();
  } finally {
    release(stack, fd);
  }
}
