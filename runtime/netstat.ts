/**
 * What a stack is doing: interfaces, routes, neighbours, sockets and counters, as data and as text.
 *
 * @module
 */

import { IpProto } from "../assembly/abi/proto.ts";
import { Af, So as Opt, Sock, Ss, TcpOpt } from "../assembly/abi/socket.ts";
import { Stat } from "../assembly/abi/stat.ts";
import { TcpState } from "../assembly/abi/tcp.ts";
import type { Attachment } from "./device/attach.ts";
import type { Engine } from "./engine.ts";
import * as field from "./layout.ts";
import { type DestinationReport, destinations } from "./netstat_destinations.ts";
import { renderNetstat } from "./netstat_text.ts";
import type { Route } from "./route.ts";
import { bitsOf, formatIpv4 } from "./socket/inet_addr.ts";
import { ifIndices, type IfStatistics, ifStatistics } from "./socket/ioctl.ts";
import { readIfReq } from "./socket/ioctl.ts";
import { readSockAddr } from "./socket/sockaddr.ts";
import { TCP_INFO_FIELDS, type TcpInfo } from "./socket/tcp_info.ts";
import * as layout from "./wasm/layout.gen.ts";
import { FATE_NAMES, STAT_NAMES, TCP_STATE_NAMES } from "./wasm/names.gen.ts";

/** An interface. */
export interface InterfaceReport extends IfStatistics {
  /** Kind of driver; `loopback` for lo0. */
  readonly driver: string;
  /** Addresses with their prefix, `10.0.0.1/24`. */
  readonly addresses: readonly string[];
  /** Hardware address, `02:00:00:00:00:01`; empty on a medium without one. */
  readonly hwaddr: string;
  /** Why it was taken down; `undefined` while it works. */
  readonly down: string | undefined;
}

/** A neighbour on a link. */
export interface NeighborReport {
  /** Its address. */
  readonly address: string;
  /** Its hardware address; empty while it is unknown. */
  readonly hwaddr: string;
  /** Interface it is behind. */
  readonly interface: string;
  /** What is known: `incomplete`, `reachable`, `probe`, `dead` or `static`. */
  readonly state: string;
}

/** A socket. */
export interface SocketReport {
  /** `tcp`, `udp`, `ip` and the protocol's number, or the family: `unix`, `route`, `packet`. */
  readonly protocol: string;
  /** Descriptor; -1 for none: not yet accepted, or closed and still sending. */
  readonly fd: number;
  /** Local address and port, `*` for any. */
  readonly local: string;
  /** Peer's address and port, `*` for none. */
  readonly remote: string;
  /** State of a TCP connection; `LISTEN` or `CONNECTED` in other families; empty for others. */
  readonly state: string;
  /** Bytes received and not read yet. */
  readonly recvQueue: number;
  /** Bytes written and not acknowledged yet. */
  readonly sendQueue: number;
  /** Segments sent again. */
  readonly retransmits: number;
  /** Smoothed round-trip time in microseconds; 0 if not measured. */
  readonly srtt_us: number;
  /** All that TCP knows of the connection; left out for others. */
  readonly tcp?: TcpInfo;
}

/** A pool of mbufs. */
export interface PoolReport {
  /** In use. */
  readonly used: number;
  /** Most that were in use at once. */
  readonly peak: number;
  /** How many there are. */
  readonly limit: number;
  /** Requests refused. */
  readonly denied: number;
}

/** A report on a stack at one moment. */
export interface Netstat {
  /** Interfaces. */
  readonly interfaces: readonly InterfaceReport[];
  /** Routing table. */
  readonly routes: readonly Route[];
  /** Neighbours. */
  readonly neighbors: readonly NeighborReport[];
  /** What TCP remembers of destinations. */
  readonly destinations: readonly DestinationReport[];
  /** Sockets. */
  readonly sockets: readonly SocketReport[];
  /** Counters by name, in capitals as in `Stat`; those that are 0 too. */
  readonly counters: Readonly<Record<string, number>>;
  /** What became of received frames, by name as in `Fate`; only what happened. */
  readonly fates: Readonly<Record<string, number>>;
  /** Mbufs of 192 bytes and of 2,048 bytes. */
  readonly mbufs: { readonly small: PoolReport; readonly cluster: PoolReport };
  /** The report as text for a person. */
  toString(): string;
}

/** States of a neighbour by number. */
const NEIGHBOR_STATES = ["incomplete", "reachable", "probe", "dead", "static"];
/** How many fates there can be. */
const FATES = 256;

/** Looks at the stack. */
export function netstat(
  engine: Engine,
  attachments: readonly Attachment[],
  routes: Iterable<Route>,
): Netstat {
  return {
    interfaces: ifIndices(engine).map((index) => interfaceReport(engine, attachments, index)),
    routes: [...routes],
    neighbors: neighbors(engine),
    destinations: destinations(engine),
    sockets: sockets(engine),
    counters: counters(engine),
    fates: fates(engine),
    mbufs: mbufs(engine),
    toString() {
      return renderNetstat(this);
    },
  };
}

function interfaceReport(
  engine: Engine,
  attachments: readonly Attachment[],
  index: number,
): InterfaceReport {
  const { Ifnet, Ifaddr } = layout;
  const ifnet = engine.calls.if_ptr(index);
  const addresses: string[] = [];
  let ifa = field.getU32(engine, ifnet, Ifnet.addrs);
  for (; ifa !== 0; ifa = field.getU32(engine, ifa, Ifaddr.next)) {
    const bits = bitsOf(field.getU32(engine, ifa, Ifaddr.mask));
    addresses.push(`${formatIpv4(field.getU32(engine, ifa, Ifaddr.addr))}/${bits}`);
  }
  const attachment = attachments.find((it) => it.index === index);
  return {
    ...ifStatistics(engine, index),
    driver: attachment?.driver.name ?? "loopback",
    addresses,
    hwaddr: hwaddrText(field.getHwaddr(engine, ifnet, Ifnet.hwaddr_hi)),
    down: attachment?.reason,
  };
}

function hwaddrText(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte === 0)) return "";
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function neighbors(engine: Engine): NeighborReport[] {
  const { calls, scratch } = engine;
  const list: NeighborReport[] = [];
  field.clear(engine, scratch, layout.IfReq.size);
  while (calls.arp_walk(list.length, scratch) >= 0) {
    const { addr, hwaddr, ifname, flags } = readIfReq(engine, scratch);
    list.push({
      address: addr!,
      hwaddr: hwaddrText(hwaddr!),
      interface: ifname!,
      state: NEIGHBOR_STATES[flags!] ?? String(flags),
    });
    field.clear(engine, scratch, layout.IfReq.size);
  }
  return list;
}

function sockets(engine: Engine): SocketReport[] {
  const { Socket } = layout;
  const list: SocketReport[] = [];
  for (let i = 0; i < engine.calls.so_limit(); i++) {
    const so = engine.calls.so_at(i);
    if (field.getU32(engine, so, Socket.inuse) !== 0) list.push(socketReport(engine, so));
  }
  return list;
}

function socketReport(engine: Engine, so: number): SocketReport {
  const { Socket, Protosw, TcpInfo } = layout;
  const { calls, scratch } = engine;
  const row = field.getU32(engine, so, Socket.proto);
  const family = field.getU16(engine, so, Socket.family);
  const inet = family === Af.INET;
  const number = field.getU16(engine, row, Protosw.protocol) ||
    (inet ? rawProtocol(engine, so) : 0);
  const stream = field.getU16(engine, so, Socket.type) === Sock.STREAM;
  const local = calls.so_sockname(so, scratch) < 0 ? "*" : nameText(engine);
  const remote = calls.so_peername(so, scratch) < 0 ? "*" : nameText(engine);
  const info = stream && number === IpProto.TCP &&
    calls.so_getopt(so, IpProto.TCP, TcpOpt.INFO, scratch, TcpInfo.size) >= 0;
  const told = (offset: number) => info ? field.getU32(engine, scratch, offset) : 0;
  return {
    protocol: inet ? protocolName(number) : FAMILIES[family] ?? `family ${family}`,
    fd: field.getU32(engine, so, Socket.fd) | 0,
    local,
    remote,
    state: !inet
      ? otherState(engine, so)
      : stream
      ? stateName(engine, so, info ? told(TcpInfo.state) : TcpState.CLOSED)
      : "",
    recvQueue: field.getU32(engine, so, Socket.rcv_cc),
    sendQueue: field.getU32(engine, so, Socket.snd_cc),
    retransmits: told(TcpInfo.rexmt_segments),
    srtt_us: told(TcpInfo.srtt_us),
    ...(info ? { tcp: readTcpInfo(engine) } : {}),
  };
}

/** Names of families beside the internet's. */
const FAMILIES: Readonly<Record<number, string>> = {
  [Af.UNIX]: "unix",
  [Af.ROUTE]: "route",
  [Af.NDD]: "packet",
};

function otherState(engine: Engine, so: number): string {
  const { options, state } = layout.Socket;
  if (field.getU32(engine, so, options) & Opt.ACCEPTCONN) return "LISTEN";
  return field.getU32(engine, so, state) & Ss.ISCONNECTED ? "CONNECTED" : "";
}

/** What TCP_INFO has written to the scratch area. */
function readTcpInfo(engine: Engine): TcpInfo {
  const values = Object.entries(TCP_INFO_FIELDS).filter(([name]) => name !== "size")
    .map(([name, offset]) => [name, field.getU32(engine, engine.scratch, offset)]);
  return Object.fromEntries(values) as TcpInfo;
}

/** The protocol of a socket whose row of the protocol switch serves all. */
function rawProtocol(engine: Engine, so: number): number {
  const pcb = field.getU32(engine, so, layout.Socket.pcb);
  return pcb === 0 ? 0 : engine.memory[pcb + layout.Inpcb.protocol];
}

function protocolName(number: number): string {
  if (number === IpProto.TCP) return "tcp";
  return number === IpProto.UDP ? "udp" : `ip ${number}`;
}

function stateName(engine: Engine, so: number, state: number): string {
  const options = field.getU32(engine, so, layout.Socket.options);
  if (options & Opt.ACCEPTCONN) return "LISTEN";
  const closed = field.getU32(engine, so, layout.Socket.state) & Ss.ISCONNECTED ? "" : "CLOSED";
  return TCP_STATE_NAMES[state]?.name ?? closed;
}

function nameText(engine: Engine): string {
  const { address, port, path, interface: index } = readSockAddr(engine, engine.scratch);
  if (path !== undefined) return path.replace(/^\0/, "@") || "*";
  if (index !== undefined) return index === 0 ? "*" : `interface ${index}`;
  return `${address === "0.0.0.0" ? "*" : address}:${port === 0 ? "*" : port}`;
}

/** The counters that have a name. */
export function counters(engine: Engine): Record<string, number> {
  const table = engine.calls.counters();
  const named: Record<string, number> = {};
  for (let i = 0; i < Stat.COUNT; i++) {
    const name = STAT_NAMES[i]?.name;
    if (name !== undefined) named[name] = field.getU64(engine, table, 8 * i);
  }
  return named;
}

/** What became of received frames; only what happened. */
export function fates(engine: Engine): Record<string, number> {
  const table = engine.calls.fates();
  const named: Record<string, number> = {};
  for (let i = 0; i < FATES; i++) {
    const count = field.getU64(engine, table, 8 * i);
    if (count > 0) named[FATE_NAMES[i]?.name ?? `FATE_${i}`] = count;
  }
  return named;
}

/** The mbuf pools. */
export function mbufs(engine: Engine): { small: PoolReport; cluster: PoolReport } {
  const { calls, scratch } = engine;
  calls.pool_stats(scratch);
  const pool = (at: number): PoolReport => ({
    used: field.getU32(engine, scratch, at),
    peak: field.getU32(engine, scratch, at + 4),
    limit: field.getU32(engine, scratch, at + 8),
    denied: field.getU32(engine, scratch, at + 12),
  });
  return { small: pool(0), cluster: pool(16) };
}
