/** What the last so_recv answered beside the length. */
@unmanaged
@final
export class RecvInfo {
  flags: u32; // Msg: TRUNC, CTRUNC, EOR, OOB
  length: u32; // full length of the message, also when it was cut
  dst_set: u32; // 1 if `dst` holds the destination address of the datagram (IP_RECVDSTADDR)
  dst: u32; // host order
  data: usize; // where the bytes lie that so_peek shows, or the room that so_reserve lends
  pad: u32;
  tstamp: f64; // when it came in, microseconds; 0 if unknown
}
