/**
 * Protocol NAME: datagrams with ports, over IP protocol number 253, which RFC 3692 keeps for
 * experiments. The header is four bytes: the port it goes to, and the port it comes from.
 *
 * This is AssemblyScript. The module has a memory of its own and imports nothing: batches of
 * records come in, records go out, and that is all that it can do. A failed assertion or any other
 * trap ends it; the stack lives on.
 */
import { RecordKind } from "godwit/abi/untrusted";
import * as record from "godwit/untrusted/record";
import { Record } from "godwit/untrusted/record";

export { input, output } from "godwit/untrusted/record";

const HEADER: u32 = 4;

/** Called with `length` bytes of records at input(); answers how many bytes are at output(). */
export function handle(length: u32, _now_us: f64): i32 {
  record.begin();
  const end = record.first() + length;
  for (let at = record.first(); at < end; at = record.next(at)) {
    const r = changetype<Record>(at);
    if (r.kind == RecordKind.SEND) send(r);
    else if (r.kind == RecordKind.PACKET) receive(r);
  }
  return record.answer();
}

/** A program has sent a message by a socket: it goes out with a header in front. */
function send(r: Record): void {
  const out = record.add(RecordKind.SEND_PACKET, HEADER + r.length);
  if (!out) return;
  out.key = r.key;
  out.source = r.source;
  out.destination = r.destination;
  store<u16>(out.data, bswap(r.destination_port));
  store<u16>(out.data, bswap(r.source_port), 2);
  memory.copy(out.data + HEADER, r.data, r.length);
}

/** A packet has come: its message is for the socket that has the port. */
function receive(r: Record): void {
  if (r.length < HEADER) return;
  const out = record.add(RecordKind.DELIVER, r.length - HEADER);
  if (!out) return;
  out.key = r.key;
  out.source = r.source;
  out.destination = r.destination;
  out.destination_port = bswap(load<u16>(r.data));
  out.source_port = bswap(load<u16>(r.data, 2));
  memory.copy(out.data, r.data + HEADER, r.length - HEADER);
}
