/** What the program is told; protocols/lldp/reports.ts reads it. */
import { RecordKind } from "../../../assembly/abi/untrusted";
import * as record from "../../../assembly/untrusted/record";
import { dataOf, Neighbour } from "./neighbour_t";
import * as port_t from "./port_t";
import { STATS, Stats } from "./stats";

/** First byte of a report. */
export const enum Report {
  NEW = 1,
  CHANGED = 2,
  GONE = 3,
  STATS = 4,
}

/** Bytes in front of the name of the interface. */
const HEAD: u32 = 16;

const TOLD: usize = memory.data(offsetof<Stats>(), 8);

/** Says that a neighbour is new, has changed or is gone. */
export function neighbour(kind: Report, it: Neighbour): void {
  const on = port_t.find(it.index);
  const name_length = on ? on.name_length : 0;
  const out = record.add(RecordKind.REPORT, HEAD + name_length + it.length);
  if (!out) return;
  const data = out.data;
  store<u8>(data, u8(kind));
  store<u8>(data, u8(name_length), 1);
  store<u16>(data, u16(it.ttl), 2);
  store<u32>(data, it.index, 4);
  store<u32>(data, it.hwaddr_hi, 8);
  store<u16>(data, u16(it.hwaddr_lo), 12);
  if (on) memory.copy(data + HEAD, on.name, name_length);
  memory.copy(data + HEAD + name_length, dataOf(it), it.length);
}

/** Tells the counters if they have changed. */
export function stats(): void {
  const from = changetype<usize>(STATS);
  if (memory.compare(from, TOLD, offsetof<Stats>()) == 0) return;
  const out = record.add(RecordKind.REPORT, 4 + u32(offsetof<Stats>()));
  if (!out) return;
  store<u8>(out.data, Report.STATS);
  memory.copy(out.data + 4, from, offsetof<Stats>());
  memory.copy(TOLD, from, offsetof<Stats>());
}
