/**
 * A netstat report as text: tables with aligned columns.
 *
 * @module
 */

import { Iff } from "../assembly/abi/ifnet.ts";
import { Rtf } from "../assembly/abi/route.ts";
import type { Netstat } from "./netstat.ts";

/** Letters of interface flags. */
const IF_LETTERS: readonly (readonly [number, string])[] = [
  [Iff.UP, "U"],
  [Iff.RUNNING, "R"],
  [Iff.BROADCAST, "B"],
  [Iff.MULTICAST, "M"],
  [Iff.LOOPBACK, "L"],
  [Iff.POINTOPOINT, "P"],
];
/** Letters of route flags, as in BSD's netstat. */
const ROUTE_LETTERS: readonly (readonly [number, string])[] = [
  [Rtf.UP, "U"],
  [Rtf.GATEWAY, "G"],
  [Rtf.HOST, "H"],
  [Rtf.STATIC, "S"],
  [Rtf.REJECT, "R"],
  [Rtf.BLACKHOLE, "B"],
  [Rtf.LOCAL, "l"],
  [Rtf.BROADCAST, "b"],
];

function letters(flags: number, table: readonly (readonly [number, string])[]): string {
  return table.map(([bit, letter]) => flags & bit ? letter : "").join("");
}

/** Rows under headings, in columns as wide as needed; columns of numbers are aligned right. */
export function table(head: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = rows.map((row) => row.map((cell) => String(cell)));
  const widths = head.map((title, i) =>
    Math.max(title.length, ...cells.map((row) => row[i].length))
  );
  const right = head.map((_, i) => rows.length > 0 && rows.every((r) => typeof r[i] === "number"));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => right[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))
      .join("  ").trimEnd();
  return [head, ...cells].map(line).join("\n");
}

/** The whole report. */
export function renderNetstat(report: Netstat): string {
  const parts = [
    section("Interfaces", interfaces(report)),
    section("Routes", routes(report)),
    section("Neighbors", neighbors(report)),
    section("Sockets", sockets(report)),
    section("Destinations", destinations(report)),
    section("Counters", pairs(report.counters)),
    section("Received frames", pairs(report.fates)),
    section("Mbufs", pools(report)),
  ];
  return parts.filter((part) => part !== "").join("\n\n") + "\n";
}

function section(title: string, text: string): string {
  return text === "" ? "" : `${title}\n${text}`;
}

function interfaces({ interfaces }: Netstat): string {
  const head = ["name", "driver", "flags", "mtu", "in", "in bytes", "in drops", "out", "out bytes"];
  const rows = interfaces.map((it) => [
    it.name,
    it.driver,
    letters(it.flags, IF_LETTERS),
    it.mtu,
    it.ipackets,
    it.ibytes,
    it.idrops,
    it.opackets,
    it.obytes,
    it.odrops,
    [...it.addresses, it.hwaddr].filter((text) => text !== "").join(" ") +
    (it.down === undefined ? "" : ` (down: ${it.down})`),
  ]);
  return table([...head, "out drops", "addresses"], rows);
}

function routes({ routes }: Netstat): string {
  const head = ["destination", "gateway", "flags", "metric", "use", "interface"];
  const rows = routes.map((it) => [
    it.destination === "0.0.0.0/0" ? "default" : it.destination,
    it.gateway === "" ? "link" : it.gateway,
    letters(it.flags, ROUTE_LETTERS),
    it.metric,
    it.use,
    it.interface,
  ]);
  return rows.length === 0 ? "" : table(head, rows);
}

function neighbors({ neighbors }: Netstat): string {
  const head = ["address", "hardware address", "interface", "state"];
  const rows = neighbors.map((it) => [it.address, it.hwaddr || "-", it.interface, it.state]);
  return rows.length === 0 ? "" : table(head, rows);
}

function sockets({ sockets }: Netstat): string {
  const head = ["fd", "proto", "recv-q", "send-q", "local", "remote", "state", "rexmt", "srtt ms"];
  const rows = sockets.map((it) => [
    it.fd,
    it.protocol,
    it.recvQueue,
    it.sendQueue,
    it.local,
    it.remote,
    it.state,
    it.retransmits,
    (it.srtt_us / 1000).toFixed(3),
  ]);
  return rows.length === 0 ? "" : table(head, rows);
}

function destinations({ destinations }: Netstat): string {
  const head = ["address", "source", "srtt ms", "rttvar ms", "ssthresh", "cwnd"];
  const ms = (us: number) => us === 0 ? "-" : (us / 1000).toFixed(3);
  const rows = destinations.map((it) => [
    it.address,
    it.source,
    ms(it.srtt_us),
    ms(it.rttvar_us),
    it.ssthresh || "-",
    it.cwnd || "-",
  ]);
  return rows.length === 0 ? "" : table(head, rows);
}

/** Counters that are not 0. */
function pairs(values: Readonly<Record<string, number>>): string {
  const rows = Object.entries(values).filter(([, count]) => count > 0)
    .map(([name, count]) => [count, name.toLowerCase().replaceAll("_", " ")]);
  return rows.length === 0 ? "" : table(["count", "what"], rows);
}

function pools({ mbufs }: Netstat): string {
  const rows = Object.entries(mbufs).map(([name, pool]) => [
    name,
    pool.used,
    pool.peak,
    pool.limit,
    pool.denied,
  ]);
  return table(["pool", "used", "peak", "limit", "denied"], rows);
}
