/** A range of our data that the peer has reported as received (RFC 2018), start <= x < end. */
@unmanaged
@final
export class SackRange {
  next: SackRange;
  start: u32;
  end: u32;
  pad: u32;
}
