/**
 * The classic timeouts of protocols: an entry called every 200 ms and one every 500 ms (4.4BSD's
 * pr_fasttimo and pr_slowtimo). The engine's own protocols have timers of the wheel instead, so
 * these run only while a loaded protocol has such an entry.
 */
import * as domain from "../protocol/domain";
import { Protosw } from "../protocol/protosw";
import * as clock from "../sys/clock";
import * as timer from "../sys/timer";
import { Timer } from "../sys/timer";

const FAST_US: i64 = 200_000;
const SLOW_US: i64 = 500_000;

const FAST: Timer = changetype<Timer>(memory.data(offsetof<Timer>(), 16));
const SLOW: Timer = changetype<Timer>(memory.data(offsetof<Timer>(), 16));

/** Starts or ends them, after rows have come or gone. */
export function sync(): void {
  timer.setup(FAST, fast.index, 0);
  timer.setup(SLOW, slow.index, 0);
  keep(FAST, offsetof<Protosw>("fasttimo"), FAST_US);
  keep(SLOW, offsetof<Protosw>("slowtimo"), SLOW_US);
}

function fast(_arg: usize): void {
  timer.arm(FAST, clock.now() + FAST_US);
  domain.fasttimo();
}

function slow(_arg: usize): void {
  timer.arm(SLOW, clock.now() + SLOW_US);
  domain.slowtimo();
}

/** A timer is on while some row has the entry. */
function keep(t: Timer, entry: usize, period_us: i64): void {
  for (let d = domain.first(); d; d = d.next) {
    for (let row = d.rows; row; row = row.next) {
      if (!load<u32>(changetype<usize>(row) + entry)) continue;
      if (!timer.pending(t)) timer.arm(t, clock.now() + period_us);
      return;
    }
  }
  timer.cancel(t);
}
