/**
 * `nc`: bytes to and from a peer.
 *
 * @module
 */

import { RequestError } from "../request.ts";
import type { NetcatEvent } from "../netcat.ts";
import {
  type CommandDefinition,
  jsonLine,
  type Run,
  seconds,
  UsageError,
  whole,
} from "./command.ts";

/** Most ports of one scan. */
const SCAN_PORTS_MAX = 1024;

/** The definition. */
export const nc: CommandDefinition = {
  name: "nc",
  about: "Joins the standard input and output with a peer of a stack, by TCP or UDP.",
  examples: [
    ["10.0.0.2 80 < request", "sends a file, prints the answer"],
    ["-l 8080", "waits for a connection"],
    ["-k -l 8080", "and for more when it has ended"],
    ["-u 10.0.0.2 53", "by UDP"],
    ["-z -w 1 10.0.0.2 20-25", "which ports are open"],
  ],
  define: (command) =>
    command
      .argument("[host]", "IPv4 address of the peer; with -l our own")
      .argument("[port]", "port; with -z also a range, 20-25")
      .option("-l", "listen")
      .option("-k", "with -l: go on when a connection has ended")
      .option("-u", "UDP rather than TCP")
      .option("-z", "only see whether somebody listens")
      .option("-p <port>", "port to call from, or to listen on", whole(1, 65_535))
      .option("-w <seconds>", "longest to wait for a connection, and for data", seconds)
      .option("-n", "addresses are numbers (they always are)")
      .option("-v", "tell what happens"),
  run: async (run) => {
    const { l: listen, k: keep, u: udp, z: scan, p, w } = run.options;
    if (keep && !listen) throw new UsageError("-k goes with -l");
    if (scan && listen) throw new UsageError("-z and -l exclude each other");
    const { host, ports } = placeOf(run);
    const localPort = listen ? undefined : p;
    const wait_us = w === undefined ? undefined : Number(w) * 1_000_000;
    let status = 0;
    for (const port of ports) {
      const params = { host, port, listen, keep, udp, scan, localPort, wait_us };
      const good = scan ? await probe(run, params) : await exchange(run, params);
      if (!good) status = 1;
    }
    return status;
  },
};

/** Address and ports; of one argument with `-l` it is the port. */
function placeOf({ args, options }: Run): { host: string | undefined; ports: number[] } {
  const { l: listen, p, z: scan } = options;
  const alone = listen && args.length === 1 && p === undefined;
  const host = alone ? undefined : args[0];
  const text = alone ? args[0] : args[1] ?? (listen ? String(p ?? "") : "");
  if (host === undefined && !listen) throw new UsageError("a host and a port are wanted");
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1] ?? 0);
  const last = Number(match?.[2] ?? first);
  if (match === null || first < 1 || last > 65_535 || last < first) {
    throw new UsageError(`a port from 1 to 65535 is wanted, not "${text}"`);
  }
  if (last > first && !scan) throw new UsageError("a range of ports goes with -z");
  if (last - first >= SCAN_PORTS_MAX) throw new UsageError(`at most ${SCAN_PORTS_MAX} ports`);
  return { host, ports: Array.from({ length: last - first + 1 }, (_, i) => first + i) };
}

async function probe(run: Run, params: Record<string, unknown>): Promise<boolean> {
  const { host, port } = params;
  try {
    for await (const _ of run.ask<NetcatEvent>("netcat", params));
    if (run.json) run.out(jsonLine({ host, port, open: true }));
    else run.out(`Connection to ${host} port ${port} succeeded\n`);
    return true;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { code = "" } = error as { code?: string };
    if (code === "ENOENT") throw error;
    if (run.json) run.out(jsonLine({ host, port, open: false, error: code }));
    else if (run.options.v) run.err(`nc: ${host} port ${port}: ${error.message}\n`);
    return false;
  }
}

async function exchange(run: Run, params: Record<string, unknown>): Promise<boolean> {
  for await (const event of run.ask<NetcatEvent>("netcat", params)) {
    if (run.json) {
      const { data, ...rest } = event as { data?: Uint8Array };
      run.out(jsonLine(data ? { ...rest, text: new TextDecoder().decode(data) } : rest));
    } else if (event.kind === "data") run.out(event.data);
    else if (run.options.v && event.kind !== "end") {
      run.err(`${event.kind} ${event.address} ${event.port}\n`);
    }
  }
  if (run.signal.aborted) throw new RequestError("interrupted", "EINTR");
  return true;
}
