import { Inpcb } from "../inet/in_pcb_t";
import { Timer } from "../sys/timer";

/**
 * A half-open connection: a SYN came, our SYN-ACK is out, and nothing more is spent on it until
 * the ACK comes (RFC 4987 3.5).
 */
@unmanaged
@final
export class Half {
  timer_0: i64; // the wheel timer, laid out as a Timer; see timer()
  timer_1: i64;
  timer_2: i64;
  timer_3: i64;
  laddr_hi: u64; // our address, 16 bytes
  laddr_lo: u64;
  faddr_hi: u64; // the peer's
  faddr_lo: u64;
  sent_at: i64; // when the SYN-ACK first left, for the first RTT sample
  next: Half; // chain of the table
  listener: Inpcb;
  irs: u32;
  iss: u32;
  ts_recent: u32;
  ts_offset: u32;
  wnd: u32; // window of the SYN, unscaled
  flags: u32; // Tf bits that were agreed: SCALE, TS, SACK, ECN
  lport: u16;
  fport: u16;
  peer_mss: u16;
  rcv_mss: u16; // MSS we advertise
  snd_scale: u8;
  rcv_scale: u8; // what we offer
  sends: u8; // SYN-ACKs sent, at most 255
  repeats: u8; // times the timer has fired
  fo: u8; // HalfFo: the Fast Open cookie that the SYN-ACK brings
  acked: u8; // 1: the ACK has come, but TCP_DEFER_ACCEPT wants data

  /** The wheel timer. */
  @inline
  get timer(): Timer {
    return changetype<Timer>(changetype<usize>(this) + offsetof<Half>("timer_0"));
  }
  /** Address of the 16 bytes of our address. */
  @inline
  get laddr(): usize {
    return changetype<usize>(this) + offsetof<Half>("laddr_hi");
  }
  /** Address of the 16 bytes of the peer's address. */
  @inline
  get faddr(): usize {
    return changetype<usize>(this) + offsetof<Half>("faddr_hi");
  }
}

/** Which Fast Open cookie a SYN-ACK brings (RFC 7413). */
export const enum HalfFo {
  NONE = 0,
  COOKIE = 1,
  EXP = 2, // in the form of the experiment
}
