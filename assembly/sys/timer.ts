/**
 * Timers: a hierarchical wheel with a resolution of one microsecond that spans all of i64.
 *
 * ```
 *   level 0: 64 slots of 1 us      a timer stands at the level of the highest 6-bit digit in
 *   level 1: 64 slots of 64 us     which its deadline differs from `base`, in the slot of that
 *   ...                            digit; when `base` reaches the slot's start, its timers move
 *   level 10: 16 slots of 2^60 us  down or fire
 * ```
 *
 * A deadline that is moved to later, as a retransmission timer is by every ACK, only stores it: the
 * timer is placed anew when its old slot comes.
 *
 * A run does a limited amount of work, since a million timers may stand in one slot; what is left
 * stays in FIRING, and the next run goes on with it.
 */

/** A timer, part of the struct it serves. All zero is a timer that is off. */
@unmanaged
@final
export class Timer {
  when: i64; // deadline, microseconds
  slot_when: i64; // not later than when: the time by which it was placed
  next: Timer; // in its slot, a ring through the slot's head; nil while it is off
  prev: Timer;
  fn: u32; // table index of fn(arg: usize): void
  arg: usize;
}

const BITS: u32 = 6;
const SLOTS: u32 = 64;
const LEVELS: u32 = 11;
/** Slot number of the timers whose deadline had passed when they were armed. */
const DUE: u32 = LEVELS * SLOTS;
/** Slot number of the timers that `run` is about to look at. */
const FIRING: u32 = DUE + 1;
/** Work of one run: a timer that is placed anew costs one, one that fires FIRE_COST. */
const BUDGET: i32 = 8192;
const FIRE_COST: i32 = 32;
/** Where the links stand in a Timer; a slot's head is just these two words. */
const LINKS: usize = 16;

/** State of the module. */
@unmanaged
@final
export class WheelState {
  base: i64; // all deadlines up to here have fired or are in DUE
  limit: i64; // base, or the time given to run while it runs
  levels: u32; // bit for each level that has timers
  running: u32;
  announced: i64; // the world was told that nothing happens before this
  count: u32; // timers that are on
  sooner: u32; // 1: a timer was armed for a time before that; whoever asks again clears it
  budget: i32; // what the present run may still do
}

const S: WheelState = changetype<WheelState>(memory.data(offsetof<WheelState>(), 16));
/** For each level a bit for each slot that has timers. */
const OCCUPIED: usize = memory.data(LEVELS * 8, 16);
const HEADS: usize = memory.data((FIRING + 1) * 8, 16);

/** Makes the wheel empty, its time 0. */
export function init(): void {
  memory.fill(OCCUPIED, 0, LEVELS * 8);
  memory.fill(changetype<usize>(S), 0, offsetof<WheelState>());
  for (let i: u32 = 0; i <= FIRING; i++) {
    const h = head(i);
    h.next = h;
    h.prev = h;
  }
}

/** Prepares a timer that is off: it will call `fn(arg)`, `fn` by its table index. */
export function setup(t: Timer, fn: u32, arg: usize): void {
  t.fn = fn;
  t.arg = arg;
}

/** True while the timer is on: it has neither fired nor been cancelled since it was armed. */
export function pending(t: Timer): bool {
  return changetype<usize>(t.next) != 0;
}

/**
 * Switches the timer on, or moves its deadline. A deadline that has passed fires in the next `run`;
 * armed by a callback, so does one not after the time of the present run.
 */
export function arm(t: Timer, when: i64): void {
  t.when = when;
  if (when < S.announced) S.sooner = 1;
  const passed = when <= S.limit;
  if (!pending(t)) {
    S.count++;
  } else {
    // The place it has comes first anyway.
    if (!passed && when >= t.slot_when) return;
    unlink(t);
  }
  if (passed) {
    t.slot_when = i64.MIN_VALUE;
    append(DUE, t);
  } else {
    place(t);
  }
}

/** Switches the timer off, if it is on. */
export function cancel(t: Timer): void {
  if (!pending(t)) return;
  unlink(t);
  S.count--;
}

/** Timers that are on. */
export function count(): u32 {
  return S.count;
}

/**
 * Fires all timers due at `now`, those that were overdue when armed first and the others in order
 * of time; answers how many, and one more if it has not come to the end. Callbacks may arm and
 * cancel any timers; a timer fires at most once in a run. Called by a callback it does nothing. A
 * `now` before the last run's counts as the last's.
 */
export function run(now: i64): u32 {
  if (S.running) return 0;
  if (now < S.limit) now = S.limit;
  S.limit = now;
  if (next() > now) { // most runs find nothing
    S.base = now;
    return 0;
  }
  S.running = 1;
  S.budget = BUDGET;
  let fired = drain(); // what the last run has left
  if (S.budget > 0) fired += sweep(DUE);
  while (S.levels && S.budget > 0) {
    const slot = earliest();
    const start = startOf(slot);
    if (start > now) break;
    S.base = start;
    fired += sweep(slot);
  }
  S.running = 0;
  if (S.budget <= 0) return fired + 1;
  S.base = now;
  return fired;
}

/**
 * A lower bound of the next deadline: nothing fires before it. Not after the last run's time if
 * something is due already; i64.MAX_VALUE if no timer is on.
 */
export function next(): i64 {
  if (!empty(DUE) || !empty(FIRING)) return S.base;
  return S.levels ? startOf(earliest()) : i64.MAX_VALUE;
}

/** The same, for a world that then sleeps until that time unless `sooner` tells it to ask again. */
export function announce(): i64 {
  S.announced = next();
  return S.announced;
}

/** Where the wheel's state stands. */
export function state(): usize {
  return changetype<usize>(S);
}

/** Switches off the timers whose function has an index in [first, last); answers how many. */
export function cancelOf(first: u32, last: u32): u32 {
  let found = cancelIn(DUE, first, last);
  for (let slot: u32 = 0; slot < DUE; slot++) found += cancelIn(slot, first, last);
  return found;
}

function cancelIn(slot: u32, first: u32, last: u32): u32 {
  let found: u32 = 0;
  const h = head(slot);
  for (let t = h.next; t != h;) {
    const next = t.next;
    if (t.fn >= first && t.fn < last) {
      cancel(t);
      found++;
    }
    t = next;
  }
  return found;
}

/** Calls `fn(t)`, by its table index, for each timer that is on; it may change none. For checks. */
export function each(fn: u32): void {
  eachOf(DUE, fn);
  eachOf(FIRING, fn);
  for (let levels = S.levels; levels; levels &= levels - 1) {
    const level = u32(ctz(levels));
    for (let map = load<u64>(OCCUPIED + (level << 3)); map; map &= map - 1) {
      eachOf(level * SLOTS + u32(ctz(map)), fn);
    }
  }
}

function eachOf(slot: u32, fn: u32): void {
  const h = head(slot);
  for (let t = h.next; t != h; t = t.next) call_indirect<void>(fn, changetype<usize>(t));
}

/** Fires what is due at `base` of a slot's timers and places the others anew. */
function sweep(slot: u32): u32 {
  if (empty(slot)) return 0;
  moveAll(slot, FIRING);
  return drain();
}

/** The same with the timers in FIRING, as many as the run may. */
function drain(): u32 {
  const firing = head(FIRING);
  let fired: u32 = 0;
  // Callbacks may take timers out of this ring, but nothing adds to it.
  while (firing.next != firing && S.budget > 0) {
    const t = firing.next;
    unlink(t);
    if (t.when > S.base) {
      place(t);
      S.budget--;
    } else {
      S.count--;
      S.budget -= FIRE_COST;
      fired++;
      call_indirect<void>(t.fn, t.arg);
    }
  }
  return fired;
}

/** Puts a timer that is in no slot where it belongs; its deadline is after `base`. */
function place(t: Timer): void {
  const differing = u64(t.when ^ S.base);
  const level = (63 - u32(clz(differing))) / BITS;
  const digit = u32(u64(t.when) >> (level * BITS)) & (SLOTS - 1);
  t.slot_when = t.when;
  append(level * SLOTS + digit, t);
  const map = OCCUPIED + (level << 3);
  store<u64>(map, load<u64>(map) | (u64(1) << digit));
  S.levels |= 1 << level;
}

/** The slot that comes first. There must be one with timers. */
function earliest(): u32 {
  const level = ctz(S.levels);
  return level * SLOTS + u32(ctz(load<u64>(OCCUPIED + (level << 3))));
}

/** The time at which a slot's timers are looked at. Slots with timers start after `base`. */
function startOf(slot: u32): i64 {
  const shift = (slot / SLOTS) * BITS;
  // The digits above the slot's are those of base; at the top level there are none.
  const above = shift + BITS < 64 ? (S.base >> (shift + BITS)) << (shift + BITS) : 0;
  return above | (i64(slot & (SLOTS - 1)) << shift);
}

function head(slot: u32): Timer {
  return changetype<Timer>(HEADS + (slot << 3) - LINKS);
}

function empty(slot: u32): bool {
  const h = head(slot);
  return h.next == h;
}

function append(slot: u32, t: Timer): void {
  const h = head(slot);
  const last = h.prev;
  t.next = h;
  t.prev = last;
  last.next = t;
  h.prev = t;
}

/** Takes a timer out of its slot; the slot's bit goes with the last one. */
function unlink(t: Timer): void {
  const after = t.next;
  const before = t.prev;
  before.next = after;
  after.prev = before;
  t.next = changetype<Timer>(0);
  t.prev = changetype<Timer>(0);
  // Only a head can be alone with itself.
  if (after == before) vacate(u32(changetype<usize>(after) + LINKS - HEADS) >> 3);
}

/** Clears the bit of a slot that has become empty. */
function vacate(slot: u32): void {
  if (slot >= DUE) return;
  const level = slot / SLOTS;
  const map = OCCUPIED + (level << 3);
  const left = load<u64>(map) & ~(u64(1) << (slot & (SLOTS - 1)));
  store<u64>(map, left);
  if (!left) S.levels &= ~(1 << level);
}

/** Moves the timers of a slot, which has some, to another that is empty. */
function moveAll(from: u32, to: u32): void {
  const f = head(from);
  const t = head(to);
  const firstTimer = f.next;
  const lastTimer = f.prev;
  t.next = firstTimer;
  t.prev = lastTimer;
  firstTimer.prev = t;
  lastTimer.next = t;
  f.next = f;
  f.prev = f;
  vacate(from);
}
