/**
 * Records for untrusted protocols in AssemblyScript: what the stack has put in, and what goes out.
 * A module exports `input` and `output` of this file and a `handle` of its own:
 *
 * ```ts ignore
 * export { input, output } from "godwit/untrusted/record";
 *
 * export function handle(length: u32, now_us: f64): i32 {
 *   record.begin();
 *   for (let at = record.first(); at < record.first() + length; at = record.next(at)) {
 *     // changetype<Record>(at)
 *   }
 *   return record.answer();
 * }
 * ```
 */
import { RecordAt, RecordKind, UntrustedLimit } from "../abi/untrusted";

/** The head of a record; see abi/untrusted.ts for what its fields mean. */
@unmanaged
@final
export class Record {
  bytes: u32; // of the whole record
  length: u32; // of the data
  index: u32;
  source: u32;
  destination: u32;
  hwaddr_hi: u32; // the first four bytes, as they lie in memory
  hwaddr_lo: u16; // the last two
  kind: u16; // RecordKind
  key: u16;
  source_port: u16;
  destination_port: u16;
  flags: u16; // RecordFlag
  ttl: u8;
  tos: u8;
  pad: u16;

  /** Where the data begins. */
  @inline
  get data(): usize {
    return changetype<usize>(this) + RecordAt.DATA;
  }
}

/** Where the next record that goes out is written. */
@unmanaged
@final
export class RecordState {
  end: usize;
}

const INPUT: usize = memory.data(UntrustedLimit.BUFFER_BYTES, 16);
const OUTPUT: usize = memory.data(UntrustedLimit.BUFFER_BYTES, 16);
const S: RecordState = changetype<RecordState>(memory.data(offsetof<RecordState>(), 16));

/** Where the stack writes records; to be exported. */
export function input(): usize {
  return INPUT;
}

/** Where it finds the answers; to be exported. */
export function output(): usize {
  return OUTPUT;
}

/** The first record of a batch. */
export function first(): usize {
  return INPUT;
}

/** The one behind it. */
export function next(at: usize): usize {
  return at + changetype<Record>(at).bytes;
}

/** Begins with the answers. */
export function begin(): void {
  S.end = OUTPUT;
}

/** Adds a record with `length` bytes of data, all zero; null if there is no room. */
export function add(kind: RecordKind, length: u32): Record | null {
  const bytes = (u32(RecordAt.DATA) + length + 3) & ~3;
  const at = S.end;
  if (length > u32(UntrustedLimit.BUFFER_BYTES)) return null;
  if (at + bytes > OUTPUT + UntrustedLimit.BUFFER_BYTES) return null;
  memory.fill(at, 0, bytes);
  const r = changetype<Record>(at);
  r.bytes = bytes;
  r.length = length;
  r.kind = u16(kind);
  S.end = at + bytes;
  return r;
}

/** Takes bytes off the data of the record that was added last. */
export function shorten(r: Record, length: u32): void {
  r.length = length;
  r.bytes = (u32(RecordAt.DATA) + length + 3) & ~3;
  S.end = changetype<usize>(r) + r.bytes;
}

/** Length of all answers: what `handle` answers. */
export function answer(): i32 {
  return i32(S.end - OUTPUT);
}
