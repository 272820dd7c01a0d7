/**
 * What an untrusted protocol has answered is carried out here, as far as its manifest allows. A
 * record that it may not send at all is a breach, and ends it; what only fails is counted.
 *
 * @module
 */

import { RecordFlag, RecordKind } from "../../assembly/abi/untrusted.ts";
import { SocketError } from "../errors.ts";
import { formatIpv4 } from "../socket/inet_addr.ts";
import type { KernelInterface } from "./interfaces.ts";
import type { Kernel } from "./kernel.ts";
import type { Manifest } from "./manifest.ts";
import type { Packet } from "./packet.ts";
import type { AnsweredRecord } from "./records.ts";
import type { UdpPort } from "./udp_port.ts";
import type { UntrustedSockets } from "./untrusted_sockets.ts";

const ETHER_BYTES = 14;
const HWADDR_BYTES = 6;
/** Last error number that there can be. */
const ERRNO_MAX = 255;

/** What an untrusted protocol counts. */
export interface UntrustedCounters {
  /** Times it was called. */
  batches: number;
  /** Packets and ticks that found its queue full. */
  dropped: number;
  /** Packets that it sent beyond its rate. */
  over_rate: number;
  /** Packets that it sent and that could not leave: no route, no such interface, no room. */
  refused: number;
  /** Messages for a port that no socket has, or whose socket is full. */
  undelivered: number;
}

/** Why an untrusted protocol was ended: `name` is Overrun, Trap or Breach. */
export class UntrustedFault extends Error {
  /** With a kind and words. */
  constructor(kind: string, words: string) {
    super(words);
    this.name = kind;
  }
}

function breach(words: string): UntrustedFault {
  return new UntrustedFault("Breach", words);
}

/** What the answers work on. */
export interface AnswersHost {
  readonly kernel: Kernel;
  readonly manifest: Manifest;
  readonly sockets: ReadonlyMap<number, UntrustedSockets>;
  readonly ports: ReadonlyMap<number, UdpPort>;
  readonly counters: UntrustedCounters;
  /** Takes what is meant for the program. */
  report(bytes: Uint8Array<ArrayBuffer>): void;
  /** Keeps what it wants back after a snapshot. */
  keep(state: Uint8Array<ArrayBuffer>): void;
}

/** Carries out answers. */
export class Answers {
  readonly #host: AnswersHost;
  readonly #packet: Packet;
  readonly #header = new Uint8Array(ETHER_BYTES);
  /** Packets that it may send just now. */
  #allowed: number;
  #counted_us: number;
  /** As they are while one batch is carried out. */
  #interfaces: KernelInterface[] | undefined = undefined;

  /** For one module. */
  constructor(host: AnswersHost) {
    this.#host = host;
    this.#packet = host.kernel.blank();
    this.#allowed = host.manifest.sends_per_s;
    this.#counted_us = host.kernel.now_us();
  }

  /** Carries out the records in `length` bytes; throws an {@link UntrustedFault} for a breach. */
  carryOut(record: AnsweredRecord, length: number): void {
    const fault = record.fault(length);
    if (fault !== undefined) throw breach(fault);
    this.#interfaces = undefined;
    this.#refill();
    for (let more = record.first(length); more; more = record.next(length)) this.#one(record);
  }

  #one(record: AnsweredRecord): void {
    switch (record.kind) {
      case RecordKind.SEND_PACKET:
        return this.#sendPacket(record);
      case RecordKind.SEND_FRAME:
        return this.#sendFrame(record);
      case RecordKind.SEND_DATAGRAM:
        return this.#sendDatagram(record);
      case RecordKind.DELIVER:
        return this.#deliver(record);
      case RecordKind.ERROR: {
        const { index } = record;
        if (index === 0 || index > ERRNO_MAX) throw breach(`${index} is no error number`);
        return this.#socketsOf(record).byPort(record.destination_port)?.error(index);
      }
      case RecordKind.REPORT:
        return this.#host.report(record.data.slice());
      case RecordKind.STATE:
        if (!this.#host.manifest.state) throw breach("its manifest asks for no state");
        return this.#host.keep(record.data.slice());
    }
  }

  #sendPacket(record: AnsweredRecord): void {
    const { kernel, manifest } = this.#host;
    const { key, source, index } = record;
    if (!manifest.protocols.includes(key)) throw breach(`it sent a packet of protocol ${key}`);
    const ours = source === 0 ||
      this.#list().some(({ addresses }) => addresses.includes(source));
    if (!ours) throw breach(`it sent a packet from ${formatIpv4(source)}, which is not ours`);
    if (!this.#mayISend() || !this.#fill(record, 0)) return;
    const result = kernel.trySendIp(this.#packet, {
      destination: record.destination,
      source,
      protocol: key,
      ...(record.ttl === 0 ? {} : { ttl: record.ttl }),
      tos: record.tos,
      df: (record.flags & RecordFlag.DF) !== 0,
      interface: index,
    });
    if (result < 0) this.#host.counters.refused++;
  }

  #sendFrame(record: AnsweredRecord): void {
    const { kernel, manifest, counters } = this.#host;
    const { key, index, length } = record;
    if (!manifest.ethertypes.includes(key)) {
      throw breach(`it sent a frame of type 0x${key.toString(16)}`);
    }
    const found = this.#list().find((it) => it.index === index);
    if (found === undefined || !found.up || !found.ethernet || length > found.mtu) {
      counters.refused++;
      return;
    }
    if (!this.#mayISend() || !this.#fill(record, ETHER_BYTES)) return;
    const header = this.#header;
    header.set(record.hwaddr);
    header.set(found.hwaddr, HWADDR_BYTES); // it cannot speak for another station
    header[2 * HWADDR_BYTES] = key >> 8;
    header[2 * HWADDR_BYTES + 1] = key & 0xff;
    this.#packet.write(header);
    this.#try(() => kernel.sendFrame(this.#packet, index));
  }

  #sendDatagram(record: AnsweredRecord): void {
    const port = this.#host.ports.get(record.key);
    if (port === undefined) throw breach(`it sent a datagram from port ${record.key}`);
    if (!this.#mayISend() || !this.#fill(record, 0)) return;
    const to = { address: formatIpv4(record.destination), port: record.destination_port };
    this.#try(() => port.send(this.#packet, to));
  }

  #deliver(record: AnsweredRecord): void {
    const { source, source_port } = record;
    const { counters } = this.#host;
    const so = this.#socketsOf(record)
      .find(record.destination_port, record.destination, source, source_port);
    if (so === undefined) counters.undelivered++;
    else if (this.#fill(record, 0) && !so.deliverFrom(this.#packet, source, source_port)) {
      counters.undelivered++;
      this.#packet.free();
    }
  }

  #socketsOf({ key }: AnsweredRecord): UntrustedSockets {
    const sockets = this.#host.sockets.get(key);
    if (sockets === undefined) throw breach(`there are no sockets of protocol ${key}`);
    return sockets;
  }

  /** Makes the packet of the data of a record, behind `room` bytes. */
  #fill(record: AnsweredRecord, room: number): boolean {
    if (!this.#packet.make(room + record.length)) {
      this.#host.counters.refused++;
      return false;
    }
    this.#packet.write(record.data, room);
    return true;
  }

  /** Sends; what the network refuses is counted. */
  #try(send: () => void): void {
    try {
      send();
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.#packet.free();
      this.#host.counters.refused++;
    }
  }

  /** Takes one of the packets that it may send. */
  #mayISend(): boolean {
    if (this.#allowed >= 1) {
      this.#allowed--;
      return true;
    }
    this.#host.counters.over_rate++;
    return false;
  }

  /** What it did not send in a second is lost. */
  #refill(): void {
    const now_us = this.#host.kernel.now_us();
    const { sends_per_s } = this.#host.manifest;
    const more = (now_us - this.#counted_us) * sends_per_s / 1e6;
    this.#allowed = Math.min(sends_per_s, this.#allowed + more);
    this.#counted_us = now_us;
  }

  #list(): KernelInterface[] {
    return this.#interfaces ??= this.#host.kernel.interfaces();
  }
}
