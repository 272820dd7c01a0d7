import { Timer } from "../sys/timer";
import { Mbuf } from "../sys/mbuf_t";

/**
 * A datagram being put together. Its fragments are whole packets at their IP headers, linked by
 * nextpkt in order of offset; aux is a fragment's offset in the datagram's data, aux2 its length.
 */
@unmanaged
@final
export class Ipq {
  timer_0: i64; // laid out as a Timer; see timer
  timer_1: i64;
  timer_2: i64;
  timer_3: i64;
  chain: Ipq; // next with the same hash
  newer: Ipq; // begun next after this one
  older: Ipq; // begun last before this one
  frags: Mbuf;
  src: u32;
  dst: u32;
  key: u32; // identification and protocol
  count: u32; // fragments held
  storage: u32; // bytes of mbufs held
  have: u32; // bytes of data held
  total: u32; // bytes of data in the datagram, 0 until the last fragment came
  ecn: u8; // bit for each ECN codepoint seen
  dead: u8; // 1: given up, further fragments are dropped until the timer fires
  pad: u16;

  @inline
  get timer(): Timer {
    return changetype<Timer>(changetype<usize>(this) + offsetof<Ipq>("timer_0"));
  }
}
