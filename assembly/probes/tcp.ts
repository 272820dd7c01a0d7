/** Lets tests call the comparison of sequence numbers. */
export {
  ge as probe_seq_ge,
  gt as probe_seq_gt,
  le as probe_seq_le,
  lt as probe_seq_lt,
  max as probe_seq_max,
  min as probe_seq_min,
} from "../tcp/seq";
