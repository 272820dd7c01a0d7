// tidy: table
/**
 * Every sysctl: where it lies, what it takes, and its values in the profiles `linux` and `strict`.
 * docs/sysctl.md shows this table; tools/sysctl_doc.ts writes it there.
 *
 * @module
 */

import { Limits } from "../assembly/abi/limits.ts";
import { CONGESTION_ALGORITHMS } from "./socket/congestion.ts";
import { one, type Range, sizes, type SysctlRow, word } from "./sysctl_entry.ts";

const INT_MAX = 2 ** 31 - 1;
const UINT_MAX = 2 ** 32 - 1;
/** Largest socket buffer. */
const SB_MAX = Limits.SB_MAX;
/** A switch. */
const SWITCH: Range = [0, 1];

/** All sysctls. */
export const SYSCTLS: readonly SysctlRow[] = [
  // Handshake
  one(
    "net.ipv4.tcp_syn_retries",
    "syn_retries",
    "",
    [0, 127],
    [6, 7],
    "How often a SYN is sent again before `connect` fails. RFC 9293 MUST-23 asks for at least 3 " +
      "minutes, which 7 reach; Linux gives up after 131 s.",
  ),
  one(
    "net.ipv4.tcp_syn_linear_timeouts",
    "syn_linear",
    "",
    [0, 127],
    [4, 0],
    "How many SYNs more are sent again at the same distance, before it doubles each time (RFC " +
      "6298 5.5 doubles at once).",
  ),
  one(
    "net.ipv4.tcp_synack_retries",
    "synack_retries",
    "",
    [0, 255],
    [5, 7],
    "How often a SYN-ACK is sent again (RFC 9293 MUST-23, as above).",
  ),
  one(
    "net.godwit.tcp_keepinit_ms",
    "keep_init_ms",
    "ms",
    [0, INT_MAX],
    [0, 0],
    "How long an attempt to connect may last, unless TCP_KEEPINIT says otherwise; 0: as the " +
      "number of SYNs says.",
  ),
  one(
    "net.ipv4.tcp_max_syn_backlog",
    "max_syn_backlog",
    "",
    [0, INT_MAX],
    [0, 0],
    "Half-open connections at most; 0: as many as the table made at boot holds.",
  ),
  one(
    "net.ipv4.tcp_syncookies",
    "syncookies",
    "",
    [0, 2],
    [1, 1],
    "SYN cookies (RFC 4987 3.6): 0 never, 1 when there is no room for half-open connections, 2 " +
      "always.",
  ),
  one(
    "net.ipv4.tcp_abort_on_overflow",
    "abort_on_overflow",
    "",
    SWITCH,
    [0, 0],
    "Whether a handshake that finds the accept queue full is answered with a RST instead of " +
      "being left to try again.",
  ),
  one(
    "net.ipv4.tcp_timestamps",
    "timestamps",
    "",
    SWITCH,
    [1, 1],
    "Timestamps (RFC 7323 3), whose zero is another one for each pair of addresses.",
  ),
  one("net.ipv4.tcp_sack", "sack", "", SWITCH, [1, 1], "Selective acknowledgments (RFC 2018)."),
  one(
    "net.ipv4.tcp_dsack",
    "dsack",
    "",
    SWITCH,
    [1, 1],
    "Whether what came twice is reported (RFC 2883).",
  ),
  one(
    "net.ipv4.tcp_window_scaling",
    "window_scale",
    "",
    SWITCH,
    [1, 1],
    "Window scaling (RFC 7323 2).",
  ),
  one(
    "net.godwit.tcp_mss_default",
    "mss_default",
    "bytes",
    [64, 65495],
    [536, 536],
    "What a peer takes that does not say (RFC 9293 MUST-15).",
  ),
  one(
    "net.ipv4.tcp_min_snd_mss",
    "mss_min",
    "bytes",
    [48, 65495],
    [48, 64],
    "Least MSS that a peer may ask for: a tiny one is an attack on our packet rate.",
  ),
  one(
    "net.godwit.tcp_icmp_may_rst",
    "icmp_may_rst",
    "",
    SWITCH,
    [1, 1],
    "Whether an unreachable port or protocol ends an attempt to connect at once (RFC 9293 " +
      "3.9.2.2).",
  ),
  one(
    "net.godwit.tcp_tolerate_missing_ts",
    "tolerate_missing_ts",
    "",
    SWITCH,
    [0, 0],
    "Whether segments may lack the timestamps that were agreed on (RFC 7323 3.2: they are " +
      "dropped).",
  ),
  one(
    "net.godwit.tcp_insecure_rst",
    "insecure_rst",
    "",
    SWITCH,
    [0, 0],
    "Whether a RST anywhere in the window ends a connection, and not just at its edge (RFC 5961 " +
      "3.2).",
  ),
  one(
    "net.godwit.tcp_drop_synfin",
    "drop_synfin",
    "",
    SWITCH,
    [0, 0],
    "Whether segments with both SYN and FIN are dropped.",
  ),
  one(
    "net.godwit.tcp_blackhole",
    "blackhole",
    "",
    [0, 2],
    [0, 0],
    "Whether segments for no socket stay without a RST: 1 SYNs, 2 all (RFC 9293 3.10.7.1: none).",
  ),
  // Fast Open
  one(
    "net.ipv4.tcp_fastopen",
    "fastopen",
    "",
    [0, INT_MAX],
    [1, 1],
    "Fast Open (RFC 7413), a sum: 1 for clients, 2 for listeners that ask for it, 4 data in a " +
      "SYN without a cookie, 0x200 the same for listeners, 0x400 all listeners.",
  ),
  one(
    "net.ipv4.tcp_fastopen_blackhole_timeout_sec",
    "fastopen_blackhole_s",
    "s",
    [0, INT_MAX],
    [0, 3600],
    "How long clients do without Fast Open after a path that swallowed it (RFC 7413 7.3); 0: " +
      "they go on, as Linux does.",
  ),
  // Round trips and retransmission
  one(
    "net.godwit.tcp_rto_initial_us",
    "rto_initial_us",
    "us",
    [1000, 600_000_000],
    [1_000_000, 1_000_000],
    "Retransmission timeout before the first round trip (RFC 6298 2.1).",
  ),
  one(
    "net.ipv4.tcp_rto_min_us",
    "rto_min_us",
    "us",
    [1000, 600_000_000],
    [200_000, 1_000_000],
    "Least retransmission timeout. RFC 6298 2.4 says 1 s; Linux has a fifth of it.",
  ),
  one(
    "net.ipv4.tcp_rto_max_ms",
    "rto_max_us",
    "ms",
    [1, 3_600_000],
    [120_000, 60_000],
    "Largest retransmission timeout (RFC 6298 2.5: at least 60 s).",
  ),
  one(
    "net.godwit.tcp_rto_var_min_us",
    "rto_var_min_us",
    "us",
    [0, 60_000_000],
    [200_000, 0],
    "Least that the variance adds to the round trip in the timeout. Linux applies its least " +
      "timeout here; 0 is RFC 6298 2.3 as it stands.",
  ),
  one(
    "net.godwit.tcp_rto_slop_us",
    "rto_slop_us",
    "us",
    [0, 60_000_000],
    [0, 0],
    "What timeouts are longer than RFC 6298 says; FreeBSD adds 200 ms.",
  ),
  one(
    "net.ipv4.tcp_min_rtt_wlen",
    "min_rtt_window_s",
    "s",
    [0, 86_400],
    [300, 300],
    "How long the least round trip measured is believed (RFC 8985 6.2 step 1).",
  ),
  one(
    "net.ipv4.tcp_retries1",
    "data_retries_soft",
    "",
    [0, 255],
    [3, 3],
    "R1: timeouts in a row after which the route is doubted (RFC 9293 3.8.3, SHLD-10: at least 3).",
  ),
  one(
    "net.ipv4.tcp_retries2",
    "data_retries",
    "",
    [0, 255],
    [15, 12],
    "R2: timeouts in a row after which the connection is given up (RFC 9293 3.8.3, SHLD-11: at " +
      "least 100 s; with a timeout of 1 s, 12 make 8 minutes). Shorter ones than 200 ms count as " +
      "that.",
  ),
  one(
    "net.ipv4.tcp_orphan_retries",
    "orphan_retries",
    "",
    [0, 255],
    [0, 12],
    "The same for connections that the program has closed; 0 means 8, as in Linux.",
  ),
  // Loss
  one(
    "net.ipv4.tcp_recovery",
    "recovery",
    "",
    SWITCH,
    [1, 1],
    "How losses are found: 1 by time (RACK, RFC 8985), 0 by counting (RFC 6675).",
  ),
  one(
    "net.ipv4.tcp_early_retrans",
    "early_retrans",
    "",
    [0, 4],
    [3, 3],
    "Tail loss probes (RFC 8985 7): 3 and 4 send them, less does not.",
  ),
  one(
    "net.ipv4.tcp_reordering",
    "reordering",
    "",
    [1, 300],
    [3, 3],
    "Segments by which one may be overtaken before it counts as lost (DupThresh of RFC 5681 and " +
      "6675).",
  ),
  one(
    "net.ipv4.tcp_frto",
    "frto",
    "",
    [0, 2],
    [2, 2],
    "F-RTO (RFC 5682): whether timeouts may turn out spurious by what is acknowledged next; 0 off.",
  ),
  one(
    "net.godwit.tcp_undo",
    "undo",
    "",
    SWITCH,
    [1, 1],
    "Whether a reduction that turns out spurious is taken back (RFC 3522, 3708, 4015).",
  ),
  // Congestion
  word(
    "net.ipv4.tcp_congestion_control",
    "congestion",
    CONGESTION_ALGORITHMS,
    ["cubic", "cubic"],
    "Congestion control of new connections: CUBIC (RFC 9438), or NewReno (RFC 5681, 6582).",
  ),
  one(
    "net.godwit.tcp_initial_cwnd",
    "initial_cwnd_segments",
    "segments",
    [1, 1000],
    [10, 10],
    "Initial congestion window (RFC 6928 2).",
  ),
  one(
    "net.ipv4.tcp_slow_start_after_idle",
    "slow_start_after_idle",
    "",
    SWITCH,
    [1, 1],
    "Whether a connection that sent nothing for longer than its timeout starts slowly (RFC 5681 " +
      "4.1).",
  ),
  one(
    "net.godwit.tcp_hystart",
    "hystart",
    "",
    SWITCH,
    [1, 1],
    "Whether slow start ends when round trips grow (HyStart++, RFC 9406).",
  ),
  one(
    "net.godwit.tcp_abc_l",
    "abc_l",
    "segments",
    [0, 65_535],
    [0, 8],
    "The most that one ACK adds to the window in slow start (RFC 3465 2.2, RFC 9406 4.3); 0: all " +
      "that it acknowledges, as Linux does.",
  ),
  one(
    "net.ipv4.tcp_ecn",
    "ecn",
    "",
    [0, 2],
    [2, 1],
    "ECN (RFC 3168 6.1): 0 off, 1 asked for and answered, 2 answered. Linux's 3 to 5 are " +
      "Accurate ECN (RFC 9768), which is not there.",
  ),
  one(
    "net.ipv4.tcp_ecn_fallback",
    "ecn_fallback",
    "",
    [0, 127],
    [1, 1],
    "How many SYNs ask for ECN before one does not (RFC 3168 6.1.1.1); 0: all ask.",
  ),
  one(
    "net.godwit.tcp_ecn_beta",
    "ecn_beta",
    "%",
    [0, 100],
    [0, 0],
    "What a mark leaves of the congestion window (ABE); 0: as much as a loss leaves (RFC 3168 " +
      "6.1.2), which is what Linux does; 1: what RFC 8511 says, 80 % with NewReno and 85 % with " +
      "CUBIC.",
  ),
  one(
    "net.godwit.tcp_pacing",
    "pacing",
    "",
    SWITCH,
    [0, 0],
    "Whether a connection spreads its segments over the round trip. Linux leaves that to the " +
      "queueing discipline `fq`.",
  ),
  one(
    "net.ipv4.tcp_pacing_ss_ratio",
    "pacing_ss_ratio",
    "%",
    [1, 1000],
    [200, 200],
    "Pace in slow start, of congestion window over round trip.",
  ),
  one(
    "net.ipv4.tcp_pacing_ca_ratio",
    "pacing_ca_ratio",
    "%",
    [1, 1000],
    [120, 120],
    "Pace in congestion avoidance.",
  ),
  one(
    "net.ipv4.tcp_no_metrics_save",
    "no_metrics_save",
    "",
    SWITCH,
    [0, 1],
    "Whether a connection leaves nothing behind for the next one to the same destination (RFC " +
      "9040).",
  ),
  one(
    "net.ipv4.tcp_no_ssthresh_metrics_save",
    "no_ssthresh_save",
    "",
    SWITCH,
    [1, 1],
    "Whether a new connection begins without the threshold of slow start that the last one had.",
  ),
  // Acknowledgments
  one(
    "net.godwit.tcp_delack_us",
    "delack_us",
    "us",
    [0, 10_000_000],
    [40_000, 200_000],
    "How long an ACK may wait for company (RFC 9293 MUST-59: less than 0.5 s).",
  ),
  one(
    "net.godwit.tcp_delack_min_us",
    "delack_min_us",
    "us",
    [0, 10_000_000],
    [40_000, 200_000],
    "The least, where the delay adapts to how fast data comes.",
  ),
  one(
    "net.godwit.tcp_delack_max_us",
    "delack_max_us",
    "us",
    [0, 10_000_000],
    [200_000, 200_000],
    "The most, where it adapts; where the two are the same it does not.",
  ),
  one(
    "net.godwit.tcp_fastlo",
    "fastlo",
    "",
    SWITCH,
    [1, 0],
    "Whether short messages over the loopback interface go from one end of a connection to the " +
      "other without segments (AIX's `tcp_fastlo`).",
  ),
  one(
    "net.godwit.tcp_quickacks",
    "quickacks",
    "",
    [0, 255],
    [16, 0],
    "ACKs that go out at once when data begins to come, so that the sender's window grows.",
  ),
  one(
    "net.ipv4.tcp_invalid_ratelimit",
    "invalid_ratelimit_ms",
    "ms",
    [0, INT_MAX],
    [500, 0],
    "Least time between ACKs that answer unacceptable segments of one connection; 0: every one " +
      "is answered (RFC 9293 3.10.7.4).",
  ),
  one(
    "net.ipv4.tcp_challenge_ack_limit",
    "challenge_per_s",
    "",
    [0, INT_MAX],
    [100, 100],
    "Challenge ACKs a second, of the whole stack, give or take a half so that nobody can count " +
      "them (RFC 5961 7). Linux has no limit beside `tcp_invalid_ratelimit`.",
  ),
  // Sending
  one(
    "net.godwit.tcp_push_writes",
    "push_writes",
    "",
    SWITCH,
    [1, 0],
    "PSH: 1 at the end of every write, 0 where the buffer is empty (RFC 9293 MUST-61 asks for " +
      "the latter).",
  ),
  one(
    "net.godwit.tcp_nagle",
    "nagle",
    "",
    SWITCH,
    [1, 0],
    "What makes a short segment wait (RFC 9293 3.7.4): 0 any data in flight (RFC 896), 1 only a " +
      "short segment in flight (RFC 9293 A.3).",
  ),
  one(
    "net.ipv4.tcp_stdurg",
    "stdurg",
    "",
    SWITCH,
    [0, 0],
    "Whether the urgent pointer means the urgent byte itself (RFC 1122 4.2.2.4) and not the one " +
      "behind it (RFC 6093); TCP_STDURG overrides it.",
  ),
  one(
    "net.ipv4.tcp_notsent_lowat",
    "notsent_lowat",
    "bytes",
    [0, UINT_MAX],
    [UINT_MAX, UINT_MAX],
    "A socket is writable while less than this is not sent yet; TCP_NOTSENT_LOWAT overrides it.",
  ),
  one(
    "net.godwit.tcp_persist_probe",
    "persist_probe",
    "",
    SWITCH,
    [1, 0],
    "What probes a closed window: 0 one byte of data (RFC 9293 3.8.6.1), 1 a segment without " +
      "data at SND.UNA - 1, which the peer must answer too.",
  ),
  one(
    "net.godwit.tcp_persist_min_us",
    "persist_min_us",
    "us",
    [1000, 600_000_000],
    [200_000, 1_000_000],
    "Least time to the first probe of a closed window (RFC 9293 SHLD-29: the retransmission " +
      "timeout).",
  ),
  one(
    "net.godwit.tcp_persist_max_us",
    "persist_max_us",
    "us",
    [1000, 3_600_000_000],
    [120_000_000, 60_000_000],
    "Longest time between two probes (RFC 9293 SHLD-30: it grows exponentially).",
  ),
  // Buffers
  sizes(
    "net.ipv4.tcp_rmem",
    ["rcvbuf_min", "rcvbuf", "rcvbuf_max"],
    ["4096 131072 6291456", "4096 131072 6291456"],
    "Receive buffers: size of new ones while mbufs are scarce, size of new ones, and how large " +
      "they may grow. Bytes of data: Linux counts the space around it too, and offers half as " +
      "much.",
  ),
  sizes(
    "net.ipv4.tcp_wmem",
    ["sndbuf_min", "sndbuf", "sndbuf_max"],
    ["4096 262144 4194304", "4096 262144 4194304"],
    "Send buffers, likewise. Linux begins with 16384, which it raises before anything is sent.",
  ),
  one(
    "net.ipv4.tcp_moderate_rcvbuf",
    "moderate_rcvbuf",
    "",
    SWITCH,
    [1, 1],
    "Whether receive buffers grow with what is read, unless SO_RCVBUF fixes them.",
  ),
  one(
    "net.godwit.tcp_moderate_sndbuf",
    "moderate_sndbuf",
    "",
    SWITCH,
    [1, 1],
    "Whether send buffers grow with the congestion window, unless SO_SNDBUF fixes them.",
  ),
  // Path MTU
  one(
    "net.ipv4.tcp_mtu_probing",
    "mtu_probing",
    "",
    [0, 2],
    [0, 1],
    "Packetization layer path MTU discovery (RFC 4821, 8899): 0 off, 1 once a black hole shows, " +
      "2 always.",
  ),
  one(
    "net.ipv4.tcp_base_mss",
    "base_mss",
    "bytes",
    [64, 65495],
    [1024, 1024],
    "MSS that a search begins with (RFC 4821 7.2).",
  ),
  one(
    "net.ipv4.tcp_mtu_probe_floor",
    "mtu_probe_floor",
    "bytes",
    [48, 65495],
    [48, 48],
    "Least MSS that a search falls back to.",
  ),
  one(
    "net.ipv4.tcp_probe_interval",
    "probe_interval_s",
    "s",
    [0, INT_MAX],
    [600, 600],
    "Rest between two searches (RFC 4821 7.3).",
  ),
  one(
    "net.ipv4.tcp_probe_threshold",
    "probe_threshold",
    "bytes",
    [0, 65495],
    [8, 8],
    "Difference at which a search ends.",
  ),
  one(
    "net.godwit.tcp_icmp_mtu_check",
    "icmp_mtu_check",
    "",
    SWITCH,
    [0, 1],
    "Whether a message that tells of a smaller path MTU than what was acknowledged waits until " +
      "the segment it is about times out (RFC 5927 7.2). Linux believes it at once.",
  ),
  // Keepalive and closing
  one(
    "net.ipv4.tcp_keepalive_time",
    "keep_idle_ms",
    "s",
    [1, 32_767],
    [7200, 7200],
    "Silence before the first keepalive probe (RFC 9293 MUST-28: at least two hours).",
  ),
  one(
    "net.ipv4.tcp_keepalive_intvl",
    "keep_intvl_ms",
    "s",
    [1, 32_767],
    [75, 75],
    "Time between two keepalive probes.",
  ),
  one(
    "net.ipv4.tcp_keepalive_probes",
    "keep_cnt",
    "",
    [1, 127],
    [9, 9],
    "Unanswered probes that end a connection (RFC 9293 MUST-27: not a single one).",
  ),
  one(
    "net.godwit.tcp_always_keepalive",
    "always_keepalive",
    "",
    SWITCH,
    [0, 0],
    "Whether new sockets have SO_KEEPALIVE (RFC 9293 MUST-25: off).",
  ),
  one(
    "net.ipv4.tcp_fin_timeout",
    "fin_wait_2_us",
    "s",
    [0, 4000],
    [60, 240],
    "How long a connection that the program has closed waits for the peer's FIN. The RFCs have " +
      "no such limit; `strict` waits as long as in TIME-WAIT.",
  ),
  one(
    "net.godwit.tcp_msl_us",
    "msl_us",
    "us",
    [1000, 2_000_000_000],
    [30_000_000, 120_000_000],
    "Maximum segment lifetime; TIME-WAIT lasts twice as long (RFC 9293 3.4.2: 2 minutes). Linux " +
      "waits for 60 s.",
  ),
  one(
    "net.ipv4.tcp_tw_reuse",
    "tw_reuse",
    "",
    SWITCH,
    [1, 1],
    "Whether a connection in TIME-WAIT gives way to a new one to the same address and port if " +
      "timestamps keep them apart (RFC 6191). Linux's usual 2, over loopback alone, is not had.",
  ),
  // Below TCP
  {
    ...one(
      "net.ipv4.ip_forward",
      "net.forwarding",
      "",
      SWITCH,
      [0, 0],
      "Whether packets for other hosts are sent on (RFC 1812 5.2), as `stack.forwarding` says too.",
    ),
    role: true,
  },
  {
    ...one(
      "net.ipv4.conf.all.rp_filter",
      "net.rp_filter",
      "",
      [0, 2],
      [0, 0],
      "Reverse path filter (RFC 3704): 1 strict, what comes in must come from where packets to " +
        "its source go; 2 loose, there must be a route to its source. On an interface the higher " +
        "of this and its own (`net.ipv4.conf.eth0.rp_filter`) holds.",
    ),
    role: true,
  },
  {
    ...one(
      "net.ipv4.conf.all.proxy_arp",
      "net.proxy_arp",
      "",
      SWITCH,
      [0, 0],
      "Whether ARP requests for hosts that another interface leads to are answered (RFC 1027), " +
        "if the stack forwards; on all interfaces, or as `net.ipv4.conf.eth0.proxy_arp` on one.",
    ),
    role: true,
  },
  {
    ...one(
      "net.ipv4.conf.all.send_redirects",
      "net.send_redirects",
      "",
      SWITCH,
      [0, 0],
      "Whether a router tells a host of another router on its link that is nearer (RFC 1812 " +
        "5.2.7.2); on all interfaces, or on one. Linux does so unless told not to.",
    ),
    role: true,
  },
  {
    ...one(
      "net.ipv4.conf.all.accept_redirects",
      "net.accept_redirects",
      "",
      SWITCH,
      [0, 0],
      "Whether a host believes its gateway about such a router (RFC 1122 3.2.2.2); on all " +
        "interfaces, or on one. Every station on the link can forge that: Linux does so unless " +
        "told not to. A router never does.",
    ),
    role: true,
  },
  one(
    "net.ipv4.ip_default_ttl",
    "net.ttl",
    "",
    [1, 255],
    [64, 64],
    "TTL of what leaves, unless IP_TTL says otherwise (RFC 1122 3.2.1.7).",
  ),
  one(
    "net.ipv4.ipfrag_time",
    "net.reass_ms",
    "s",
    [1, 3600],
    [30, 60],
    "How long fragments wait for the others (RFC 1122 3.3.2: 60 to 120 s).",
  ),
  {
    ...one(
      "net.ipv4.ip_local_port_range",
      "net.port_first",
      "",
      [1, 65535],
      ["32768 60999", "49152 65535"],
      "First and last ephemeral port (RFC 6056; RFC 6335 6 has them begin at 49152).",
    ),
    fields: ["net.port_first", "net.port_last"],
  },
  one(
    "net.ipv4.route.min_pmtu",
    "net.pmtu_min",
    "bytes",
    [68, 65535],
    [552, 68],
    "Least path MTU that is believed (RFC 791 3.2: 68). Where it is less, routers may fragment.",
  ),
  one(
    "net.ipv4.ip_no_pmtu_disc",
    "net.no_pmtu_disc",
    "",
    SWITCH,
    [0, 0],
    "Whether new TCP sockets let routers fragment, instead of finding out the path MTU (RFC 1191).",
  ),
  one(
    "net.ipv4.route.mtu_expires",
    "net.pmtu_life_s",
    "s",
    [1, 1_000_000],
    [600, 600],
    "How long a path MTU is remembered (RFC 1191 6.3: 10 minutes).",
  ),
  one(
    "net.ipv4.icmp_msgs_per_sec",
    "net.icmp_errors_per_s",
    "",
    [0, 1_000_000],
    [1000, 200],
    "ICMP errors a second, to all destinations together (RFC 1812 4.3.2.8); 0: none.",
  ),
  one(
    "net.ipv4.icmp_msgs_burst",
    "net.icmp_errors_burst",
    "",
    [1, 100_000],
    [50, 100],
    "And how many at once.",
  ),
  one(
    "net.godwit.icmp_echo_per_sec",
    "net.icmp_echo_per_s",
    "",
    [0, 1_000_000],
    [10_000, 10_000],
    "Echo replies a second; 0: none.",
  ),
  one(
    "net.ipv4.neigh.default.retrans_time_ms",
    "net.arp_retry_ms",
    "ms",
    [1, 3_600_000],
    [1000, 1000],
    "Time between ARP requests for an address (RFC 1122 2.3.2.1: at most one a second).",
  ),
  one(
    "net.ipv4.neigh.default.mcast_solicit",
    "net.arp_tries",
    "",
    [1, 100],
    [3, 3],
    "ARP requests before a neighbour is given up.",
  ),
  one(
    "net.ipv4.neigh.default.base_reachable_time_ms",
    "net.arp_reachable_ms",
    "ms",
    [1000, INT_MAX],
    [1_200_000, 60_000],
    "How long a neighbour's answer is believed before it is asked again (RFC 1122 2.3.2.1: of " +
      "the order of a minute). Linux has 30 s, but counts a connection's progress as an answer.",
  ),
  one(
    "net.core.rmem_default",
    "net.rcvbuf",
    "bytes",
    [1, SB_MAX],
    [131_072, 131_072],
    "Receive buffers of new datagram and raw sockets, bytes of data.",
  ),
  one(
    "net.core.wmem_default",
    "net.sndbuf",
    "bytes",
    [1, SB_MAX],
    [65_536, 65_536],
    "Send buffers of new datagram and raw sockets: the largest datagram fits.",
  ),
  one(
    "net.core.somaxconn",
    "net.somaxconn",
    "",
    [1, Limits.SOMAXCONN],
    [Limits.SOMAXCONN, Limits.SOMAXCONN],
    "Longest queue of a listening socket; longer ones are cut to it. Linux has 4096.",
  ),
  one(
    "net.ipv4.tcp_limit_output_bytes",
    "net.tcp_limit_output_bytes",
    "bytes",
    [1, UINT_MAX],
    [131_072, 131_072],
    "How much TCP lets wait in the send queue of an interface; then connections wait for the " +
      "driver. Short queues keep round trips short and data in the cache. Here it is a limit of " +
      "the interface, not of each socket.",
  ),
  one(
    "net.godwit.gro",
    "net.gro",
    "",
    SWITCH,
    [1, 1],
    "Whether TCP segments that stand one after another in a batch of frames are put together " +
      "before they go up. What is counted, acknowledged and delivered is the same either way.",
  ),
];
