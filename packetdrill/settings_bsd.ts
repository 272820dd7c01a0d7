/**
 * Settings of FreeBSD. Times are milliseconds unless told otherwise.
 *
 * @module
 */

import type { Setting, SettingField } from "./settings.ts";

function field(name: SettingField, unit = 1): Setting {
  return { apply: ([value]) => ({ [name]: Number(value) * unit }) };
}

function only(...accepts: string[]): Setting {
  return { accepts };
}

const ANY: Setting = { any: true };
const MS_US = 1000;

/** 0: neither; 1: both; 2: window scale alone; 3: timestamps alone. */
const RFC1323: Setting = {
  apply: ([value]) => ({
    window_scale: value === "1" || value === "2" ? 1 : 0,
    timestamps: value === "1" || value === "3" ? 1 : 0,
  }),
};

const OWN: Readonly<Record<string, Setting>> = {
  "rfc1323": RFC1323,
  "sack.enable": field("sack"),
  "recvspace": field("rcvbuf"),
  "sendspace": field("sndbuf"),
  "rexmit_initial": field("rto_initial_us", MS_US),
  "rexmit_min": field("rto_min_us", MS_US),
  "delacktime": field("delack_us", MS_US),
  "msl": field("msl_us", MS_US),
  "finwait2_timeout": field("fin_wait_2_us", MS_US),
  "keepidle": field("keep_idle_ms"),
  "keepintvl": field("keep_intvl_ms"),
  "keepcnt": field("keep_cnt"),
  "persmin": field("persist_min_us", MS_US),
  "persmax": field("persist_max_us", MS_US),
  "initcwnd_segments": field("initial_cwnd_segments"),
  "mssdflt": field("mss_default"),
  "syncache.rexmtlimit": field("synack_retries"),
  "retries": field("data_retries"),
  "ack_war_cnt": field("challenge_per_s"),
  "rexmit_slop": only("200", "0"),
  "rexmit_drop_options": only("0"),
  "delayed_ack": only("1"),
  "ecn.enable": { ...field("ecn"), accepts: ["0", "1", "2"] },
  "ecn.maxretries": { apply: ([value]) => ({ ecn_fallback: Number(value) + 1 }) },
  "blackhole": only("0"),
  "blackhole_local": only("0"),
  "cc.algorithm": only("newreno"),
  "functions_default": only("freebsd"),
  "drop_synfin": only("0"),
  "insecure_rst": only("0"),
  "insecure_syn": only("0"),
  "insecure_ack": only("0"),
  "always_keepalive": only("0"),
  "path_mtu_discovery": only("1"),
  "pmtud_blackhole_detection": only("0"),
  "tolerate_missing_ts": only("0"),
  "rfc3042": only("1"),
  "rfc3465": only("1"),
  "rfc6675_pipe": only("1"),
  "do_prr": only("0"),
  "do_lrd": only("0"),
  "newcwv": only("0"),
  "sack.tso": ANY,
  "sack.revised": only("1"),
  "sack.lrd": only("0"),
  "abc_l_var": only("2"),
  "v6mssdflt": ANY,
  "minmss": ANY,
  "keepinit": ANY,
  "recvbuf_auto": ANY,
  "sendbuf_auto": ANY,
  "recvbuf_max": ANY,
  "sendbuf_max": ANY,
  "syncookies": ANY,
  "syncookies_only": only("0"),
  "tso": ANY,
  "icmp_may_rst": ANY,
  "require_unique_port": ANY,
  "nolocaltimewait": ANY,
  "fast_finwait2_recycle": only("0"),
  "msl_local": ANY,
  "ts_offset_per_conn": ANY,
  "log_debug": ANY,
  "log_in_vain": ANY,
  "soreceive_stream": ANY,
  "per_cpu_timers": ANY,
  "fastopen.server_enable": only("0"),
  "fastopen.client_enable": only("0"),
  "fastopen.enabled": only("0"),
  "udp_tunneling_port": only("0"),
};

/** Groups of settings that make no difference on the wire. */
const GROUPS: readonly string[] = [
  "hostcache.purge",
  "hostcache.purgenow",
  "hostcache.expire",
  "hostcache.enable",
  "hostcache.prune",
  "reass.maxsegments",
  "reass.maxqueuelen",
  "reass.new_limit",
  "syncache.see_other",
  "syncache.rst_on_sock_fail",
  "isn_reseed_interval",
  "map_limit",
  "split_limit",
  "sack.maxholes",
  "sack.globalmaxholes",
  "fastopen.ccache_bucket_limit",
  "fastopen.path_disable_time",
];

/** By name. */
export const BSD_SETTINGS: Readonly<Record<string, Setting>> = {
  ...Object.fromEntries(
    Object.entries(OWN).map(([name, setting]) => [`net.inet.tcp.${name}`, setting]),
  ),
  ...Object.fromEntries(GROUPS.map((name) => [`net.inet.tcp.${name}`, ANY])),
  "kern.ipc.maxsockbuf": ANY,
  "kern.ipc.somaxconn": ANY,
  "kern.ipc.soacceptqueue": ANY,
  "net.inet.icmp.icmplim": ANY,
  "net.inet.icmp.icmplim_output": ANY,
  "net.inet.ip.random_id": ANY,
  "net.inet.ip.rfc6864": ANY,
  "net.inet.ip.ttl": only("64"),
  "net.inet.udp.blackhole": only("0"),
};
