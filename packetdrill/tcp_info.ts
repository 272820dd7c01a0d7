/**
 * TCP_INFO of the connection under test, with the names and units that code blocks use.
 *
 * @module
 */

import { IpProto } from "../assembly/abi/proto.ts";
import { TcpOpt } from "../assembly/abi/socket.ts";
import { TcpState } from "../assembly/abi/tcp.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import type { World } from "./world.ts";

/** Constants that code blocks may use. */
export const INFO_CONSTANTS: Readonly<Record<string, number>> = {
  TCP_ESTABLISHED: 1,
  TCP_SYN_SENT: 2,
  TCP_SYN_RECV: 3,
  TCP_FIN_WAIT1: 4,
  TCP_FIN_WAIT2: 5,
  TCP_TIME_WAIT: 6,
  TCP_CLOSE: 7,
  TCP_CLOSE_WAIT: 8,
  TCP_LAST_ACK: 9,
  TCP_LISTEN: 10,
  TCP_CLOSING: 11,
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

/** The engine's value for "no threshold yet", at least. */
const SSTHRESH_NONE = 0x3fffffff;
/** Linux's. */
const SSTHRESH_INFINITE = 0x7fffffff;

type InfoField = Exclude<keyof typeof layout.TcpInfo, "size">;

/** A snapshot; fields that the stack does not have are missing. */
export function snapshotInfo(world: World): Map<string, number> {
  const info = new Map<string, number>();
  const { connection, host } = world;
  const so = connection ? connection.so || world.socketOf(connection) : 0;
  const at = host.place(0, layout.TcpInfo.size);
  const args = [IpProto.TCP, TcpOpt.INFO, at, layout.TcpInfo.size] as const;
  const length = so === 0 ? -1 : host.calls.so_getopt(so, ...args);
  if (length < 0) host.place(0, layout.TcpInfo.size);
  const get = (name: InfoField) => host.u32(at + layout.TcpInfo[name]);
  // fields of the same name and unit
  for (const name of Object.keys(layout.TcpInfo)) {
    if (name !== "size") info.set(`tcpi_${name}`, get(name as InfoField));
  }
  const linux = world.config.dialect === "linux";
  const state = linux ? LINUX_STATES : BSD_STATES;
  info.set("tcpi_state", state[get("state")] ?? 0);
  common(info, get);
  if (linux) linuxFields(info, get);
  return info;
}

function common(info: Map<string, number>, get: (name: InfoField) => number): void {
  info.set("tcpi_rto", get("rto_us"));
  info.set("tcpi_rtt", get("srtt_us"));
  info.set("tcpi_rttvar", get("rttvar_us"));
  info.set("tcpi_min_rtt", get("rtt_min_us"));
  info.set("tcpi_advmss", get("rcv_mss"));
  info.set("tcpi_total_retrans", get("rexmt_segments"));
  info.set("tcpi_snd_rexmitpack", get("rexmt_segments"));
  info.set("tcpi_retransmits", get("backoff"));
  info.set("tcpi_rcv_ooopack", get("out_of_order"));
  info.set("tcpi_dupacks", get("dupacks"));
}

/** Linux counts segments. */
function linuxFields(info: Map<string, number>, get: (name: InfoField) => number): void {
  const mss = Math.max(get("snd_mss"), 1);
  const segments = (name: InfoField) => Math.ceil(get(name) / mss);
  info.set("tcpi_snd_cwnd", Math.floor(get("snd_cwnd") / mss));
  const threshold = get("snd_ssthresh");
  info.set(
    "tcpi_snd_ssthresh",
    threshold >= SSTHRESH_NONE ? SSTHRESH_INFINITE : Math.floor(threshold / mss),
  );
  info.set("tcpi_unacked", segments("unacked_bytes"));
  info.set("tcpi_sacked", segments("sacked_bytes"));
  info.set("tcpi_lost", segments("lost_bytes"));
}
