import { Cc } from "../abi/tcp";

/** What can be tuned in TCP, for the whole stack. */
@unmanaged
@final
export class TcpSettings {
  rto_initial_us: u32; // RFC 6298 2.1
  rto_min_us: u32; // RFC 6298 2.4 says 1 s; every kernel uses less
  rto_max_us: u32; // RFC 6298 2.5
  delack_us: u32; // below 0.5 s (MUST-40, RFC 5681 4.2-3)
  msl_us: u32; // half of the stay in TIME-WAIT
  fin_wait_2_us: u32; // stay in FIN-WAIT-2 once the socket is closed
  keep_idle_ms: u32;
  keep_intvl_ms: u32;
  keep_cnt: u32;
  persist_min_us: u32;
  persist_max_us: u32;
  syn_retries: u32; // before a connection attempt is given up
  synack_retries: u32;
  data_retries: u32; // before a connection is given up (R2 of RFC 9293 3.8.3, SHLD-11)
  initial_cwnd_segments: u32; // RFC 6928
  sndbuf: u32; // default so_snd, bytes
  rcvbuf: u32; // default so_rcv, bytes
  mss_default: u32; // RFC 9293 3.7.1, MUST-15
  challenge_per_s: u32; // challenge ACKs a second (RFC 5961 7)
  timestamps: u32; // 1: offer them
  sack: u32;
  window_scale: u32;
  congestion: u32; // Cc of new connections
  rto_var_min_us: u32; // least of 4 * RTTVAR in the RTO; 0: RFC 6298 2.3 as it stands
  delack_min_us: u32; // with quick ACKs the delay adapts between these two
  delack_max_us: u32;
  quickacks: u32; // ACKs at once when data begins to come; 0: none
  dsack: u32; // 1: report what came twice (RFC 2883)
  recovery: u32; // 1: RACK (RFC 8985), 0: RFC 6675 by the count of segments
  early_retrans: u32; // 3 and more: tail loss probes (RFC 8985 7), 0: none
  frto: u32; // 1 and more: F-RTO (RFC 5682)
  undo: u32; // 1: spurious reductions are undone (RFC 3522, 4015)
  reordering: u32; // DupThresh
  slow_start_after_idle: u32; // RFC 5681 4.1
  ecn: u32; // EcnMode: 0 off, 1 asked for and answered, 2 answered
  ecn_fallback: u32; // SYNs that ask for ECN before one does not (RFC 3168 6.1.1.1); 0: all ask
  ecn_beta: u32; // per cent of cwnd that a CE mark leaves; 0: as a loss, 1: as RFC 8511 says
  fastopen: u32; // 1 client, 2 server, 4 and 0x200 without cookie, 0x400 all listeners
  fastopen_blackhole_s: u32; // how long active Fast Open rests after a black hole
  syncookies: u32; // 0 never, 1 when the table is full, 2 always (RFC 4987 3.6)
  max_syn_backlog: u32; // half-open connections, 0: as many as the table has
  abort_on_overflow: u32; // 1: RST when the accept queue is full
  notsent_lowat: u32; // default of TCP_NOTSENT_LOWAT
  mtu_probing: u32; // 0 off, 1 after a black hole, 2 always (RFC 4821, 8899)
  base_mss: u32; // MSS a search starts from
  mtu_probe_floor: u32; // least MSS of a search
  probe_interval_s: u32; // rest after a search
  icmp_mtu_check: u32; // 1: an MTU below what got through waits for a timeout (RFC 5927 7.2)
  probe_threshold: u32; // bytes of difference that end a search
  pacing: u32; // 1: segments of one connection are spread over the round trip
  pacing_ss_ratio: u32; // per cent of cwnd / SRTT in slow start
  pacing_ca_ratio: u32; // in congestion avoidance
  hystart: u32; // 1: HyStart++ (RFC 9406)
  abc_l: u32; // most segments that one ACK adds in slow start (RFC 3465 2.2), 0: all it covers
  rcvbuf_min: u32; // so_rcv of new sockets while mbufs are scarce
  sndbuf_min: u32;
  rcvbuf_max: u32; // largest so_rcv that autotuning makes
  sndbuf_max: u32;
  moderate_rcvbuf: u32; // 1: so_rcv is autotuned
  moderate_sndbuf: u32;
  no_metrics_save: u32; // 1: nothing is remembered of a destination
  min_rtt_window_s: u32; // how long the least round trip is believed
  invalid_ratelimit_ms: u32; // least time between a connection's ACKs of invalid segments; 0: none
  persist_probe: u32; // 0: one byte of data (RFC 9293 3.8.6.1), 1: none, at SND.UNA - 1
  push_writes: u32; // 1: PSH at the end of every write, 0: when the buffer empties
  nagle: u32; // 0: RFC 896, any data in flight holds back a short segment; 1: only a short one does
  data_retries_soft: u32; // timeouts before the route is doubted (R1 of 3.8.3, SHLD-10)
  orphan_retries: u32; // retransmissions for a closed socket, 0: 8
  tw_reuse: u32; // 1: connections in TIME-WAIT may be reused for new ones (RFC 6191)
  syn_linear: u32; // SYNs sent again before the time between them doubles, 0: RFC 6298 5.5
  rto_slop_us: u32; // what retransmission timeouts are longer than RFC 6298 says
  keep_init_ms: u32; // default of TCP_KEEPINIT: how long an attempt lasts, 0: as syn_retries says
  mss_min: u32; // least MSS that a peer may ask for: a tiny one is an attack on our packet rate
  stdurg: u32; // default of TCP_STDURG
  always_keepalive: u32; // 1: new sockets have SO_KEEPALIVE
  blackhole: u32; // segments for no socket: 0 RST, 1 none to a SYN, 2 none to any
  drop_synfin: u32; // 1: segments with SYN and FIN are dropped
  icmp_may_rst: u32; // 1: hard ICMP errors end a connection attempt at once (RFC 9293 3.9.2.2)
  tolerate_missing_ts: u32; // 1: segments may lack the timestamps that were agreed on
  insecure_rst: u32; // 1: a RST anywhere in the window ends a connection (not RFC 5961 3.2)
  no_ssthresh_save: u32; // 1: a new connection begins without what ssthresh was before
  fastlo: u32; // 1: short messages to an end in this stack go without segments
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
  T.delack_min_us = 40_000;
  T.delack_max_us = 200_000;
  T.dsack = 1;
  T.recovery = 1;
  T.early_retrans = 3;
  T.frto = 2;
  T.undo = 1;
  T.reordering = 3;
  T.slow_start_after_idle = 1;
  T.ecn = 2;
  T.ecn_fallback = 1;
  T.ecn_beta = 1;
  T.fastopen = 1;
  T.fastopen_blackhole_s = 3600;
  T.syncookies = 1;
  T.notsent_lowat = 0xffffffff;
  T.base_mss = 1024;
  T.mtu_probe_floor = 48;
  T.data_retries_soft = 3;
  T.probe_interval_s = 600;
  T.probe_threshold = 8;
  T.pacing_ss_ratio = 200;
  T.pacing_ca_ratio = 120;
  T.congestion = Cc.CUBIC;
  T.hystart = 1;
  T.abc_l = 8;
  T.rcvbuf_min = 4096;
  T.sndbuf_min = 4096;
  T.rcvbuf_max = 6_291_456;
  T.sndbuf_max = 4_194_304;
  T.min_rtt_window_s = 300;
  T.tw_reuse = 1;
  T.no_ssthresh_save = 1;
  T.orphan_retries = 12;
  T.data_retries_soft = 3;
  T.mss_min = 64;
  T.icmp_may_rst = 1;
}
