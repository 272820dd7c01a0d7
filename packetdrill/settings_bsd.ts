/**
 * Settings of FreeBSD. Times are milliseconds unless told otherwise.
 *
 * @module
 */

import { Limits } from "../assembly/abi/limits.ts";
import { ANY, field, type Fields, flag, only, type Seen, type Setting } from "./settings_t.ts";

const MS_US = 1000;
const NO_LIMIT = 2 ** 31 - 1;
/** Per cent of the window that ABE leaves, unless told (RFC 8511 3). */
const ABE = 80;

/** 0: neither; 1: both; 2: window scale alone; 3: timestamps alone. */
const RFC1323: Setting = {
  accepts: ["0", "1", "2", "3"],
  apply: ([value]) => ({
    window_scale: value === "1" || value === "2" ? 1 : 0,
    timestamps: value === "1" || value === "3" ? 1 : 0,
  }),
};

/** The parts of Fast Open that are switched on one by one. */
function fastOpen(_: readonly string[], seen: Seen): Fields {
  const on = (name: string) => Number(seen(`net.inet.tcp.fastopen.${name}`) ?? 0) !== 0;
  const client = on("client_enable");
  const server = on("server_enable") || on("enabled");
  return {
    fastopen: (client ? 1 : 0) | (server ? 2 : 0) | (server && on("acceptany") ? 0x200 : 0),
  };
}

/** Without fast recycling, FIN-WAIT-2 lasts as long as keepalives would go on without an answer. */
function finWait2(_: readonly string[], seen: Seen): Fields {
  const own = (name: string, ms: number) => Number(seen(`net.inet.tcp.${name}`) ?? ms);
  const fast = own("fast_finwait2_recycle", 0) !== 0;
  const ms = fast ? own("finwait2_timeout", 60_000) : own("keepcnt", 8) * own("keepintvl", 75_000);
  return { fin_wait_2_us: ms * MS_US };
}

/** SYN cookies: beside the cache, or instead of it. */
function cookies(_: readonly string[], seen: Seen): Fields {
  const alone = Number(seen("net.inet.tcp.syncookies_only") ?? 0) !== 0;
  const beside = Number(seen("net.inet.tcp.syncookies") ?? 1) !== 0;
  return { syncookies: alone ? 2 : beside ? 1 : 0 };
}

/** Marks are less than a loss if ABE is on, by as much as `beta_ecn` says. */
function abe(_: readonly string[], seen: Seen): Fields {
  const on = Number(seen("net.inet.tcp.cc.abe") ?? 0) !== 0;
  return { ecn_beta: on ? Number(seen("net.inet.tcp.cc.newreno.beta_ecn") ?? ABE) : 0 };
}

/** The limit of challenge ACKs; no count or no time means that there is none. */
function ackWar(_: readonly string[], seen: Seen): Fields {
  const count = Number(seen("net.inet.tcp.ack_war_cnt") ?? 5);
  const window = Number(seen("net.inet.tcp.ack_war_timewindow") ?? 1000);
  if (count === 0 || window === 0) return { challenge_per_s: NO_LIMIT };
  return { challenge_per_s: Math.max(1, Math.round(count * 1000 / window)) };
}

/** ACKs wait, unless that is switched off. */
function delays(_: readonly string[], seen: Seen): Fields {
  const on = Number(seen("net.inet.tcp.delayed_ack") ?? 1) !== 0;
  return { delack_us: on ? Number(seen("net.inet.tcp.delacktime") ?? 40) * MS_US : 0 };
}

/** A limit of what autotuning makes. */
function limit(name: "rcvbuf_max" | "sndbuf_max"): Setting {
  return { apply: ([value]) => ({ [name]: Math.min(Number(value), Limits.SB_MAX) }) };
}

const CUBIC: Setting = {
  apply: ([value]) => ({ congestion: value === "newreno" ? 0 : value === "cubic" ? 1 : NaN }),
};

const OWN: Readonly<Record<string, Setting>> = {
  "rfc1323": RFC1323,
  "sack.enable": flag("sack"),
  "recvspace": field("rcvbuf"),
  "sendspace": field("sndbuf"),
  "recvbuf_max": limit("rcvbuf_max"),
  "sendbuf_max": limit("sndbuf_max"),
  "recvbuf_auto": flag("moderate_rcvbuf"),
  "sendbuf_auto": flag("moderate_sndbuf"),
  "rexmit_initial": field("rto_initial_us", MS_US),
  "rexmit_min": field("rto_min_us", MS_US),
  "rexmit_slop": field("rto_slop_us", MS_US),
  "rexmit_drop_options": only("0"),
  "retries": field("data_retries"),
  "maxunacktime": only("0"),
  "delacktime": { apply: delays },
  "delayed_ack": { apply: delays },
  "msl": field("msl_us", MS_US),
  "finwait2_timeout": { apply: finWait2 },
  "fast_finwait2_recycle": { apply: finWait2 },
  "keepidle": field("keep_idle_ms"),
  "keepintvl": field("keep_intvl_ms"),
  "keepcnt": field("keep_cnt"),
  "keepinit": field("keep_init_ms"),
  "always_keepalive": flag("always_keepalive"),
  "persmin": field("persist_min_us", MS_US),
  "persmax": field("persist_max_us", MS_US),
  "initcwnd_segments": field("initial_cwnd_segments"),
  "mssdflt": field("mss_default"),
  "v6mssdflt": ANY,
  "minmss": field("mss_min"),
  "syncache.rexmtlimit": field("synack_retries"),
  "syncookies": { apply: cookies },
  "syncookies_only": { apply: cookies },
  "ack_war_cnt": { apply: ackWar },
  "ack_war_timewindow": { apply: ackWar },
  "ecn.enable": { ...field("ecn"), accepts: ["0", "1", "2"] },
  "ecn.maxretries": { apply: ([value]) => ({ ecn_fallback: Number(value) + 1 }) },
  "ecn.generic": ANY,
  "cc.algorithm": CUBIC,
  "cc.abe": { apply: abe },
  "cc.abe_frlossreduce": only("0"),
  "cc.newreno.beta": only("50"),
  "cc.newreno.beta_ecn": { apply: abe },
  "functions_default": only("freebsd"),
  "functions_inherit_listen_socket_stack": ANY,
  "blackhole": { apply: ([value]) => ({ blackhole: Math.min(Number(value), 2) }) },
  "blackhole_local": ANY,
  "drop_synfin": flag("drop_synfin"),
  "insecure_rst": flag("insecure_rst"),
  "insecure_syn": only("0"),
  "insecure_ack": only("0"),
  "icmp_may_rst": flag("icmp_may_rst"),
  "path_mtu_discovery": { apply: ([value]) => ({ "net.no_pmtu_disc": value === "0" ? 1 : 0 }) },
  "pmtud_blackhole_detection": only("0"),
  "pmtud_blackhole_mss": ANY,
  "tolerate_missing_ts": flag("tolerate_missing_ts"),
  "ts_offset_per_conn": ANY,
  "rfc3042": only("1"),
  "rfc3390": ANY,
  "rfc3465": only("1"),
  "rfc6675_pipe": only("1"),
  "abc_l_var": field("abc_l"),
  "do_prr": only("0", "1"),
  "do_prr_conservative": only("0"),
  "do_lrd": only("0"),
  "newcwv": only("0"),
  "sack.tso": ANY,
  "sack.revised": only("1"),
  "sack.lrd": only("0", "1"),
  "fastopen.client_enable": { apply: fastOpen },
  "fastopen.server_enable": { apply: fastOpen },
  "fastopen.enabled": { apply: fastOpen },
  "fastopen.acceptany": { apply: fastOpen },
  "fastopen.psk_enable": only("0"),
  "fastopen.path_disable_time": field("fastopen_blackhole_s"),
  "hostcache.enable": { apply: ([value]) => ({ no_metrics_save: value === "0" ? 1 : 0 }) },
  "udp_tunneling_port": only("0"),
  "udp_tunneling_overhead": ANY,
  "nolocaltimewait": ANY,
  "require_unique_port": ANY,
  "msl_local": ANY,
  "tso": ANY,
  "lro": ANY,
  "soreceive_stream": ANY,
  "per_cpu_timers": ANY,
  "do_tcpdrain": ANY,
  "isn_reseed_interval": ANY,
  "maxtcptw": ANY,
  "map_limit": ANY,
  "split_limit": ANY,
  "log_debug": ANY,
  "log_in_vain": ANY,
};

/** Names that make no difference on the wire, or belong to stacks that are not in use. */
export const BSD_ANY = new RegExp(
  "^net\\.inet\\.tcp\\.(" + [
    "((reass|hostcache|syncache|rack|bbr|bb|hpts|pcap|stacks|timer|fastopen|sack)\\.)",
    "(cc\\.(available|cubic|hystart|vegas|htcp|cdg|dctcp|chd|hd))",
    "(log_|debug)",
  ].join("|") + ")",
);

/** By name. */
export const BSD_SETTINGS: Readonly<Record<string, Setting>> = {
  ...Object.fromEntries(
    Object.entries(OWN).map(([name, setting]) => [`net.inet.tcp.${name}`, setting]),
  ),
  "kern.ipc.maxsockbuf": ANY,
  "kern.ipc.somaxconn": ANY,
  "kern.ipc.soacceptqueue": ANY,
  "kern.ipc.nmbclusters": ANY,
  "net.inet.icmp.icmplim": ANY,
  "net.inet.icmp.icmplim_output": ANY,
  "net.inet.icmp.icmplim_jitter": ANY,
  "net.inet.ip.random_id": ANY,
  "net.inet.ip.rfc6864": ANY,
  "net.inet.ip.ttl": field("net.ttl"),
  "net.inet.ip.portrange.first": field("net.port_first"),
  "net.inet.ip.portrange.last": field("net.port_last"),
  "net.inet.ip.forwarding": flag("net.forwarding"),
  "net.inet.udp.blackhole": only("0"),
  "net.inet.udp.checksum": only("1"),
};
