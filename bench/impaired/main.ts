/**
 * `deno task bench:impaired`: goodput through a bad network, with the kernel as the peer over TAP.
 * Three ways through the same kind of wire, in one run: the stack sends, the stack receives, and
 * one kernel sends to another through a stack that only forwards.
 *
 * Needs root and Linux; everything happens in network namespaces that vanish with the program.
 *
 * @module
 */

import { Arguments } from "../arguments.ts";
import { linesOf } from "../lines.ts";
import { median } from "../statistics.ts";
import { textTable } from "../table.ts";
import { RESULT, type Result } from "./result.ts";

const SECONDS = 10;
const SECONDS_MAX = 60;
const REPEATS = 5;
const REPEATS_MAX = 50;
const COLUMNS = [
  { title: "way", alignment: "left" },
  { title: "Mbit/s", alignment: "right" },
  { title: "least", alignment: "right" },
  { title: "most", alignment: "right" },
  { title: "to kernel to kernel", alignment: "right" },
] as const;

const HELP = `deno task bench:impaired [OPTIONS]
    Goodput over TAP through 1 % loss, 20 ms each way and reordering, beside that of the kernel.
      --seconds N   length of each transfer, 1 to ${SECONDS_MAX}; ${SECONDS} unless told
      --repeats N   transfers of each kind, 1 to ${REPEATS_MAX}; ${REPEATS} unless told
      --help        this text`;

const args = new Arguments("bench:impaired");
const { values } = args.parse({
  options: {
    seconds: { type: "string" },
    repeats: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  console.log(HELP);
  Deno.exit(0);
}
const seconds = args.whole("seconds", values.seconds, SECONDS_MAX, SECONDS);
const repeats = args.whole("repeats", values.repeats, REPEATS_MAX, REPEATS);
if (Deno.build.os !== "linux" || Deno.uid() !== 0) args.refuse("this needs root on Linux");
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
const rows = (["stack to kernel", "kernel to stack", "kernel to kernel"] as const).flatMap(
  (way) => {
    const figures = of(way);
    if (figures.length === 0) return [];
    const shown = [median(figures), Math.min(...figures), Math.max(...figures)];
    return [[
      way,
      ...shown.map((figure) => figure.toFixed(2)),
      (median(figures) / reference).toFixed(2),
    ]];
  },
);
console.log(textTable(COLUMNS, rows));
Deno.exit(code);
