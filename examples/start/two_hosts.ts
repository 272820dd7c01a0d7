/**
 * Two hosts on a virtual Ethernet: one serves HTTP, the other downloads and checks every byte.
 *
 * @module
 */

import { dirname } from "node:path";
import type { CaptureWriter } from "../../drivers/capture.ts";
import { PcapngWriter } from "../../drivers/pcapng.ts";
import { pipe } from "../../drivers/pipe.ts";
import { TraceDriver } from "../../drivers/trace.ts";
import { createStack, type Stack } from "../../mod.ts";
import { bitRate, bytes, count } from "./format.ts";
import { download } from "./http_client.ts";
import { HttpServer, type Served } from "./http_server.ts";
import type { TwoHostsOptions } from "./options.ts";
import { Progress, type ProgressOutput } from "./progress.ts";
import { report, retransmissions } from "./report.ts";

const CLIENT = "10.9.0.1";
const SERVER = "10.9.0.2";
const PORT = 80;

/** Where the job's words go. */
export interface JobOutput {
  /** A line for the person who started the job. */
  log(line: string): void;
  /** Where progress is shown. */
  readonly progress: ProgressOutput;
}

/** Does the job; answers true if every byte came through. */
export async function runTwoHosts(options: TwoHostsOptions, output: JobOutput): Promise<boolean> {
  const capture = options.capture === undefined
    ? undefined
    : openCapture(options.capture, options.snaplen);
  try {
    const [clientEnd, serverEnd] = pipe({ mtu: options.mtu });
    const trace = capture && new TraceDriver(clientEnd, {
      writer: capture.writer,
      epoch_us: Date.now() * 1000 - performance.now() * 1000,
    });
    await using client = await createStack({
      hostname: "client",
      seed: `client ${options.seed}`,
      interfaces: [{ driver: trace ?? clientEnd, name: "eth0", addresses: [`${CLIENT}/24`] }],
    });
    await using server = await createStack({
      hostname: "server",
      seed: `server ${options.seed}`,
      interfaces: [{ driver: serverEnd, name: "eth0", addresses: [`${SERVER}/24`] }],
    });
    output.log(
      `client ${CLIENT}/24 ── virtual Ethernet, MTU ${options.mtu} ── ${SERVER}/24 server`,
    );
    const good = await transfer(client, server, options, output);
    if (trace?.failure) throw new Error(`the capture failed: ${words(trace.failure)}`);
    capture?.close();
    if (trace) {
      const path = options.capture!;
      const size = bytes(Deno.statSync(path).size);
      output.log(`\n${path}: ${count(trace.frames)} frames, ${size}; open it with Wireshark`);
    }
    return good;
  } finally {
    capture?.abandon();
  }
}

async function transfer(
  client: Stack,
  server: Stack,
  options: TwoHostsOptions,
  output: JobOutput,
): Promise<boolean> {
  let served: Served | undefined;
  const http = new HttpServer(server.sys, {
    address: SERVER,
    port: PORT,
    seed: options.seed,
    netstat: () => server.netstat().toString(),
    onServed: (it) => served = it,
  });
  const target = `/data/${options.size}`;
  output.log(`GET http://${SERVER}${target} (${bytes(options.size)} of pseudo-random bytes)`);
  const progress = new Progress(output.progress, options.size);
  const begin = performance.now();
  const source = { address: SERVER, port: PORT, target };
  const result = await download(client.sys, source, (length) => progress.update(length))
    .finally(() => progress.end());
  const seconds = (performance.now() - begin) / 1000;
  // Before the sockets are gone: they belong into the picture.
  const reports = [
    { name: "client", netstat: client.netstat() },
    { name: "server", netstat: server.netstat() },
  ];
  http.close();
  const good = result.status === 200 && result.length === options.size &&
    served?.sha256 === result.sha256;
  output.log(`status ${result.status}, ${bytes(result.length)} in ${seconds.toFixed(2)} s`);
  output.log(`sha256 sent      ${served?.sha256 ?? "(not finished)"}`);
  output.log(`sha256 received  ${result.sha256}  ${good ? "the same" : "NOT THE SAME"}`);
  const rate = bitRate(result.length, seconds);
  output.log(`throughput ${rate}, making and hashing the content twice included; `);
  output.log(`${retransmissions(reports)}\n`);
  output.log(report(reports));
  return good;
}

/** A capture file being written. */
interface Capture {
  readonly writer: CaptureWriter;
  /** Writes what is buffered and closes the file. */
  close(): void;
  /** Closes the file if that has not happened. */
  abandon(): void;
}

function openCapture(path: string, snaplen: number): Capture {
  Deno.mkdirSync(dirname(path), { recursive: true });
  const file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const inner = new PcapngWriter((bytes) => {
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  });
  const writer: CaptureWriter = {
    addInterface: (iface) => inner.addInterface({ ...iface, snaplen }),
    write: (frame) => inner.write(frame),
    flush: () => inner.flush(),
    close: () => inner.close(),
  };
  let open = true;
  const abandon = () => {
    if (open) file.close();
    open = false;
  };
  const close = () => {
    inner.close();
    abandon();
  };
  return { writer, close, abandon };
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
