/** What the answer to a Fast Open says (RFC 7413 4.2.1). */
import { Stat } from "../abi/stat";
import * as stat from "../sys/stat";
import * as cache from "./fastopen_cache";
import { Tfo } from "./fastopen_t";
import * as repair from "./repair";
import { G } from "./seg";
import { Opt } from "./seg_t";
import * as sent from "./sent";
import * as seq from "./seq";
import { Tcb, Tf } from "./tcb_t";

/**
 * The segment in G acknowledges our SYN, and SND.UNA stands behind that. Data of the SYN that it
 * leaves out goes again at once; that the peer did not take it is no sign of congestion.
 */
export function synAcked(tp: Tcb): void {
  if (!(tp.tfo & (Tfo.ASKED | Tfo.DATA))) return;
  const refused = seq.lt(G.ack, tp.snd_nxt);
  cache.learn(tp, refused && !(G.opts & Opt.FASTOPEN));
  if (!(tp.tfo & Tfo.DATA)) return;
  if (!refused) {
    stat.inc(Stat.TCP_FASTOPEN_ACTIVE);
    tp.flags |= Tf.SYN_DATA;
    return;
  }
  stat.inc(Stat.TCP_FASTOPEN_FAILED);
  for (let r = tp.sent_first; r; r = r.next) {
    if (seq.gt(r.end, G.ack)) sent.lose(tp, r);
  }
  repair.quietly(tp);
}
