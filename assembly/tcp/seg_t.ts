import { Mbuf } from "../sys/mbuf_t";

/**
 * The segment being input, parsed once and in host order. One stands at a fixed place and is valid
 * only during the call of input; the check and trim steps change it as RFC 9293 3.10.7.4 says.
 */
@unmanaged
@final
export class Seg {
  m: Mbuf; // its packet; 0 once the data was taken
  th: usize; // its header in m
  off: u32; // bytes of headers in front of the data in m
  seq: u32; // SEG.SEQ
  ack: u32; // SEG.ACK
  wnd: u32; // SEG.WND, scaled
  up: u32; // SEG.UP
  len: u32; // bytes of data, without SYN and FIN
  flags: u32; // Th
  opts: u32; // So_: which options it has
  mss: u32;
  wscale: u32;
  ts_val: u32;
  ts_ecr: u32;
  sack_n: u32; // SACK blocks
  sack: usize; // where they are in the header, network order
  cookie: usize; // where the Fast Open cookie is in the header
  cookie_len: u32; // its bytes, 0 to ask for one
  acked: u32; // bytes this segment newly acknowledges, for the later steps
  ecn: u32; // ECN field of the IP header, 0 if there is no data
  segs: u32; // segments of the wire that it stands for, at least 1
  size_each: u32; // bytes of data in each but the last
  reopen: u32; // ISS for a SYN that reopens a connection in TIME-WAIT, 0: by the clock
}

/** Which options a segment carries. */
export const enum Opt {
  MSS = 1,
  WSCALE = 2,
  SACK_PERMITTED = 4,
  SACK = 8,
  TS = 16,
  BAD = 32, // an option's length was impossible: the rest was skipped (RFC 9293 MUST-7)
  FASTOPEN = 64, // RFC 7413
  FASTOPEN_EXP = 128, // in the form of its experiment
}

/** What an input step answers to its parent. */
export const enum Step {
  CONTINUE = 0, // go on with the next step
  DONE = 1, // the segment is used up and its fate counted
  DROP = 2, // free it; its fate is counted
}
