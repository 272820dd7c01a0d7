/** A segment in SYN-SENT (RFC 9293 3.10.7.3). */
import { Errno } from "../abi/errno";
import { Fate } from "../abi/fate";
import { Ss } from "../abi/socket";
import { TcpState, Th } from "../abi/tcp";
import { PKT } from "../inet/pkt_t";
import * as clock from "../sys/clock";
import * as stat from "../sys/stat";
import * as ack from "./ack_t";
import * as ackStep from "./input_ack";
import * as cc from "./cc";
import * as ecn from "./ecn";
import * as fastopen from "./fastopen";
import * as fastopen_ack from "./fastopen_ack";
import * as output from "./output";
import * as respond from "./respond";
import { G } from "./seg";
import { Opt, Step } from "./seg_t";
import * as seq from "./seq";
import { T } from "./settings";
import * as subr from "./subr";
import * as tcb from "./tcb";
import { Tcb, Tf } from "./tcb_t";
import * as window from "./window";

/** CONTINUE: the connection is established and the segment's text is next. */
export function input(tp: Tcb): Step {
  const ackOk = (G.flags & Th.ACK) != 0 && seq.gt(G.ack, tp.iss) && seq.le(G.ack, tp.snd_nxt);
  if (G.flags & Th.ACK && !ackOk) {
    respond.reset(G, PKT.dst, PKT.src);
    stat.fate(Fate.TCP_SYN_SENT_INVALID);
    return Step.DROP;
  }
  if (G.flags & Th.RST) {
    if (!ackOk) {
      stat.fate(Fate.TCP_SYN_SENT_INVALID);
      return Step.DROP;
    }
    stat.fate(Fate.TCP_ACCEPTED);
    tp.state = TcpState.CLOSED; // no RST in answer
    subr.drop(tp, Errno.ECONNREFUSED);
    return Step.DONE;
  }
  if (!(G.flags & Th.SYN)) {
    stat.fate(Fate.TCP_SYN_SENT_INVALID);
    return Step.DROP;
  }
  takeSyn(tp);
  if (ackOk) {
    established(tp);
    return Step.CONTINUE;
  }
  // simultaneous open: answer with SYN-ACK (RFC 9293 figure 7, MUST-10)
  tp.state = TcpState.SYN_RECEIVED;
  tp.flags |= Tf.ACKNOW;
  tp.snd_wnd = G.wnd;
  stat.fate(Fate.TCP_ACCEPTED);
  output.output(tp);
  return Step.DONE;
}

/** Takes over what the peer's SYN says. */
function takeSyn(tp: Tcb): void {
  fastopen.cancel(tp);
  tp.irs = G.seq;
  tp.rcv_nxt = G.seq + 1;
  tp.rcv_up = tp.rcv_nxt;
  tp.last_ack_sent = tp.rcv_nxt;
  tp.max_rcvwnd = window.ofSyn(tp);
  tp.rcv_adv = tp.rcv_nxt + tp.max_rcvwnd;
  tp.peer_mss = G.opts & Opt.MSS ? u16(G.mss) : u16(T.mss_default); // RFC 9293 MUST-15
  if (tp.flags & Tf.REQ_SCALE && G.opts & Opt.WSCALE) {
    tp.flags |= Tf.SCALE;
    tp.snd_scale = u8(G.wscale);
    tp.rcv_scale = tp.req_scale;
  }
  if (tp.flags & Tf.REQ_TS && G.opts & Opt.TS) {
    tp.flags |= Tf.TS;
    tp.ts_recent = G.ts_val;
    tp.ts_recent_at = clock.now();
  }
  if (tp.flags & Tf.REQ_SACK && G.opts & Opt.SACK_PERMITTED) tp.flags |= Tf.SACK;
  ecn.synTaken(tp);
  tcb.setMss(tp);
  // the SYN takes one number: from here on the segment is its text (RFC 9293 3.10.7.3)
  G.seq++;
  if (G.up) G.up--;
  G.flags &= ~Th.SYN;
}

function established(tp: Tcb): void {
  tp.snd_wl1 = G.seq - 1;
  ackStep.synAcked(tp);
  ackStep.updateWindow(tp); // the window of a SYN is not scaled: input left it as it was
  subr.established(tp);
  cc.start(tp);
  if (tp.rexmt_timeouts > 0) subr.afterLostSyn(tp);
  fastopen_ack.synAcked(tp);
  if (seq.gt(G.ack, tp.snd_una)) {
    ack.begin(tp.snd_una);
    ackStep.newAck(tp, G.ack); // of the data that the SYN carried
  }
  tp.flags |= Tf.ACKNOW;
  tp.inp.so.state &= ~Ss.ISCONNECTING;
}
