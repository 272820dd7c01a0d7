/**
 * Settings of Linux.
 *
 * @module
 */

import type { Setting, SettingField } from "./settings.ts";

/** A whole number of some unit, into one field. */
function field(name: SettingField, unit = 1): Setting {
  return { apply: ([value]) => ({ [name]: Number(value) * unit }) };
}

/** On or off. */
function flag(name: SettingField): Setting {
  return { apply: ([value]) => ({ [name]: Number(value) === 0 ? 0 : 1 }) };
}

/** A number of which the stack has only these. */
function oneOf(name: SettingField, ...accepts: string[]): Setting {
  return { ...field(name), accepts };
}

/** The stack behaves as these values say. */
function only(...accepts: string[]): Setting {
  return { accepts };
}

const ANY: Setting = { any: true };
const SECONDS_US = 1_000_000;
const SECONDS_MS = 1000;

/** Buffers: least, usual and largest size; Linux counts twice what it offers to receive. */
const RECEIVE: Setting = { apply: (values) => ({ rcvbuf: Math.floor(Number(values[1]) / 2) }) };
const SEND: Setting = { apply: (values) => ({ sndbuf: Number(values[1]) }) };

/** By name. */
export const LINUX_SETTINGS: Readonly<Record<string, Setting>> = {
  "net.ipv4.tcp_timestamps": flag("timestamps"),
  "net.ipv4.tcp_sack": flag("sack"),
  "net.ipv4.tcp_window_scaling": flag("window_scale"),
  "net.ipv4.tcp_syn_retries": field("syn_retries"),
  "net.ipv4.tcp_synack_retries": field("synack_retries"),
  "net.ipv4.tcp_retries2": field("data_retries"),
  "net.ipv4.tcp_fin_timeout": field("fin_wait_2_us", SECONDS_US),
  "net.ipv4.tcp_keepalive_time": field("keep_idle_ms", SECONDS_MS),
  "net.ipv4.tcp_keepalive_intvl": field("keep_intvl_ms", SECONDS_MS),
  "net.ipv4.tcp_keepalive_probes": field("keep_cnt"),
  "net.ipv4.tcp_challenge_ack_limit": field("challenge_per_s"),
  "net.ipv4.tcp_rto_min_us": field("rto_min_us"),
  "net.ipv4.tcp_rto_max_ms": field("rto_max_us", 1000),
  "net.ipv4.tcp_rmem": RECEIVE,
  "net.ipv4.tcp_wmem": SEND,
  "net.ipv4.tcp_congestion_control": only("reno", "newreno"),
  // 3 and more are Accurate ECN (RFC 9768), which the stack does not have
  "net.ipv4.tcp_ecn": oneOf("ecn", "0", "1", "2"),
  "net.ipv4.tcp_ecn_option": ANY,
  "net.ipv4.tcp_ecn_fallback": flag("ecn_fallback"),
  "net.ipv4.tcp_fastopen": only("0"),
  "net.ipv4.tcp_fastopen_key": ANY,
  "net.ipv4.tcp_fastopen_blackhole_timeout_sec": ANY,
  "net.ipv4.tcp_fack": only("0"),
  "net.ipv4.tcp_slow_start_after_idle": only("1"),
  "net.ipv4.tcp_early_retrans": only("0"),
  "net.ipv4.tcp_recovery": only("0"),
  "net.ipv4.tcp_frto": only("0"),
  "net.ipv4.tcp_reordering": only("3"),
  "net.ipv4.tcp_mtu_probing": only("0"),
  "net.ipv4.tcp_base_mss": ANY,
  "net.ipv4.tcp_syncookies": ANY,
  "net.ipv4.tcp_min_tso_segs": ANY,
  "net.ipv4.tcp_tso_win_divisor": ANY,
  "net.ipv4.tcp_tso_rtt_log": ANY,
  "net.ipv4.tcp_limit_output_bytes": ANY,
  "net.ipv4.tcp_pacing_ss_ratio": ANY,
  "net.ipv4.tcp_pacing_ca_ratio": ANY,
  "net.ipv4.tcp_min_rtt_wlen": ANY,
  "net.ipv4.tcp_no_metrics_save": ANY,
  "net.ipv4.tcp_max_syn_backlog": ANY,
  "net.ipv4.tcp_abort_on_overflow": only("0"),
  "net.ipv4.tcp_autocorking": ANY,
  "net.ipv4.tcp_moderate_rcvbuf": ANY,
  "net.ipv4.tcp_notsent_lowat": only("-1", "4294967295"),
  "net.ipv4.tcp_stdurg": only("0"),
  "net.ipv4.tcp_thin_linear_timeouts": only("0"),
  "net.ipv4.tcp_early_demux": ANY,
  "net.ipv4.tcp_adv_win_scale": ANY,
  "net.ipv4.tcp_app_win": ANY,
  "net.ipv4.ip_local_port_range": ANY,
  "net.ipv4.icmp_ratelimit": ANY,
  "net.ipv4.icmp_msgs_per_sec": ANY,
  "net.core.somaxconn": ANY,
  "net.core.rmem_max": ANY,
  "net.core.wmem_max": ANY,
  "net.core.default_qdisc": ANY,
  "net.core.netdev_max_backlog": ANY,
};

/** What the suite's `defaults.sh` sets. */
export const LINUX_DEFAULTS: Readonly<Record<string, string>> = {
  "net.ipv4.tcp_rmem": "4096 540000 15728640",
  "net.ipv4.tcp_wmem": "4096 262144 4194304",
  "net.ipv4.tcp_timestamps": "1",
  "net.ipv4.tcp_syn_retries": "5",
  "net.ipv4.tcp_synack_retries": "5",
  "net.ipv4.tcp_frto": "2",
  "net.ipv4.tcp_sack": "1",
  "net.ipv4.tcp_dsack": "1",
  "net.ipv4.tcp_fack": "0",
  "net.ipv4.tcp_reordering": "3",
  "net.ipv4.tcp_congestion_control": "cubic",
  "net.ipv4.tcp_slow_start_after_idle": "0",
  "net.ipv4.tcp_early_retrans": "4",
  "net.ipv4.tcp_recovery": "1",
  "net.ipv4.tcp_tso_win_divisor": "3",
  "net.ipv4.tcp_ecn": "0",
  "net.ipv4.tcp_ecn_option": "2",
  "net.ipv4.tcp_pacing_ss_ratio": "200",
  "net.ipv4.tcp_pacing_ca_ratio": "120",
  "net.ipv4.tcp_notsent_lowat": "4294967295",
  "net.ipv4.tcp_fastopen": "0x70403",
  "net.ipv4.tcp_fastopen_key": "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4",
  "net.ipv4.tcp_syncookies": "1",
};
