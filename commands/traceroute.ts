/**
 * The routers on the way to a host: packets with a TTL of 1, 2, 3 ... are answered by those where
 * it runs out (RFC 1812 5.3.1).
 *
 * @module
 */

import { IpProto } from "../assembly/abi/proto.ts";
import { Af, IpOpt, Sock } from "../assembly/abi/socket.ts";
import { SocketError, type Stack } from "../mod.ts";
import {
  echoRequest,
  errorMark,
  type IcmpMessage,
  IcmpType,
  readIcmp,
  readQuoted,
} from "./icmp.ts";
import { receiveWithin, release } from "./waiting.ts";

/** How to trace. */
export interface TracerouteOptions {
  /** What is sent; `udp` unless told. */
  readonly method?: "udp" | "icmp";
  /** TTL to begin with; 1 unless told. */
  readonly firstTtl?: number;
  /** Largest TTL; 30 unless told. */
  readonly maxTtl?: number;
  /** Packets with each TTL; 3 unless told. */
  readonly queries?: number;
  /** How long an answer is waited for; 5 seconds unless told. */
  readonly wait_us?: number;
  /** Port of the first packet by UDP, and one more for each; 33434 unless told. */
  readonly port?: number;
  /** Bytes that a packet carries; 32 unless told. */
  readonly size?: number;
  /** Source address. */
  readonly source?: string;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

/** A packet, and what came back. */
export interface TraceProbe {
  /** TTL that it was sent with. */
  readonly ttl: number;
  /** Which of those with this TTL, from 0. */
  readonly query: number;
  /** Who answered; left out if nobody did in time. */
  readonly address?: string;
  /** From the packet to the answer, on the stack's clock. */
  readonly rtt_us?: number;
  /** `!H`, `!N` and the like for an error; `!` and a message if it could not be sent. */
  readonly mark: string;
  /** True if the host itself answered, or nobody beyond will. */
  readonly final: boolean;
}

const FIRST_PORT = 33_434;
const PROBES_MAX = 10;
const BUFFER_BYTES = 2048;

interface Probe {
  readonly ttl: number;
  /** Number of the packet, from 0. */
  readonly number: number;
}

/** What is known of an answer beside its time. */
type Answer = Pick<TraceProbe, "address" | "mark" | "final">;

/** One run of traceroute. */
class Trace implements Disposable {
  readonly #stack: Stack;
  readonly #address: string;
  readonly #options: TracerouteOptions;
  /** Receives ICMP; sends the requests of the method `icmp`. */
  readonly #icmp: number;
  readonly #udp: number | undefined;
  readonly #id: number;
  readonly #localPort: number = 0;
  readonly #body: Uint8Array<ArrayBuffer>;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);

  constructor(stack: Stack, address: string, options: TracerouteOptions) {
    const { sys } = stack;
    this.#stack = stack;
    this.#address = address;
    this.#options = options;
    this.#body = new Uint8Array(options.size ?? 32);
    this.#icmp = sys.socket(Af.INET, Sock.RAW, IpProto.ICMP);
    this.#id = 0x5452 + this.#icmp & 0xffff;
    try {
      const from = { address: options.source ?? "" };
      if (options.method !== "icmp") {
        this.#udp = sys.socket(Af.INET, Sock.DGRAM);
        sys.bind(this.#udp, from);
        this.#localPort = sys.getsockname(this.#udp).port;
      } else if (options.source !== undefined) sys.bind(this.#icmp, from);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    release(this.#stack, this.#icmp);
    if (this.#udp !== undefined) release(this.#stack, this.#udp);
  }

  /** Sends a packet and waits for its answer. */
  async probe(probe: Probe, query: number): Promise<TraceProbe | undefined> {
    const { signal, wait_us = 5_000_000 } = this.#options;
    const { ttl } = probe;
    const sent_us = this.#stack.now_us;
    try {
      await this.#send(probe);
    } catch (error) {
      if (signal?.aborted) return undefined;
      if (!(error instanceof SocketError)) throw error;
      return { ttl, query, mark: `! ${error.message}`, final: true };
    }
    for (;;) {
      const left_us = sent_us + wait_us - this.#stack.now_us;
      if (left_us <= 0) return { ttl, query, mark: "", final: false };
      const got = await receiveWithin(this.#stack, this.#icmp, this.#buffer, left_us, signal);
      if (got === "ended") return undefined;
      if (got === "timeout") continue;
      const message = readIcmp(this.#buffer.subarray(0, got));
      const answer = message && this.#answer(probe, message);
      if (answer) return { ttl, query, rtt_us: this.#stack.now_us - sent_us, ...answer };
    }
  }

  async #send({ ttl, number }: Probe): Promise<void> {
    const { sys } = this.#stack;
    const { signal } = this.#options;
    const fd = this.#udp ?? this.#icmp;
    sys.setsockopt(fd, IpProto.IP, IpOpt.TTL, ttl);
    const data = this.#udp === undefined ? echoRequest(this.#id, number, this.#body) : this.#body;
    const to = { address: this.#address, port: this.#udp === undefined ? 0 : this.#port(number) };
    await sys.sendto(fd, data, 0, to, { signal });
  }

  #port(number: number): number {
    return (this.#options.port ?? FIRST_PORT) + number & 0xffff;
  }

  /** What a message says of a packet; undefined if it is about another. */
  #answer({ number }: Probe, message: IcmpMessage): Answer | undefined {
    const { type, code, source } = message;
    if (type === IcmpType.ECHO_REPLY) {
      const ours = this.#udp === undefined && message.id === this.#id && message.seq === number;
      return ours ? { address: source, mark: "", final: true } : undefined;
    }
    const quoted = readQuoted(message);
    if (quoted === undefined || quoted.destination !== this.#address) return undefined;
    const [first, second, id, seq] = quoted.words;
    const ours = this.#udp === undefined
      ? quoted.protocol === IpProto.ICMP && id === this.#id && seq === number
      : quoted.protocol === IpProto.UDP && first === this.#localPort &&
        second === this.#port(number);
    if (!ours) return undefined;
    const final = type === IcmpType.UNREACHABLE;
    return { address: source, mark: errorMark(type, code), final };
  }
}

/**
 * Traces the way to an IPv4 address: yields each packet with what came back, and ends behind the
 * TTL with which the host itself answered.
 *
 * @throws RangeError for impossible options, SocketError for an address that is not ours
 */
export async function* traceroute(
  stack: Stack,
  address: string,
  options: TracerouteOptions = {},
): AsyncGenerator<TraceProbe, void> {
  const { firstTtl = 1, maxTtl = 30, queries = 3, signal } = options;
  if (!(firstTtl >= 1 && maxTtl <= 255 && firstTtl <= maxTtl)) {
    throw new RangeError(`TTLs are from 1 to 255 and rise, not ${firstTtl} to ${maxTtl}`);
  }
  if (!(queries >= 1 && queries <= PROBES_MAX)) {
    throw new RangeError(`1 to ${PROBES_MAX} packets go out with each TTL, not ${queries}`);
  }
  using trace = new Trace(stack, address, options);
  let number = 0;
  for (let ttl = firstTtl; ttl <= maxTtl; ttl++) {
    let final = false;
    for (let query = 0; query < queries && !signal?.aborted; query++) {
      const result = await trace.probe({ ttl, number: number++ }, query);
      if (result === undefined) return;
      final ||= result.final;
      yield result;
      // what could not be sent once cannot be sent again
      if (result.final && result.rtt_us === undefined) return;
    }
    if (final || signal?.aborted) return;
  }
}
