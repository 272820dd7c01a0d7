/** Lets tests drive the timer wheel with callbacks that follow a script. */
import * as timer from "../sys/timer";
import { Timer } from "../sys/timer";

export { cancel as probe_timer_cancel, count as probe_timer_count } from "../sys/timer";
export { init as probe_timer_init, pending as probe_timer_pending } from "../sys/timer";

/** What happens when the timer fires; a Timer stands right before it. */
@unmanaged
@final
export class ProbeScript {
  when: i64; // deadline to arm `target` with
  arms: Timer; // timer to arm, or nil
  cancels: Timer; // timer to cancel, or nil
  log: usize; // address of a cell that holds the place of the next number of the log
  id: u32; // number to put there
}

/** Makes the timer at `t` off and, at fire, run the ProbeScript behind it. */
export function probe_timer_setup(t: usize): void {
  memory.fill(t, 0, offsetof<Timer>());
  timer.setup(changetype<Timer>(t), fired.index, t + offsetof<Timer>());
}

/** Arms with the deadline stored at `when`. */
export function probe_timer_arm(t: usize, when: usize): void {
  timer.arm(changetype<Timer>(t), load<i64>(when));
}

/** Runs up to the time stored at `now`. */
export function probe_timer_run(now: usize): u32 {
  return timer.run(load<i64>(now));
}

/** Stores the next deadline at `out`. */
export function probe_timer_next(out: usize): void {
  store<i64>(out, timer.next());
}

/** Runs the wheel once from inside a callback: it must do nothing. */
function fired(arg: usize): void {
  const script = changetype<ProbeScript>(arg);
  const to = load<usize>(script.log);
  store<u32>(to, script.id);
  store<usize>(script.log, to + 4);
  assert(timer.run(i64.MAX_VALUE) == 0);
  if (script.cancels) timer.cancel(script.cancels);
  if (script.arms) timer.arm(script.arms, script.when);
}
