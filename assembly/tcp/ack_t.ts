/** What one incoming ACK has told: filled by the ACK step, read by the parts of loss recovery. */
@unmanaged
@final
export class Ack {
  rtt_at: i64; // 1 + sending time of the first segment acknowledged that was sent once, 0: none
  sack_at: i64; // the same, reported by SACK
  una: u32; // snd_una before it
  delivered: u32; // bytes newly acknowledged or reported
  acked: u32; // bytes by which snd_una moved
  segments: u32; // segments newly acknowledged
  sacked: u32; // bytes newly reported
  dup: u32; // 1: a duplicate ACK (RFC 5681 2)
  orig: u32; // 1: a segment up to `recover` that was sent only once was delivered (RFC 5682)
  dsack: u32; // DSACKs in it (RFC 2883)
  dsack_end: u32; // right edge of the last of them
  resent: u32; // 1: SND.UNA moved over a segment that was sent more than once
  lost: u32; // 1: segments were newly taken as lost
  lost_resent: u32; // 1: among them one that had been sent again
}

/** The ACK being processed. */
export const A: Ack = changetype<Ack>(memory.data(offsetof<Ack>(), 16));

/** Begins a new one. */
export function begin(una: u32): void {
  memory.fill(changetype<usize>(A), 0, offsetof<Ack>());
  A.una = una;
}
