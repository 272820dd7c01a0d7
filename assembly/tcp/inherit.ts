/** What a connection takes over from the listener that accepted it. */
import * as nagle from "./nagle";
import * as notsent from "./notsent";
import * as push from "./push";
import { Tcb, Tf } from "./tcb_t";

/** Options that are flags. */
const INHERITED: u32 = Tf.NODELAY | Tf.NODELAYACK | Tf.STDURG | Tf.CORK;

/** Copies the listener's options; the sequence numbers of `child` stand already. */
export function options(child: Tcb, parent: Tcb): void {
  child.flags |= parent.flags & INHERITED;
  child.user_mss = parent.user_mss;
  child.keep_idle_ms = parent.keep_idle_ms;
  child.keep_intvl_ms = parent.keep_intvl_ms;
  child.keep_cnt = parent.keep_cnt;
  child.user_timeout_ms = parent.user_timeout_ms;
  child.linger2_s = parent.linger2_s;
  child.window_clamp = parent.window_clamp;
  child.mtu_search = parent.mtu_search;
  child.notsent_lowat = parent.notsent_lowat;
  child.cc_algo = parent.cc_algo;
  child.max_pacing_rate = parent.max_pacing_rate;
  child.inp.pmtud = parent.inp.pmtud;
  notsent.watch(child);
  push.begin(child);
  nagle.begin(child);
}
