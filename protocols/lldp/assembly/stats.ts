/** What is counted (IEEE 802.1AB-2016 9.2.6). */
@unmanaged
@final
export class Stats {
  frames_out: u32; // statsFramesOutTotal
  frames_in: u32; // statsFramesInTotal
  frames_discarded: u32; // statsFramesDiscardedTotal: those in error
  tlvs_discarded: u32; // statsTLVsDiscardedTotal
  tlvs_unrecognized: u32; // statsTLVsUnrecognizedTotal
  ageouts: u32; // statsAgeoutsTotal
  too_many: u32; // frames of neighbours that there was no room for
}

export const STATS: Stats = changetype<Stats>(memory.data(offsetof<Stats>(), 8));
