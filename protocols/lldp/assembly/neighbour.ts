/** Who was heard, and until when that is good (IEEE 802.1AB-2016 9.2.7.7). */
import { Record } from "../../../assembly/untrusted/record";
import { at, dataOf, Neighbour, NEIGHBOURS } from "./neighbour_t";
import * as parse from "./parse";
import { PARSED } from "./parse";
import * as port from "./port";
import * as port_t from "./port_t";
import * as report from "./report";
import { Report } from "./report";
import { STATS } from "./stats";

const US_PER_S: f64 = 1e6;

/** A frame has come. */
export function heard(r: Record, now_us: f64): void {
  const on = port_t.find(r.index);
  if (!on || r.index == 0) return;
  STATS.frames_in += 1;
  if (!parse.read(r.data, r.length)) {
    STATS.frames_discarded += 1;
    return;
  }
  const known = find(r.index);
  if (PARSED.ttl == 0) { // it says good-bye
    if (known) remove(known);
    return;
  }
  if (known) update(known, r, now_us);
  else add(r, on, now_us);
}

/** Times pass: what was not said again in time is forgotten (rxInfoAge). */
export function age(now_us: f64): void {
  for (let i: u32 = 0; i < NEIGHBOURS; i++) {
    const neighbour = at(i);
    if (neighbour.index == 0 || now_us < neighbour.expires_us) continue;
    STATS.ageouts += 1;
    remove(neighbour);
  }
}

/** An interface is gone. */
export function forget(index: u32): void {
  for (let i: u32 = 0; i < NEIGHBOURS; i++) {
    if (index != 0 && at(i).index == index) remove(at(i));
  }
}

/** Who has just been read; null if it was not heard before on this interface. */
function find(index: u32): Neighbour | null {
  for (let i: u32 = 0; i < NEIGHBOURS; i++) {
    const it = at(i);
    if (it.index != index || it.key_length != PARSED.key_length) continue;
    if (memory.compare(dataOf(it), PARSED.data, it.key_length) == 0) return it;
  }
  return null;
}

function update(neighbour: Neighbour, r: Record, now_us: f64): void {
  const same = neighbour.length == PARSED.length &&
    memory.compare(dataOf(neighbour), PARSED.data, PARSED.length) == 0;
  set(neighbour, r, now_us);
  if (!same) report.neighbour(Report.CHANGED, neighbour);
}

function add(r: Record, on: port_t.Port, now_us: f64): void {
  for (let i: u32 = 0; i < NEIGHBOURS; i++) {
    if (at(i).index != 0) continue;
    set(at(i), r, now_us);
    report.neighbour(Report.NEW, at(i));
    port.hurry(on);
    return;
  }
  STATS.too_many += 1; // tooManyNeighbors: those that were there first stay
}

function set(neighbour: Neighbour, r: Record, now_us: f64): void {
  neighbour.index = r.index;
  neighbour.hwaddr_hi = r.hwaddr_hi;
  neighbour.hwaddr_lo = r.hwaddr_lo;
  neighbour.ttl = PARSED.ttl;
  neighbour.expires_us = now_us + f64(PARSED.ttl) * US_PER_S;
  neighbour.length = PARSED.length;
  neighbour.key_length = PARSED.key_length;
  memory.copy(dataOf(neighbour), PARSED.data, PARSED.length);
}

function remove(neighbour: Neighbour): void {
  report.neighbour(Report.GONE, neighbour);
  memory.fill(changetype<usize>(neighbour), 0, offsetof<Neighbour>());
}
