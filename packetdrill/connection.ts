/**
 * The connection under test, and how the numbers of its script become those of the wire and back.
 *
 * A segment with SYN has absolute numbers, any other has numbers relative to the initial ones.
 *
 * @module
 */

import type { TcpBody, TcpOption } from "./ast.ts";
import { ScriptError } from "./errors.ts";
import { ACK, SYN, URG } from "./flags.ts";
import { patternBytes } from "./pattern.ts";
import type { Segment } from "./wire.ts";

/** An initial sequence number, or a timestamp, in both worlds. */
interface Pair {
  readonly script: number;
  readonly live: number;
}

/** How a line becomes a segment. */
export interface MapOptions {
  /** Timestamps that were never sent are extrapolated (`--tcp_ts_ecr_scaled`). */
  readonly ecrScaled?: boolean;
}

/** One connection. */
export class Connection {
  /** The engine's socket, 0 while it is not known. */
  so = 0;
  /** The remote has sent urgent data: what is read is not the plain stream. */
  urgent = false;
  #local: Pair | undefined = undefined;
  #remote: Pair | undefined = undefined;
  #fresh = false;
  #tsBase: Pair | undefined = undefined;
  readonly #sentTs = new Map<number, number>();
  /** Timestamps that the remote has sent: those that the stack may echo. */
  readonly echoes = new Set<number>();

  constructor(
    readonly protocol: "tcp" | "udp",
    readonly localPort: number,
    readonly remotePort: number,
  ) {}

  /** What is added to the stack's numbers of the script in a segment without SYN. */
  get localIsn(): number {
    return this.#local?.live ?? 0;
  }

  /** Place in the stream of the first byte of a segment that the stack sent. */
  placeOf(live: Segment): number {
    return (live.seq - this.localIsn - 1) >>> 0;
  }

  /** The segment that a line tells to inject. */
  toWire(body: TcpBody, options: MapOptions = {}): Segment {
    const syn = (body.flags & SYN) !== 0;
    if (syn) this.#takeRemoteSyn(body);
    if (body.flags & URG) this.urgent = true;
    const seqShift = syn ? 0 : this.#remote?.live ?? 0;
    const ackShift = this.#ackShift(syn);
    const mapped = body.options === "any" ? [] : body.options;
    const first = syn ? body.seq - (this.#remote?.script ?? 0) : body.seq - 1;
    return {
      flags: body.flags,
      seq: body.numbering === "wire" ? body.seq : (body.seq + seqShift) >>> 0,
      ack: body.flags & ACK ? ((body.ack ?? 0) + ackShift) >>> 0 : body.ack ?? 0,
      win: body.win ?? 0,
      urg: body.urg,
      options: mapped.map((o) => this.#optionToWire(o, body.flags, options)),
      data: patternBytes(first, body.length),
    };
  }

  #takeRemoteSyn(body: TcpBody): void {
    if (!this.#remote) this.#remote = { script: body.seq, live: body.seq };
    else if (body.seq !== this.#remote.live) this.#fresh = true; // it may begin a new connection
  }

  #ackShift(syn: boolean): number {
    if (!this.#local) return 0;
    return syn ? this.#local.live - this.#local.script : this.#local.live;
  }

  #optionToWire(o: TcpOption, flags: number, options: MapOptions): TcpOption {
    if (o.kind === "sack") {
      const shift = this.localIsn;
      const move = (edge: number) => (edge + shift) >>> 0;
      return { kind: "sack", blocks: o.blocks.map(([l, r]) => [move(l), move(r)] as const) };
    }
    if (o.kind !== "TS") return o;
    this.echoes.add(o.val);
    if (!(flags & ACK) || o.wire) return o;
    return { ...o, ecr: this.#ecrToWire(o.ecr, options) };
  }

  #ecrToWire(ecr: number, { ecrScaled }: MapOptions): number {
    const live = this.#sentTs.get(ecr);
    if (live !== undefined) return live;
    if (ecr === 0) return 0;
    if (ecrScaled && this.#tsBase) {
      return (ecr - this.#tsBase.script + this.#tsBase.live) >>> 0;
    }
    throw new ScriptError(`the stack has sent no timestamp ${ecr} that could be echoed`);
  }

  /** Learns from a packet that is expected, and the one that came. */
  learn(body: TcpBody, live: Segment): void {
    if (live.flags & body.flags & SYN) {
      if (!this.#local || this.#fresh) this.#local = { script: body.seq, live: live.seq };
      this.#fresh = false;
    }
    if (body.options === "any") return;
    const expected = body.options.find((o) => o.kind === "TS");
    const sent = live.options.find((o) => o.kind === "TS");
    if (expected?.kind !== "TS" || sent?.kind !== "TS") return;
    if (expected.open) return;
    this.#tsBase ??= { script: expected.val, live: sent.val };
    this.#sentTs.set(expected.val, sent.val);
  }

  /** A segment that the stack sent, with the numbers of the script; `body` is its line. */
  toScript(live: Segment, body?: TcpBody): Segment {
    const syn = (live.flags & SYN) !== 0;
    const isn = syn ? this.localIsn - (this.#local?.script ?? 0) : this.localIsn;
    const shift = body?.numbering === "wire" ? 0 : isn;
    const remote = syn ? 0 : this.#remote?.live ?? 0;
    return {
      ...live,
      seq: (live.seq - shift) >>> 0,
      ack: live.flags & ACK ? (live.ack - remote) >>> 0 : live.ack,
      options: live.options.map((o) => this.#optionToScript(o)),
    };
  }

  #optionToScript(o: TcpOption): TcpOption {
    if (o.kind === "sack") {
      const shift = this.#remote?.live ?? 0;
      const move = (edge: number) => (edge - shift) >>> 0;
      return { kind: "sack", blocks: o.blocks.map(([l, r]) => [move(l), move(r)] as const) };
    }
    if (o.kind !== "TS" || !this.#tsBase) return o;
    return { ...o, val: (o.val - this.#tsBase.live + this.#tsBase.script) >>> 0 };
  }
}
