/**
 * Values as bytes: what options and requests take and give. Whoever reads them trusts nobody.
 *
 * @module
 */

/** What can be written: numbers, texts, bytes, and lists and records of those. */
export type Value =
  | undefined
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value };

const enum Tag {
  UNDEFINED = 0,
  FALSE = 1,
  TRUE = 2,
  NUMBER = 3,
  TEXT = 4,
  BYTES = 5,
  LIST = 6,
  RECORD = 7,
}

/** How deep lists and records may lie in each other. */
const DEPTH_MAX = 4;
/** Entries of a list or record. */
const ENTRIES_MAX = 255;

/** Bytes are no value, or a value has no room. */
export class CodecError extends Error {
  /** The kind of error. */
  override name = "CodecError";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

class Writer {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  put(value: Value, depth: number): void {
    if (value === undefined) return this.#byte(Tag.UNDEFINED);
    if (typeof value === "boolean") return this.#byte(value ? Tag.TRUE : Tag.FALSE);
    if (typeof value === "number") {
      this.#byte(Tag.NUMBER);
      this.#view.setFloat64(this.#take(8), value, true);
      return;
    }
    if (typeof value === "string") return this.#block(Tag.TEXT, encoder.encode(value));
    if (value instanceof Uint8Array) return this.#block(Tag.BYTES, value);
    if (typeof value !== "object" || value === null) throw new CodecError("not a value");
    if (depth === DEPTH_MAX) throw new CodecError("lists lie too deep in each other");
    if (Array.isArray(value)) {
      this.#byte(Tag.LIST);
      this.#byte(count(value.length));
      for (const entry of value) this.put(entry, depth + 1);
      return;
    }
    const entries = Object.entries(value);
    this.#byte(Tag.RECORD);
    this.#byte(count(entries.length));
    for (const [key, entry] of entries) {
      this.#block(Tag.TEXT, encoder.encode(key));
      this.put(entry, depth + 1);
    }
  }

  #block(tag: Tag, bytes: Uint8Array): void {
    this.#byte(tag);
    this.#view.setUint32(this.#take(4), bytes.length, true);
    this.#bytes.set(bytes, this.#take(bytes.length));
  }

  #byte(value: number): void {
    this.#bytes[this.#take(1)] = value;
  }

  #take(length: number): number {
    const at = this.at;
    if (at + length > this.#bytes.length) throw new CodecError("the value has no room");
    this.at += length;
    return at;
  }
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get(depth: number): Value {
    const tag = this.#bytes[this.#take(1)];
    if (tag === Tag.UNDEFINED) return undefined;
    if (tag === Tag.FALSE || tag === Tag.TRUE) return tag === Tag.TRUE;
    if (tag === Tag.NUMBER) return this.#view.getFloat64(this.#take(8), true);
    if (tag === Tag.TEXT) return decoder.decode(this.#block());
    if (tag === Tag.BYTES) return this.#block().slice();
    if (depth === DEPTH_MAX) throw new CodecError("lists lie too deep in each other");
    if (tag !== Tag.LIST && tag !== Tag.RECORD) throw new CodecError("no such kind of value");
    const length = this.#bytes[this.#take(1)];
    if (tag === Tag.LIST) {
      const list: Value[] = [];
      for (let i = 0; i < length; i++) list.push(this.get(depth + 1));
      return list;
    }
    // Without a prototype, no name in it means more than any other.
    const record: Record<string, Value> = Object.create(null);
    for (let i = 0; i < length; i++) {
      if (this.#bytes[this.#take(1)] !== Tag.TEXT) throw new CodecError("a name is no text");
      const key = decoder.decode(this.#block());
      record[key] = this.get(depth + 1);
    }
    return record;
  }

  #block(): Uint8Array<ArrayBuffer> {
    const length = this.#view.getUint32(this.#take(4), true);
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  #take(length: number): number {
    const at = this.at;
    if (at + length > this.#bytes.length) throw new CodecError("the value is cut short");
    this.at += length;
    return at;
  }
}

function count(length: number): number {
  if (length > ENTRIES_MAX) throw new CodecError(`more than ${ENTRIES_MAX} entries`);
  return length;
}

/** Writes a value to the beginning of `bytes`; answers its length. Throws `CodecError`. */
export function encode(value: Value, bytes: Uint8Array): number {
  const writer = new Writer(bytes);
  writer.put(value, 0);
  return writer.at;
}

/** Reads the value that `bytes` are; they may be shared with another thread. `CodecError`. */
export function decode(bytes: Uint8Array): Value {
  // Copied first: nobody can then change a length between its check and its use.
  const reader = new Reader(Uint8Array.from(bytes));
  return reader.get(0);
}
