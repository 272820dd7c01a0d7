/**
 * The counters of Linux that scripts ask for, answered from those of the stack.
 *
 * @module
 */

import { Stat } from "../assembly/abi/stat.ts";
import type { Host } from "./host.ts";

const COUNTERS: Readonly<Record<string, Stat>> = {
  TcpActiveOpens: Stat.TCP_ACTIVE_OPENS,
  TcpPassiveOpens: Stat.TCP_PASSIVE_OPENS,
  TcpRetransSegs: Stat.TCP_REXMT_SEGMENTS,
  TcpOutRsts: Stat.TCP_RST_OUT,
  TcpInSegs: Stat.TCP_SEGMENTS_IN,
  TcpOutSegs: Stat.TCP_SEGMENTS_OUT,
  TcpExtTCPTimeouts: Stat.TCP_RTO,
  TcpExtTCPFastRetrans: Stat.TCP_FAST_REXMT,
  TcpExtTCPOFOQueue: Stat.TCP_OUT_OF_ORDER,
  TcpExtDelayedACKs: Stat.TCP_DELACK,
  TcpExtTCPChallengeACK: Stat.TCP_CHALLENGE,
  TcpExtTCPKeepAlive: Stat.TCP_KEEPALIVE,
  TcpExtTCPHPHits: Stat.TCP_PREDICTED,
  TcpExtTW: Stat.TCP_TIME_WAIT,
  TcpExtListenDrops: Stat.TCP_BACKLOG_DROPS,
};

/** A counter by Linux's name; undefined if the stack has none like it. */
export function stackCounter(host: Host, name: string): number | undefined {
  const stat = COUNTERS[name];
  if (stat === undefined) return undefined;
  const at = host.calls.counters() + 8 * stat;
  return Number(host.engine.view.getBigUint64(at, true));
}
