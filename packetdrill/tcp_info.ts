/**
 * TCP_INFO of the connection under test, with the names and units that code blocks use.
 *
 * @module
 */

import { IpProto } from "../assembly/abi/proto.ts";
import { TcpOpt } from "../assembly/abi/socket.ts";
import { TcpState } from "../assembly/abi/tcp.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import { Unsupported } from "./errors.ts";
import type { World } from "./world.ts";

/** States by the names that code blocks have for them, Linux's and BSD's. */
const STATE_NAMES: readonly (readonly [linux: string, bsd: string, state: TcpState])[] = [
  ["TCP_ESTABLISHED", "TCPS_ESTABLISHED", TcpState.ESTABLISHED],
  ["TCP_SYN_SENT", "TCPS_SYN_SENT", TcpState.SYN_SENT],
  ["TCP_SYN_RECV", "TCPS_SYN_RECEIVED", TcpState.SYN_RECEIVED],
  ["TCP_FIN_WAIT1", "TCPS_FIN_WAIT_1", TcpState.FIN_WAIT_1],
  ["TCP_FIN_WAIT2", "TCPS_FIN_WAIT_2", TcpState.FIN_WAIT_2],
  ["TCP_TIME_WAIT", "TCPS_TIME_WAIT", TcpState.TIME_WAIT],
  ["TCP_CLOSE", "TCPS_CLOSED", TcpState.CLOSED],
  ["TCP_CLOSE_WAIT", "TCPS_CLOSE_WAIT", TcpState.CLOSE_WAIT],
  ["TCP_LAST_ACK", "TCPS_LAST_ACK", TcpState.LAST_ACK],
  ["TCP_LISTEN", "TCPS_LISTEN", TcpState.LISTEN],
  ["TCP_CLOSING", "TCPS_CLOSING", TcpState.CLOSING],
];

/** Other constants of code blocks. */
const CONSTANTS: Readonly<Record<string, number>> = {
  TCP_CA_Open: 0,
  TCP_CA_Disorder: 1,
  TCP_CA_CWR: 2,
  TCP_CA_Recovery: 3,
  TCP_CA_Loss: 4,
  TCPI_OPT_TIMESTAMPS: 1,
  TCPI_OPT_SACK: 2,
  TCPI_OPT_WSCALE: 4,
  TCPI_OPT_ECN: 8,
  TCPI_OPT_ECN_SEEN: 16,
  TCPI_OPT_SYN_DATA: 32,
};

/** Linux's number of a state. */
const LINUX_STATES: Readonly<Record<number, number>> = {
  [TcpState.CLOSED]: 7,
  [TcpState.LISTEN]: 10,
  [TcpState.SYN_SENT]: 2,
  [TcpState.SYN_RECEIVED]: 3,
  [TcpState.ESTABLISHED]: 1,
  [TcpState.CLOSE_WAIT]: 8,
  [TcpState.FIN_WAIT_1]: 4,
  [TcpState.CLOSING]: 11,
  [TcpState.LAST_ACK]: 9,
  [TcpState.FIN_WAIT_2]: 5,
  [TcpState.TIME_WAIT]: 6,
};

/** BSD's number of a state. */
const BSD_STATES: Readonly<Record<number, number>> = {
  [TcpState.CLOSED]: 0,
  [TcpState.LISTEN]: 1,
  [TcpState.SYN_SENT]: 2,
  [TcpState.SYN_RECEIVED]: 3,
  [TcpState.ESTABLISHED]: 4,
  [TcpState.CLOSE_WAIT]: 5,
  [TcpState.FIN_WAIT_1]: 6,
  [TcpState.CLOSING]: 7,
  [TcpState.LAST_ACK]: 8,
  [TcpState.FIN_WAIT_2]: 9,
  [TcpState.TIME_WAIT]: 10,
};

/** No threshold yet. */
const SSTHRESH_INFINITE = 0x7fffffff;

/** Constants that code blocks may use: a state has the number that the kernel has for it. */
export function infoConstants(dialect: World["config"]["dialect"]): Map<string, number> {
  const numbers = dialect === "linux" ? LINUX_STATES : BSD_STATES;
  const states = STATE_NAMES.flatMap(([linux, bsd, state]) =>
    [linux, bsd].map((name) => [name, numbers[state]] as const)
  );
  return new Map([...states, ...Object.entries(CONSTANTS)]);
}

/** Fields of the engine's struct TcpInfo, and how many bytes each has. */
const FIELDS: readonly (readonly [name: string, at: number, bytes: number])[] = (() => {
  const { size, ...offsets } = layout.TcpInfo as Readonly<Record<string, number>>;
  const sorted = Object.entries(offsets).sort(([, a], [, b]) => a - b);
  return sorted.map(([name, at], i) => [name, at, (sorted[i + 1]?.[1] ?? size) - at] as const);
})();

/** Names that kernels have for fields of this stack, where more than the unit differs. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  srtt_us: ["rtt"],
  rtt_min_us: ["min_rtt"],
  rexmt_segments: ["total_retrans", "snd_rexmitpack"],
  out_of_order: ["rcv_ooopack"],
};

/** A snapshot of the connection under test, or of `so`; what the stack does not have is missing. */
export function snapshotInfo(world: World, so = soUnderTest(world)): Map<string, number> {
  const { host } = world;
  const at = host.place(0, layout.TcpInfo.size);
  const args = [IpProto.TCP, TcpOpt.INFO, at, layout.TcpInfo.size] as const;
  const length = so === 0 ? -1 : host.calls.so_getopt(so, ...args);
  if (length < 0) host.place(0, layout.TcpInfo.size);
  const raw = new Map<string, number>();
  for (const [name, offset, bytes] of FIELDS) {
    const wide = bytes === 8;
    const { view } = host.engine;
    raw.set(name, wide ? Number(view.getBigUint64(at + offset, true)) : host.u32(at + offset));
  }
  const info = new Map<string, number>();
  for (const [name, value] of raw) for (const n of otherNames(name)) info.set(`tcpi_${n}`, value);
  for (const [name, value] of raw) info.set(`tcpi_${name.replace(/_[um]s$/, "")}`, value);
  const linux = world.config.dialect === "linux";
  const states = linux ? LINUX_STATES : BSD_STATES;
  const closed = linux ? LINUX_STATES[TcpState.CLOSED] : BSD_STATES[TcpState.CLOSED];
  info.set("tcpi_state", length < 0 ? closed : states[raw.get("state") ?? 0] ?? 0);
  if (linux) linuxFields(info, raw);
  return info;
}

function otherNames(name: string): readonly string[] {
  return OTHER_NAMES[name] ?? [];
}

function soUnderTest(world: World): number {
  const { connection } = world;
  if (connection) return connection.so || world.socketOf(connection);
  return world.newest?.so ?? 0;
}

/** Linux counts segments where this stack counts bytes. */
function linuxFields(info: Map<string, number>, raw: ReadonlyMap<string, number>): void {
  const mss = Math.max(raw.get("snd_mss") ?? 0, 1);
  info.set("tcpi_snd_cwnd", Math.floor((raw.get("snd_cwnd") ?? 0) / mss));
  const threshold = raw.get("snd_ssthresh") ?? 0;
  info.set(
    "tcpi_snd_ssthresh",
    threshold >= SSTHRESH_INFINITE ? SSTHRESH_INFINITE : Math.floor(threshold / mss),
  );
}

/** What the counters of SCM_TIMESTAMPING_OPT_STATS are in TCP_INFO. */
const STATS: Readonly<Record<string, string>> = {
  TCP_NLA_BUSY: "busy_time",
  TCP_NLA_RWND_LIMITED: "rwnd_limited",
  TCP_NLA_SNDBUF_LIMITED: "sndbuf_limited",
  TCP_NLA_DATA_SEGS_OUT: "data_segs_out",
  TCP_NLA_TOTAL_RETRANS: "total_retrans",
  TCP_NLA_PACING_RATE: "pacing_rate",
  TCP_NLA_DELIVERY_RATE: "delivery_rate",
  TCP_NLA_SND_CWND: "snd_cwnd",
  TCP_NLA_REORDERING: "reordering",
  TCP_NLA_MIN_RTT: "min_rtt",
  TCP_NLA_RECUR_RETRANS: "retransmits",
  TCP_NLA_DELIVERY_RATE_APP_LMT: "delivery_rate_app_limited",
  TCP_NLA_CA_STATE: "ca_state",
  TCP_NLA_SND_SSTHRESH: "snd_ssthresh",
  TCP_NLA_DELIVERED: "delivered",
  TCP_NLA_DELIVERED_CE: "delivered_ce",
  TCP_NLA_BYTES_SENT: "bytes_sent",
  TCP_NLA_BYTES_RETRANS: "bytes_retrans",
  TCP_NLA_DSACK_DUPS: "dsack_dups",
  TCP_NLA_REORD_SEEN: "reord_seen",
  TCP_NLA_SRTT: "rtt",
};

/** A counter of SCM_TIMESTAMPING_OPT_STATS in a snapshot. */
export function infoOfStat(name: string, info: ReadonlyMap<string, number>): number {
  const value = info.get(`tcpi_${STATS[name]}`);
  if (value === undefined) throw new Unsupported(`the counter ${name}`);
  return value;
}
