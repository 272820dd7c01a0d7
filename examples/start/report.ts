/**
 * What a person wants to see at the end: a small netstat.
 *
 * @module
 */

import type { Netstat } from "../../mod.ts";
import { bytes, count, table } from "./format.ts";

/** A stack and what to call it. */
export interface NamedReport {
  /** `server` */
  readonly name: string;
  /** Its state. */
  readonly netstat: Netstat;
}

/** Interfaces, sockets and counters of stacks side by side. */
export function report(stacks: readonly NamedReport[], socketsTitle = "Sockets"): string {
  return [
    "Interfaces",
    interfaces(stacks),
    socketsTitle,
    sockets(stacks),
    "TCP",
    counters(stacks, TCP_COUNTERS),
    "Frames received, by what became of them",
    fates(stacks),
  ].join("\n");
}

function interfaces(stacks: readonly NamedReport[]): string {
  const rows = stacks.flatMap(({ name, netstat }) =>
    netstat.interfaces.filter((it) => it.driver !== "loopback").map((it) => [
      name,
      it.name,
      it.addresses.join(" "),
      it.mtu,
      it.ipackets,
      bytes(it.ibytes),
      it.idrops,
      it.opackets,
      bytes(it.obytes),
      it.odrops,
    ])
  );
  const head = ["stack", "interface", "address", "mtu", "frames in", "bytes in ", "dropped"];
  return table([...head, "frames out", "bytes out ", "dropped"], rows);
}

function sockets(stacks: readonly NamedReport[]): string {
  const rows = stacks.flatMap(({ name, netstat }) =>
    netstat.sockets.map((it) => [
      name,
      it.protocol,
      it.local,
      it.remote,
      it.state,
      it.recvQueue,
      it.sendQueue,
      it.retransmits,
      it.srtt_us === 0 ? "-" : `${(it.srtt_us / 1000).toFixed(3)} ms`,
    ])
  );
  const head = ["stack", "protocol", "local", "remote", "state", "recv-q", "send-q", "rexmt"];
  return rows.length === 0 ? "none" : table([...head, "srtt "], rows);
}

/** Counters worth a line, with words for them. */
const TCP_COUNTERS: readonly (readonly [name: string, words: string])[] = [
  ["TCP_SEGMENTS_OUT", "segments sent"],
  ["TCP_ACKS_OUT", "of those, ACKs alone"],
  ["TCP_SEGMENTS_IN", "segments received"],
  ["TCP_PREDICTED", "of those, by header prediction"],
  ["TCP_REXMT_SEGMENTS", "segments sent again"],
  ["TCP_RTO", "retransmission timeouts"],
  ["TCP_FAST_REXMT", "fast retransmissions"],
  ["TCP_OUT_OF_ORDER", "segments out of order"],
];

function counters(
  stacks: readonly NamedReport[],
  lines: readonly (readonly [name: string, words: string])[],
): string {
  const rows = lines.map(([name, words]) => [
    words,
    ...stacks.map(({ netstat }) => netstat.counters[name] ?? 0),
  ]);
  return table(["", ...stacks.map(({ name }) => name)], rows);
}

function fates(stacks: readonly NamedReport[]): string {
  const names = [...new Set(stacks.flatMap(({ netstat }) => Object.keys(netstat.fates)))];
  const rows = names.map((name) => [
    name,
    ...stacks.map(({ netstat }) => netstat.fates[name] ?? 0),
  ]);
  return table(["fate", ...stacks.map(({ name }) => name)], rows);
}

/** How many segments were sent again, in words. */
export function retransmissions(stacks: readonly NamedReport[]): string {
  const sum = stacks.reduce((sum, it) => sum + (it.netstat.counters.TCP_REXMT_SEGMENTS ?? 0), 0);
  return sum === 0 ? "nothing had to be sent again" : `${count(sum)} segments were sent again`;
}
