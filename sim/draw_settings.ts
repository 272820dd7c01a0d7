/**
 * Draws the settings of a stack.
 *
 * @module
 */

import type { Profile } from "../runtime/sysctl.ts";
import type { Random } from "./random.ts";

type Value = number | string;

/** Settings that differ between stacks, each in a share of them, and what they may be. */
const SETTINGS: readonly (readonly [name: string, share: number, values: readonly Value[]])[] = [
  ["net.ipv4.tcp_timestamps", 0.15, [0]],
  ["net.ipv4.tcp_sack", 0.15, [0]],
  ["net.ipv4.tcp_dsack", 0.1, [0]],
  ["net.ipv4.tcp_window_scaling", 0.15, [0]],
  ["net.ipv4.tcp_ecn", 0.6, [0, 1, 1]],
  ["net.godwit.tcp_ecn_beta", 0.1, [80, 85]],
  ["net.ipv4.tcp_congestion_control", 0.4, ["reno"]],
  ["net.godwit.tcp_hystart", 0.2, [0]],
  ["net.godwit.tcp_initial_cwnd", 0.2, [1, 2, 4, 100]],
  ["net.ipv4.tcp_recovery", 0.25, [0]],
  ["net.ipv4.tcp_early_retrans", 0.2, [0]],
  ["net.ipv4.tcp_frto", 0.2, [0]],
  ["net.godwit.tcp_undo", 0.1, [0]],
  ["net.ipv4.tcp_reordering", 0.1, [2, 10]],
  ["net.ipv4.tcp_slow_start_after_idle", 0.2, [0]],
  ["net.godwit.tcp_abc_l", 0.3, [1, 2, 8]],
  ["net.godwit.tcp_pacing", 0.2, [1]],
  ["net.godwit.tcp_quickacks", 0.2, [0, 2]],
  ["net.godwit.tcp_nagle", 0.2, [0, 1]],
  ["net.godwit.tcp_persist_probe", 0.2, [0, 1]],
  ["net.godwit.tcp_push_writes", 0.2, [0, 1]],
  ["net.ipv4.tcp_moderate_rcvbuf", 0.3, [0]],
  ["net.godwit.tcp_moderate_sndbuf", 0.3, [0]],
  ["net.ipv4.tcp_rmem", 0.1, ["4096 5000 30000", "4096 8192 1000000"]],
  ["net.ipv4.tcp_wmem", 0.1, ["4096 5000 30000", "4096 8192 1000000"]],
  ["net.ipv4.tcp_syncookies", 0.3, [0, 2]],
  ["net.ipv4.tcp_max_syn_backlog", 0.2, [1, 4]],
  ["net.ipv4.tcp_mtu_probing", 0.3, [1, 2]],
  ["net.godwit.tcp_icmp_mtu_check", 0.2, [0, 1]],
  ["net.ipv4.tcp_no_metrics_save", 0.3, [0, 1]],
  ["net.ipv4.tcp_no_ssthresh_metrics_save", 0.2, [0]],
  ["net.ipv4.tcp_rto_min_us", 0.1, [5_000, 1_000_000]],
  ["net.godwit.tcp_rto_var_min_us", 0.2, [0, 200_000]],
  ["net.ipv4.tcp_invalid_ratelimit", 0.2, [0]],
  ["net.ipv4.tcp_challenge_ack_limit", 0.1, [1]],
  ["net.ipv4.ip_no_pmtu_disc", 0.1, [1]],
  ["net.ipv4.tcp_tw_reuse", 0.2, [0]],
  ["net.ipv4.tcp_fastopen", 0.5, [0, 3, 3, 3, 7, 0x203, 0x603]],
  ["net.ipv4.tcp_fastopen_blackhole_timeout_sec", 0.3, [0, 10]],
];

/** The profile and the settings of a stack. */
export interface Settings {
  /** What it begins with. */
  readonly profile: Profile;
  /** What differs, by name. */
  readonly sysctl: Readonly<Record<string, Value>>;
}

/** Draws them. */
export function drawSettings(random: Random): Settings {
  const profile = random.chance(0.25) ? "strict" : "linux";
  const sysctl: Record<string, Value> = {};
  for (const [name, share, values] of SETTINGS) {
    if (random.chance(share)) sysctl[name] = random.pick(values);
  }
  return { profile, sysctl };
}
