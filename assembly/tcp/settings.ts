/** What can be tuned in TCP, for the whole stack. */
@unmanaged
@final
export class TcpSettings {
  rto_initial_us: u32; // RFC 6298 2.1
  rto_min_us: u32; // RFC 6298 2.4 says 1 s; every kernel uses less
  rto_max_us: u32; // RFC 6298 2.5
  delack_us: u32; // RFC 9293 3.8.6.3: below 0.5 s
  msl_us: u32; // half of the stay in TIME-WAIT
  fin_wait_2_us: u32; // stay in FIN-WAIT-2 once the socket is closed
  keep_idle_ms: u32;
  keep_intvl_ms: u32;
  keep_cnt: u32;
  persist_min_us: u32;
  persist_max_us: u32;
  syn_retries: u32; // before a connection attempt is given up
  synack_retries: u32;
  data_retries: u32; // before a connection is given up (R2 of RFC 9293 3.8.3)
  initial_cwnd_segments: u32; // RFC 6928
  sndbuf: u32; // default so_snd, bytes
  rcvbuf: u32; // default so_rcv, bytes
  mss_default: u32; // RFC 9293 3.7.1, MUST-15
  challenge_per_s: u32; // challenge ACKs a second (RFC 5961 7)
  timestamps: u32; // 1: offer them
  sack: u32;
  window_scale: u32;
}

export const T: TcpSettings = changetype<TcpSettings>(
  memory.data(offsetof<TcpSettings>(), 16),
);

/** Sets every value to its default. */
export function init(): void {
  T.rto_initial_us = 1_000_000;
  T.rto_min_us = 200_000;
  T.rto_max_us = 60_000_000;
  T.delack_us = 40_000;
  T.msl_us = 30_000_000;
  T.fin_wait_2_us = 60_000_000;
  T.keep_idle_ms = 7_200_000; // RFC 9293 MUST-28
  T.keep_intvl_ms = 75_000;
  T.keep_cnt = 8;
  T.persist_min_us = 500_000;
  T.persist_max_us = 60_000_000;
  T.syn_retries = 5;
  T.synack_retries = 5;
  T.data_retries = 12;
  T.initial_cwnd_segments = 10;
  T.sndbuf = 262_144;
  T.rcvbuf = 262_144;
  T.mss_default = 536;
  T.challenge_per_s = 100;
  T.timestamps = 1;
  T.sack = 1;
  T.window_scale = 1;
}
