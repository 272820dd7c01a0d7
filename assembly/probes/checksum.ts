/** Lets tests call the checksums. */
export {
  chain as probe_checksum_chain,
  copy as probe_checksum_copy,
  copyChain as probe_checksum_copy_chain,
  copyScalar as probe_checksum_copy_scalar,
  finish as probe_checksum_finish,
  sum as probe_checksum_sum,
  sumAt as probe_checksum_sum_at,
  sumScalar as probe_checksum_sum_scalar,
} from "../wire/checksum";
