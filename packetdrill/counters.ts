/**
 * The counters of Linux that scripts ask for, answered from those of the stack.
 *
 * @module
 */

import { Stat } from "../assembly/abi/stat.ts";
import { Unsupported } from "./errors.ts";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

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
  TcpExtListenOverflows: Stat.TCP_BACKLOG_DROPS,
  TcpExtTCPDSACKRecv: Stat.TCP_DSACK_IN,
  TcpExtTCPDSACKOldSent: Stat.TCP_DSACK_OUT,
  TcpExtTCPLossProbes: Stat.TCP_LOSS_PROBES,
  TcpExtTCPLossProbeRecovery: Stat.TCP_LOSS_PROBE_RECOVERIES,
  TcpExtTCPSpuriousRTOs: Stat.TCP_SPURIOUS_RTO,
  TcpExtTCPFullUndo: Stat.TCP_UNDO,
  TcpExtTCPLostRetransmit: Stat.TCP_LOST_REXMT,
  TcpExtTCPSACKReorder: Stat.TCP_REORDER_SEEN,
  TcpExtTCPTSReorder: Stat.TCP_REORDER_SEEN,
  TcpExtTCPSACKReneging: Stat.TCP_RENEGED,
  IpExtInCEPkts: Stat.TCP_CE_IN,
  TcpExtSyncookiesSent: Stat.TCP_SYNCOOKIES_SENT,
  TcpExtSyncookiesRecv: Stat.TCP_SYNCOOKIES_TAKEN,
  TcpExtSyncookiesFailed: Stat.TCP_SYNCOOKIES_BAD,
  TcpExtTCPFastOpenActive: Stat.TCP_FASTOPEN_ACTIVE,
  TcpExtTCPFastOpenPassive: Stat.TCP_FASTOPEN_PASSIVE,
  TcpExtTCPFastOpenCookieReqd: Stat.TCP_FASTOPEN_COOKIES,
  TcpExtTCPFastOpenActiveFail: Stat.TCP_FASTOPEN_FAILED,
  TcpExtTCPMTUPSuccess: Stat.TCP_MTU_PROBE_SUCCESS,
  TcpExtTCPMTUPFail: Stat.TCP_MTU_BLACK_HOLES,
  TcpExtTCPHystartTrainDetect: Stat.TCP_HYSTART_EXITS,
  TcpExtTCPHystartDelayDetect: Stat.TCP_HYSTART_EXITS,
  TcpExtTCPACKSkippedSeq: Stat.TCP_INVALID_LIMITED,
  TcpExtTCPACKSkippedChallenge: Stat.TCP_CHALLENGE_LIMITED,
};

function count(host: Host, stat: Stat): number {
  return Number(host.engine.view.getBigUint64(host.calls.counters() + 8 * stat, true));
}

/**
 * What `nstat` puts out: counters that are not 0, each with how far it has come since the last
 * time; with `-a` since the start.
 */
export function counterLines(world: World, words: readonly string[]): string[] {
  const flags = words.slice(1).filter((word) => /^-[a-z]+$/.test(word)).join("");
  const named = words.slice(1).filter((word) => !word.startsWith("-"));
  for (const name of named) if (!(name in COUNTERS)) throw new Unsupported(`the counter ${name}`);
  const lines: string[] = [];
  for (const [name, stat] of Object.entries(COUNTERS)) {
    if (named.length > 0 && !named.includes(name)) continue;
    const now = count(world.host, stat);
    const value = now - (flags.includes("a") ? 0 : world.counted.get(name) ?? 0);
    if (!flags.includes("s")) world.counted.set(name, now);
    const shown = value !== 0 || flags.includes("z");
    if (shown && !flags.includes("n")) lines.push(`${name.padEnd(32)}${value}${" ".repeat(18)}0.0`);
  }
  return lines;
}

/** Names of the counters that the stack has. */
export function counterNames(): string[] {
  return Object.keys(COUNTERS);
}
