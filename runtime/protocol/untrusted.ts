/**
 * An untrusted protocol: WebAssembly with a memory of its own that imports nothing, in a Worker. To
 * the loader it is a protocol in TypeScript, whose hooks put records into the queue of the module
 * and carry out what it answers.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Pr } from "../../assembly/abi/proto.ts";
import { Sock as SockType } from "../../assembly/abi/socket.ts";
import { RecordKind } from "../../assembly/abi/untrusted.ts";
import { EnginePanic, SocketError } from "../errors.ts";
import { parseIpv4 } from "../socket/inet_addr.ts";
import type { Kernel, KernelTimer } from "./kernel.ts";
import { InterfaceNews } from "./interface_news.ts";
import type { Manifest } from "./manifest.ts";
import type { ControlQuote, ProtocolModule, ProtoRow } from "./module.ts";
import type { Packet } from "./packet.ts";
import { AnsweredRecord, type RecordFields, RecordQueue } from "./records.ts";
import { Thread } from "./thread.ts";
import type { UdpPort } from "./udp_port.ts";
import { Answers, type UntrustedCounters, UntrustedFault } from "./untrusted_answers.ts";
import { UntrustedSockets } from "./untrusted_sockets.ts";

/** What an untrusted protocol is made of. */
export interface UntrustedParts {
  readonly name: string;
  readonly wasm: WebAssembly.Module;
  readonly manifest: Manifest;
  /** Data of its first record. */
  readonly config: Uint8Array;
  readonly slice_ms: number;
  readonly memory_bytes: number;
  /** Takes its reports. */
  readonly report?: (bytes: Uint8Array<ArrayBuffer>) => void;
}

/** What it needs of the loader. */
export interface UntrustedHost {
  /** It has failed. */
  fault(hook: string, error: unknown): void;
  /** Takes a turn soon. */
  wake(): void;
}

const US_PER_MS = 1000;
const EMPTY = new Uint8Array();

/** An untrusted protocol. */
export class Untrusted implements ProtocolModule {
  /** Its name. */
  readonly name: string;
  /** Its rows. */
  readonly rows: readonly ProtoRow[];
  /** If its manifest asks for it: what it said last that it wants back. */
  readonly snapshot: (() => unknown) | undefined;
  /** The same: starts it again, and gives it what it wants back. */
  readonly restore: ((kernel: Kernel, state: unknown) => Promise<void>) | undefined;
  /** What it counts. */
  readonly counters: UntrustedCounters = {
    batches: 0,
    dropped: 0,
    over_rate: 0,
    refused: 0,
    undelivered: 0,
  };
  readonly #parts: UntrustedParts;
  readonly #queue = new RecordQueue();
  readonly #sockets = new Map<number, UntrustedSockets>();
  readonly #ports = new Map<number, UdpPort>();
  readonly #news: InterfaceNews | undefined;
  readonly #fields: Required<RecordFields>;
  #waiting: (() => void)[] = [];
  #host: UntrustedHost | undefined = undefined;
  #kernel: Kernel | undefined = undefined;
  #thread: Thread | undefined = undefined;
  #answers: Answers | undefined = undefined;
  #record: AnsweredRecord | undefined = undefined;
  #timer: KernelTimer | undefined = undefined;
  #state: Uint8Array | undefined = undefined;
  #error: UntrustedFault | undefined = undefined;
  /** The Worker has something to do. */
  #busy = false;
  #loaded = false;
  #over = false;
  /** It is being unloaded, and gets nothing new. */
  #leaving = false;

  /** Nothing runs before it is loaded. */
  constructor(parts: UntrustedParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.#news = parts.manifest.interfaces ? new InterfaceNews(this.#queue) : undefined;
    this.rows = parts.manifest.protocols.map((number) => this.#row(number));
    const { state } = parts.manifest;
    this.snapshot = state ? () => this.#save() : undefined;
    this.restore = state ? (kernel, saved) => this.#restore(kernel, saved) : undefined;
    this.#fields = {
      index: 0,
      key: 0,
      source: 0,
      destination: 0,
      source_port: 0,
      destination_port: 0,
      flags: 0,
      ttl: 0,
      tos: 0,
    };
  }

  /** Tells it who is to hear of failures; before it is loaded. */
  bind(host: UntrustedHost): void {
    this.#host = host;
  }

  /** Starts it; it is loaded when it has answered to its configuration. */
  async load(kernel: Kernel): Promise<void> {
    await this.#begin(kernel, undefined);
  }

  /** Lets it say good-bye unless it is busy, ends its Worker, and gives back what it had. */
  async unload(): Promise<void> {
    const gives = this.#loaded && this.#error === undefined;
    this.#loaded = false;
    try {
      this.#timer?.cancel();
      this.#timer = undefined;
      if (!gives) return;
      if (!this.#busy && this.#queue.empty) {
        this.#tell(RecordKind.STOP, EMPTY);
        this.#pump();
        this.#leaving = true;
        await this.settled();
      }
      this.#stop();
      for (const type of this.#parts.manifest.ethertypes) this.#kernel?.delInputType(type);
      for (const port of this.#ports.values()) port.close();
    } finally {
      // a stack that has stopped answers nothing more, and the Worker is ended all the same
      this.#stop();
      await this.#thread?.end();
    }
  }

  /** Resolves when nothing waits for it and it has answered everything, or when it has ended. */
  settled(): Promise<void> {
    if (this.#over || !this.#busy && this.#queue.empty) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #restore(kernel: Kernel, state: unknown): Promise<void> {
    this.#state = Array.isArray(state) ? Uint8Array.from(state) : EMPTY;
    await this.#begin(kernel, this.#state);
  }

  #row(protocol: number): ProtoRow {
    const { sockets } = this.#parts.manifest;
    const own = new UntrustedSockets(protocol, this.#queue, {
      pump: () => this.#pump(),
      leaving: () => this.#leaving,
    });
    if (sockets) this.#sockets.set(protocol, own);
    return {
      type: sockets ? SockType.DGRAM : 0,
      protocol,
      flags: sockets ? Pr.ATOMIC | Pr.ADDR : 0,
      ...(sockets ? { usrreq: own.usrreq } : {}),
      input: (packets) => this.#input(RecordKind.PACKET, protocol, packets),
      ctlinput: (command, quote) => quote && this.#control(protocol, command, quote),
    };
  }

  async #begin(kernel: Kernel, state: Uint8Array | undefined): Promise<void> {
    const { wasm, manifest, config, slice_ms, memory_bytes, report } = this.#parts;
    this.#kernel = kernel;
    const { counters } = this;
    this.#answers = new Answers({
      kernel,
      manifest,
      sockets: this.#sockets,
      ports: this.#ports,
      counters,
      report: (bytes) => report?.(bytes),
      keep: (bytes) => void (this.#state = bytes),
    });
    if (!this.#tell(RecordKind.START, config)) {
      const words = `${this.name}: a configuration of ${config.length} bytes is too long`;
      throw new SocketError(Errno.EINVAL, "protocols.load", words);
    }
    if (state !== undefined) this.#tell(RecordKind.RESTORE, state);
    this.#news?.tell(kernel);
    for (const type of manifest.ethertypes) {
      kernel.addInputType(type, (frames) => this.#input(RecordKind.FRAME, type, frames));
    }
    for (const port of manifest.ports) {
      const take = (packets: readonly Packet[]) => this.#input(RecordKind.DATAGRAM, port, packets);
      this.#ports.set(port, kernel.addUdpPort(port, take));
    }
    this.#busy = true;
    this.#thread = new Thread(wasm, { memory_bytes, slice_ms }, {
      answered: (length) => this.#answered(length),
      failed: (kind, words) => this.#fail(new UntrustedFault(kind, words)),
    });
    this.#record = new AnsweredRecord(this.#thread.output);
    await this.settled();
    if (this.#error !== undefined) {
      await this.#thread.end();
      throw this.#error;
    }
    this.#loaded = true;
    this.#arm();
  }

  /** Packets of a kind, copied into the queue. */
  #input(kind: RecordKind, key: number, packets: readonly Packet[]): void {
    const queue = this.#queue;
    const fields = this.#fields;
    for (const packet of packets) {
      const { length } = packet;
      const isFrame = kind === RecordKind.FRAME;
      fields.key = key;
      fields.index = packet.interface;
      fields.source = isFrame ? 0 : packet.source;
      fields.destination = isFrame ? 0 : packet.destination;
      fields.source_port = kind === RecordKind.DATAGRAM ? packet.sourcePort : 0;
      fields.ttl = isFrame ? 0 : packet.ttl;
      fields.tos = isFrame ? 0 : packet.tos;
      const at = this.#over || this.#leaving ? -1 : queue.add(kind, length, fields);
      if (at < 0) {
        this.counters.dropped++;
        continue;
      }
      packet.copyTo(queue.data(at, length));
      // what lies in front of a packet of a medium without link headers is nobody's business
      if (isFrame && this.#kernel?.isEthernet(packet.interface)) {
        queue.setHwaddr(at, packet.sourceHwaddr);
      }
    }
    this.#pump();
  }

  #control(protocol: number, command: number, quote: ControlQuote): void {
    this.#tell(RecordKind.CONTROL, EMPTY, {
      key: protocol,
      index: command,
      source: parseIpv4(quote.local.address) ?? 0,
      source_port: quote.local.port,
      destination: parseIpv4(quote.peer.address) ?? 0,
      destination_port: quote.peer.port,
      flags: quote.mtu,
    });
    this.#pump();
  }

  /** Sets the timer of the next tick. */
  #arm(): void {
    const { tick_ms } = this.#parts.manifest;
    if (tick_ms === 0 || this.#over) return;
    const kernel = this.#kernel!;
    this.#timer = kernel.after(tick_ms * US_PER_MS, () => {
      this.#news?.tell(kernel);
      this.#tell(RecordKind.TICK, EMPTY);
      this.#arm();
      this.#pump();
    });
  }

  /** Queues a record; false if there is no room. */
  #tell(kind: RecordKind, data: Uint8Array, fields: RecordFields = {}): boolean {
    const at = this.#over ? -1 : this.#queue.add(kind, data.length, fields);
    if (at < 0) {
      this.counters.dropped++;
      return false;
    }
    this.#queue.data(at, data.length).set(data);
    return true;
  }

  /** Hands over what waits, if it is idle. */
  #pump(): void {
    if (this.#thread === undefined || this.#busy || this.#over || this.#queue.empty) return;
    this.#busy = true;
    this.counters.batches++;
    this.#thread.run(this.#queue.moveTo(this.#thread.input), this.#kernel!.now_us());
  }

  #answered(length: number): void {
    this.#busy = false;
    try {
      this.#answers!.carryOut(this.#record!, length);
    } catch (error) {
      return this.#fail(error);
    }
    this.#host?.wake();
    this.#pump();
    if (!this.#busy) this.#release();
  }

  /** It is ended, and unloaded as soon as its sockets are closed. */
  #fail(error: unknown): void {
    if (this.#over) return;
    const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#error = error instanceof UntrustedFault ? error : new UntrustedFault("report", words);
    this.#stop();
    // a stack that has ended says so itself
    if (this.#loaded && !(error instanceof EnginePanic)) this.#host?.fault("handle", this.#error);
  }

  #stop(): void {
    this.#over = true;
    this.#busy = false;
    this.#queue.clear();
    void this.#thread?.end();
    this.#release();
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #save(): unknown {
    const open = [...this.#sockets.values()].reduce((sum, it) => sum + it.open, 0);
    if (open > 0) {
      const words = `protocol ${this.name} cannot be part of a snapshot: it has open sockets`;
      throw new SocketError(Errno.EOPNOTSUPP, "snapshot", words);
    }
    return [...this.#state ?? EMPTY];
  }
}
