/**
 * Tables and words of the commands.
 *
 * @module
 */

import { Table } from "console-table-printer";
import { Iff } from "../../assembly/abi/ifnet.ts";
import { Rtf } from "../../assembly/abi/route.ts";
import { maskOf, parseIpv4 } from "../../runtime/socket/inet_addr.ts";
import { UsageError } from "./command.ts";

const BLANK = { left: "", mid: "", right: "", other: "" };
const STYLE = {
  headerTop: BLANK,
  headerBottom: BLANK,
  tableBottom: BLANK,
  vertical: "",
  rowSeparator: BLANK,
};

/** Rows under headings without lines between them; columns of numbers are set to the right. */
export function table(
  titles: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  colour: boolean,
): string {
  const printed = new Table({
    shouldDisableColors: true,
    style: STYLE,
    columns: titles.map((title, i) => ({
      name: String(i),
      title,
      alignment: rows.length > 0 && rows.every((row) => typeof row[i] === "number")
        ? "right"
        : "left",
    })),
  });
  for (const row of rows) printed.addRow(Object.fromEntries(row.map((cell, i) => [i, cell])));
  const lines = printed.render().split("\n").filter((line) => line.trim() !== "")
    .map((line) => line.replace(/^ /, "").trimEnd());
  if (lines.length > 0) lines[0] = strong(lines[0], colour);
  return lines.join("\n") + "\n";
}

/** A heading. */
export function strong(text: string, colour: boolean): string {
  return colour ? `\x1b[1m${text}\x1b[0m` : text;
}

/** Microseconds as `0.123 ms`. */
export function milliseconds(us: number): string {
  return `${(us / 1000).toFixed(3)} ms`;
}

/** Names of interface flags. */
const IF_FLAGS: readonly (readonly [number, string])[] = [
  [Iff.UP, "UP"],
  [Iff.BROADCAST, "BROADCAST"],
  [Iff.DEBUG, "DEBUG"],
  [Iff.LOOPBACK, "LOOPBACK"],
  [Iff.POINTOPOINT, "POINTOPOINT"],
  [Iff.RUNNING, "RUNNING"],
  [Iff.NOARP, "NOARP"],
  [Iff.PROMISC, "PROMISC"],
  [Iff.ALLMULTI, "ALLMULTI"],
  [Iff.SIMPLEX, "SIMPLEX"],
  [Iff.MULTICAST, "MULTICAST"],
];

/** Flags of an interface as `49<UP,LOOPBACK,RUNNING>`. */
export function interfaceFlags(flags: number): string {
  const names = IF_FLAGS.filter(([bit]) => flags & bit).map(([, name]) => name);
  return `${flags.toString(16)}<${names.join(",")}>`;
}

/** Letters of route flags, as in BSD's netstat. */
const ROUTE_FLAGS: readonly (readonly [number, string])[] = [
  [Rtf.UP, "U"],
  [Rtf.GATEWAY, "G"],
  [Rtf.HOST, "H"],
  [Rtf.STATIC, "S"],
  [Rtf.DYNAMIC, "D"],
  [Rtf.MODIFIED, "M"],
  [Rtf.REJECT, "R"],
  [Rtf.BLACKHOLE, "B"],
  [Rtf.LOCAL, "l"],
  [Rtf.BROADCAST, "b"],
];

/** Flags of a route as `UGS`. */
export function routeFlags(flags: number): string {
  return ROUTE_FLAGS.map(([bit, letter]) => flags & bit ? letter : "").join("");
}

/** Bits of a mask, `255.255.255.0` or `0xffffff00`. */
export function maskBits(text: string): number {
  const mask = /^0x[\da-f]{8}$/i.test(text) ? Number(text) : parseIpv4(text);
  const bits = Array.from({ length: 33 }, (_, i) => i).find((i) => maskOf(i) >>> 0 === mask);
  if (bits === undefined) throw new UsageError(`"${text}" is no mask`);
  return bits;
}
