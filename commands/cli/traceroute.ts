/**
 * `traceroute`: the routers on the way to a host.
 *
 * @module
 */

import type { TraceProbe } from "../traceroute.ts";
import { host } from "../params.ts";
import { type CommandDefinition, jsonLine, seconds, whole } from "./command.ts";
import { milliseconds } from "./text.ts";

/** The definition. */
export const traceroute: CommandDefinition = {
  name: "traceroute",
  about: "Shows the routers on the way from a stack to a host.",
  examples: [
    ["10.8.0.1", "by UDP"],
    ["-I 10.8.0.1", "by ICMP"],
    ["-m 5 -q 1 -w 1 10.8.0.1", "five hops at most, one packet each"],
  ],
  define: (command) =>
    command
      .argument("<host>", "IPv4 address")
      .argument("[bytes]", "what a packet carries; 32 unless told", whole(0, 1400))
      .option("-I, --icmp", "send echo requests rather than UDP")
      .option("-n", "addresses are numbers (they always are)")
      .option("-f <ttl>", "TTL to begin with", whole(1, 255))
      .option("-m <ttl>", "largest TTL; 30 unless told", whole(1, 255))
      .option("-q <count>", "packets with each TTL; 3 unless told", whole(1, 10))
      .option("-w <seconds>", "how long an answer is waited for; 5 unless told", seconds)
      .option("-p <port>", "first port; 33434 unless told", whole(1, 65_535))
      .option("-s, --source <address>", "source address"),
  run: async (run) => {
    const { icmp, f: firstTtl, m: maxTtl = 30, q: queries, w, p: port, source } = run.options;
    const bytes = run.args[1] ?? "32";
    const address = host({ host: run.args[0] }, "host");
    const wait_us = w === undefined ? undefined : Number(w) * 1_000_000;
    const params = { address, icmp, firstTtl, maxTtl, queries, wait_us, port, source };
    if (!run.json) {
      run.out(`traceroute to ${address}, ${maxTtl} hops max, ${bytes} byte packets\n`);
    }
    let last: TraceProbe | undefined;
    let reached = false;
    for await (const probe of run.ask<TraceProbe>("traceroute", { ...params, size: +bytes })) {
      reached ||= probe.final && probe.rtt_us !== undefined;
      run.out(run.json ? jsonLine(probe) : probeText(probe, last));
      last = probe;
    }
    if (last !== undefined && !run.json) run.out("\n");
    return reached ? 0 : 1;
  },
};

/** What a packet adds to the output; the line of its TTL begins with the first one. */
function probeText(probe: TraceProbe, last: TraceProbe | undefined): string {
  const { ttl, address, rtt_us, mark } = probe;
  const same = last?.ttl === ttl;
  const begin = same ? "" : `${last === undefined ? "" : "\n"}${String(ttl).padStart(2)} `;
  if (address === undefined || rtt_us === undefined) return `${begin} ${mark === "" ? "*" : mark}`;
  const name = same && last?.address === address ? "" : ` ${address}`;
  return `${begin}${name}  ${milliseconds(rtt_us)}${mark === "" ? "" : ` ${mark}`}`;
}
