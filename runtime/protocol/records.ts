/**
 * Records for untrusted protocols, as they lie in memory: the queue of those that wait, and the
 * view of those that were answered. assembly/abi/untrusted.ts says what their fields mean.
 *
 * @module
 */

import { RecordAt, RecordKind, UntrustedLimit } from "../../assembly/abi/untrusted.ts";

/** Fields of a record that need not be 0. */
export interface RecordFields {
  index?: number;
  key?: number;
  source?: number;
  destination?: number;
  source_port?: number;
  destination_port?: number;
  flags?: number;
  ttl?: number;
  tos?: number;
}

/** Bytes of a record with so much data. */
export function recordBytes(length: number): number {
  return (RecordAt.DATA + length + 3) & ~3;
}

/** Records that wait until the module is idle: bounded, the last ones are refused. */
export class RecordQueue {
  readonly #bytes = new Uint8Array(UntrustedLimit.QUEUE_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  #head = 0;
  #tail = 0;

  /** True if none waits. */
  get empty(): boolean {
    return this.#head === this.#tail;
  }

  /**
   * Adds a record with so much data, which the caller writes; answers the place of the data, or -1
   * if there is no room.
   */
  add(kind: RecordKind, length: number, fields: RecordFields): number {
    const bytes = recordBytes(length);
    if (bytes > UntrustedLimit.BUFFER_BYTES) return -1;
    if (this.#tail + bytes > this.#bytes.length) this.#compact();
    if (this.#tail + bytes > this.#bytes.length) return -1;
    const at = this.#tail;
    this.#tail += bytes;
    const view = this.#view;
    this.#bytes.fill(0, at, at + RecordAt.DATA);
    view.setUint32(at + RecordAt.BYTES, bytes, true);
    view.setUint32(at + RecordAt.LENGTH, length, true);
    view.setUint32(at + RecordAt.INDEX, fields.index ?? 0, true);
    view.setUint32(at + RecordAt.SOURCE, fields.source ?? 0, true);
    view.setUint32(at + RecordAt.DESTINATION, fields.destination ?? 0, true);
    view.setUint16(at + RecordAt.KIND, kind, true);
    view.setUint16(at + RecordAt.KEY, fields.key ?? 0, true);
    view.setUint16(at + RecordAt.SOURCE_PORT, fields.source_port ?? 0, true);
    view.setUint16(at + RecordAt.DESTINATION_PORT, fields.destination_port ?? 0, true);
    view.setUint16(at + RecordAt.FLAGS, fields.flags ?? 0, true);
    view.setUint8(at + RecordAt.TTL, fields.ttl ?? 0);
    view.setUint8(at + RecordAt.TOS, fields.tos ?? 0);
    this.#bytes.fill(0, at + RecordAt.DATA + length, this.#tail);
    return at + RecordAt.DATA;
  }

  /** The data of the record that was added last, by what `add` answered. */
  data(at: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(at, at + length);
  }

  /** Sets the hardware address of the record that was added last, by what `add` answered. */
  setHwaddr(at: number, hwaddr: Uint8Array): void {
    this.#bytes.set(hwaddr.subarray(0, 6), at - RecordAt.DATA + RecordAt.HWADDR);
  }

  /** Moves whole records to the beginning of `target`; answers how many bytes. */
  moveTo(target: Uint8Array): number {
    let end = this.#head;
    for (let n = 0; n < UntrustedLimit.BATCH && end < this.#tail; n++) {
      const bytes = this.#view.getUint32(end + RecordAt.BYTES, true);
      if (end + bytes - this.#head > target.length) break;
      end += bytes;
    }
    const length = end - this.#head;
    target.set(this.#bytes.subarray(this.#head, end));
    this.#head = end;
    if (this.empty) this.clear();
    return length;
  }

  /** Drops all. */
  clear(): void {
    this.#head = this.#tail = 0;
  }

  #compact(): void {
    this.#bytes.copyWithin(0, this.#head, this.#tail);
    this.#tail -= this.#head;
    this.#head = 0;
  }
}

/** One of the records that a module has answered with; it can be moved on to the next. */
export class AnsweredRecord {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  /** Over the place where the answers lie. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /**
   * What is wrong with the `length` bytes of answers as a whole; undefined if they are records from
   * end to end, of kinds that there are.
   */
  fault(length: number): string | undefined {
    if (length > this.#bytes.length) return `it answered ${length} bytes`;
    let count = 0;
    for (this.#at = 0; this.#at < length; this.#at += this.bytes) {
      if (length - this.#at < RecordAt.DATA) return `record ${count} is cut short`;
      const { bytes } = this;
      if (bytes > length - this.#at || bytes !== recordBytes(this.length)) {
        return `record ${count} of ${bytes} bytes has ${this.length} bytes of data`;
      }
      if (this.kind < RecordKind.SEND_PACKET || this.kind > RecordKind.STATE) {
        return `record ${count} is of kind ${this.kind}, which there is not`;
      }
      if (++count > UntrustedLimit.ANSWERS) {
        return `it answered more than ${UntrustedLimit.ANSWERS} records`;
      }
    }
  }

  /** Stands for the first record; false if there is none in `length` bytes. */
  first(length: number): boolean {
    this.#at = 0;
    return length > 0;
  }

  /** Stands for the next one; false if there is none in `length` bytes. */
  next(length: number): boolean {
    this.#at += this.bytes;
    return this.#at < length;
  }

  /** Length of the record. */
  get bytes(): number {
    return this.#u32(RecordAt.BYTES);
  }

  /** Bytes of its data. */
  get length(): number {
    return this.#u32(RecordAt.LENGTH);
  }

  /** Its kind. */
  get kind(): RecordKind {
    return this.#u16(RecordAt.KIND);
  }

  /** Protocol number, ethertype or port. */
  get key(): number {
    return this.#u16(RecordAt.KEY);
  }

  /** Index of an interface, or an error. */
  get index(): number {
    return this.#u32(RecordAt.INDEX);
  }

  /** Address of the sender. */
  get source(): number {
    return this.#u32(RecordAt.SOURCE);
  }

  /** Address of the receiver. */
  get destination(): number {
    return this.#u32(RecordAt.DESTINATION);
  }

  /** Port of the sender. */
  get source_port(): number {
    return this.#u16(RecordAt.SOURCE_PORT);
  }

  /** Port of the receiver. */
  get destination_port(): number {
    return this.#u16(RecordAt.DESTINATION_PORT);
  }

  /** `RecordFlag` bits. */
  get flags(): number {
    return this.#u16(RecordAt.FLAGS);
  }

  /** Time to live. */
  get ttl(): number {
    return this.#bytes[this.#at + RecordAt.TTL];
  }

  /** Type of service. */
  get tos(): number {
    return this.#bytes[this.#at + RecordAt.TOS];
  }

  /** Hardware address: a view. */
  get hwaddr(): Uint8Array {
    const at = this.#at + RecordAt.HWADDR;
    return this.#bytes.subarray(at, at + 6);
  }

  /** Its data: a view. */
  get data(): Uint8Array {
    const at = this.#at + RecordAt.DATA;
    return this.#bytes.subarray(at, at + this.length);
  }

  #u32(field: number): number {
    return this.#view.getUint32(this.#at + field, true);
  }

  #u16(field: number): number {
    return this.#view.getUint16(this.#at + field, true);
  }
}
