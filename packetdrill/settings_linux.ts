/**
 * Settings of Linux that are not simply those of the stack with the same name.
 *
 * @module
 */

import { Limits } from "../assembly/abi/limits.ts";
import { ANY, flag, only, type Setting } from "./settings_t.ts";

/** Three sizes; Linux does not ask for a rising order. */
function rising(values: readonly string[]): [number, number, number] {
  const [least, usual, most] = [0, 1, 2].map((i) => Number(values[i] ?? values.at(-1)));
  return [Math.min(least, usual), usual, Math.min(Math.max(usual, most), Limits.SB_MAX)];
}

/** Linux counts the space around data too, and offers half of the usual size. */
const RECEIVE: Setting = {
  apply: (values) => {
    const [least, usual, most] = rising(values);
    const offered = Math.max(1, Math.floor(usual / 2));
    return { rcvbuf_min: Math.min(least, offered), rcvbuf: offered, rcvbuf_max: most };
  },
};

const SEND: Setting = {
  apply: (values) => {
    const [sndbuf_min, sndbuf, sndbuf_max] = rising(values);
    return { sndbuf_min, sndbuf, sndbuf_max };
  },
};

const TCP: Readonly<Record<string, Setting>> = {
  rmem: RECEIVE,
  wmem: SEND,
  // 2: without an offset of their own, which a script cannot see
  timestamps: { ...flag("timestamps"), accepts: ["0", "1", "2"] },
  // 2: over loopback alone, and the peer of a script is elsewhere
  tw_reuse: { apply: ([value]) => ({ tw_reuse: value === "1" ? 1 : 0 }) },
  notsent_lowat: { apply: ([value]) => ({ notsent_lowat: Number(value) >>> 0 }) },
  ecn_fallback: flag("ecn_fallback"),
  ecn_option: ANY,
  ecn_option_beacon: ANY,
  fack: only("0"),
  rfc1337: ANY,
  thin_linear_timeouts: only("0"),
  shrink_window: only("0"),
  workaround_signed_windows: only("0"),
  reflect_tos: only("0"),
  comp_sack_nr: only("0"),
  comp_sack_delay_ns: only("0"),
  comp_sack_slack_ns: ANY,
  pingpong_thresh: only("1"),
  plb_enabled: only("0"),
  retrans_collapse: ANY,
  max_reordering: ANY,
  min_tso_segs: ANY,
  tso_win_divisor: ANY,
  tso_rtt_log: ANY,
  limit_output_bytes: ANY,
  autocorking: ANY,
  early_demux: ANY,
  adv_win_scale: only("1"),
  app_win: ANY,
  mem: ANY,
  max_orphans: ANY,
  max_tw_buckets: ANY,
  migrate_req: ANY,
  backlog_ack_defer: ANY,
  child_ehash_entries: ANY,
  fwmark_accept: ANY,
  l3mdev_accept: ANY,
  allowed_congestion_control: ANY,
  available_congestion_control: ANY,
  available_ulp: ANY,
};

/** By name. */
export const LINUX_SETTINGS: Readonly<Record<string, Setting>> = {
  ...Object.fromEntries(Object.entries(TCP).map(([name, it]) => [`net.ipv4.tcp_${name}`, it])),
  "net.ipv4.icmp_ratelimit": ANY,
  "net.ipv4.icmp_ratemask": ANY,
  "net.ipv4.route.flush": ANY,
  "net.ipv6.route.flush": ANY,
  // this stack's queues are shorter, which no script fills
  "net.core.somaxconn": ANY,
  "net.core.optmem_max": ANY,
  "net.core.rmem_max": ANY,
  "net.core.wmem_max": ANY,
  "net.core.rmem_default": ANY,
  "net.core.wmem_default": ANY,
  "net.core.netdev_max_backlog": ANY,
  // packets of a connection leave as its pace says, or at once
  "net.core.default_qdisc": { apply: ([value]) => ({ pacing: value === "fq" ? 1 : 0 }) },
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
