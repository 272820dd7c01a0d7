/**
 * `deno task bench:impaired`: goodput through a bad network, with the kernel as the peer over TAP.
 * Three ways through the same kind of wire, in one run: the stack sends, the stack receives, and
 * one kernel sends to another through a stack that only forwards.
 *
 * Needs root and Linux; everything happens in network namespaces that vanish with the program.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Table } from "console-table-printer";
import { linesOf, RESULT, type Result } from "./result.ts";

const HELP = `deno task bench:impaired [OPTIONS]
    Goodput over TAP through 1 % loss, 20 ms each way and reordering, beside that of the kernel.
      --seconds N   length of each transfer, 1 to 60; 10 unless told
      --repeats N   transfers of each kind, 1 to 50; 5 unless told
      --help        this text`;

function refuse(words: string): never {
  console.error(`bench:impaired: ${words}\nTry: deno task bench:impaired --help`);
  Deno.exit(2);
}

function whole(name: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  return refuse(`--${name} must be a whole number from 1 to ${most}, not "${text}"`);
}

function parse() {
  try {
    return parseArgs({
      args: Deno.args,
      options: {
        seconds: { type: "string", default: "10" },
        repeats: { type: "string", default: "5" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const values = parse();
if (values.help) {
  console.log(HELP);
  Deno.exit(0);
}
const seconds = whole("seconds", values.seconds, 60);
const repeats = whole("repeats", values.repeats, 50);
if (Deno.build.os !== "linux" || Deno.uid() !== 0) refuse("this needs root on Linux");
const limit = 60 + repeats * 3 * (seconds + 20);
const child = new Deno.Command("timeout", {
  args: [
    ...["-k", "5", `${limit}`, "unshare", "--net", "--", Deno.execPath()],
    ...["run", "-A", "--no-check", "--unstable-net"],
    ...[new URL("./inside.ts", import.meta.url).pathname, `${seconds}`, `${repeats}`],
  ],
  stdin: "null",
  stdout: "piped",
  stderr: "inherit",
}).spawn();

const results: Result[] = [];
for await (const line of linesOf(child.stdout)) {
  if (!line.startsWith(RESULT)) {
    console.error(line);
    continue;
  }
  const result: Result = JSON.parse(line.slice(RESULT.length));
  results.push(result);
  console.error(`${result.way}: ${result.mbit_s.toFixed(2)} Mbit/s`);
}
const { code } = await child.status;
const of = (way: Result["way"]) => results.filter((r) => r.way === way).map((r) => r.mbit_s);
const reference = median(of("kernel to kernel"));
const table = new Table({
  columns: [
    { name: "way", alignment: "left" },
    { name: "median", title: "Mbit/s", alignment: "right" },
    { name: "least", alignment: "right" },
    { name: "most", alignment: "right" },
    { name: "ratio", title: "to kernel to kernel", alignment: "right" },
  ],
});
for (const way of ["stack to kernel", "kernel to stack", "kernel to kernel"] as const) {
  const figures = of(way);
  if (figures.length === 0) continue;
  table.addRow({
    way,
    median: median(figures).toFixed(2),
    least: Math.min(...figures).toFixed(2),
    most: Math.max(...figures).toFixed(2),
    ratio: (median(figures) / reference).toFixed(2),
  });
}
table.printTable();
Deno.exit(code);
