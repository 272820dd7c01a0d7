/**
 * `ping`: echo requests to a host.
 *
 * @module
 */

import type { PingEvent, PingSummary } from "../ping.ts";
import { type CommandDefinition, jsonLine, seconds, whole } from "./command.ts";
import { milliseconds } from "./text.ts";

/** The definition. */
export const ping: CommandDefinition = {
  name: "ping",
  about: "Asks a host for echoes from a stack, and shows what comes back.",
  examples: [
    ["10.0.0.2", "once a second, until Ctrl-C"],
    ["-c 3 -i 0.2 10.0.0.2", "three times, five a second"],
    ["-c 1 -s 1472 10.0.0.2", "with 1,472 bytes"],
  ],
  define: (command) =>
    command
      .argument("<host>", "IPv4 address")
      .option("-c <count>", "end after so many requests", whole(1, 2 ** 31))
      .option("-i <seconds>", "time from one to the next; 1 unless told", seconds)
      .option("-W <seconds>", "how long each is waited for; 1 unless told", seconds)
      .option("-s <bytes>", "what a request carries; 56 unless told", whole(0, 65_507))
      .option("-t, --ttl <hops>", "TTL of the requests", whole(1, 255))
      .option("-I, --source <address>", "source address")
      .option("-n", "addresses are numbers (they always are)")
      .option("-q", "only the figures at the end"),
  run: async (run) => {
    const { c: count, i, W, s: size = 56, ttl, source, q: quiet } = run.options;
    const [address] = run.args;
    const us = (value: unknown) => value === undefined ? undefined : Number(value) * 1_000_000;
    const params = { address, count, interval_us: us(i), timeout_us: us(W), size, ttl, source };
    let received = 0;
    let begun = false;
    for await (const event of run.ask<PingEvent>("ping", params)) {
      if (event.kind === "summary") received = event.received;
      if (run.json) {
        run.out(jsonLine(event));
        continue;
      }
      if (!begun) run.out(`PING ${address}: ${size} data bytes\n`);
      begun = true;
      if (event.kind === "summary") run.out(summaryText(address, event));
      else if (!quiet) run.out(`${pingLine(event)}\n`);
    }
    return received > 0 ? 0 : 1;
  },
};

function pingLine(event: Exclude<PingEvent, PingSummary>): string {
  if (event.kind === "reply") {
    const { bytes, address, seq, ttl, rtt_us, duplicate } = event;
    return `${bytes} bytes from ${address}: icmp_seq=${seq} ttl=${ttl} ` +
      `time=${milliseconds(rtt_us)}${duplicate ? " (DUP!)" : ""}`;
  }
  const { kind, seq, address, message } = event;
  if (kind === "error") return `From ${address} icmp_seq=${seq} ${message}`;
  return kind === "timeout" ? `Request timeout for icmp_seq ${seq}` : `ping: ${message}`;
}

function summaryText(address: string, it: PingSummary): string {
  const { transmitted, received, duplicates, errors } = it;
  const loss = transmitted === 0 ? 0 : 100 * (transmitted - received) / transmitted;
  const parts = [`${transmitted} packets transmitted`, `${received} packets received`];
  if (duplicates > 0) parts.push(`+${duplicates} duplicates`);
  if (errors > 0) parts.push(`+${errors} errors`);
  parts.push(`${loss.toFixed(1)}% packet loss`);
  const lines = ["", `--- ${address} ping statistics ---`, parts.join(", ")];
  if (received > 0) {
    const times = [it.min_us, it.avg_us, it.max_us, it.stddev_us];
    const text = times.map((us) => (us / 1000).toFixed(3)).join("/");
    lines.push(`round-trip min/avg/max/stddev = ${text} ms`);
  }
  return lines.join("\n") + "\n";
}
