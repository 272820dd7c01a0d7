/**
 * Two hosts on a virtual Ethernet: one serves HTTP, the other downloads and checks every byte.
 *
 * @module
 */

import { dirname } from "node:path";
import type { CaptureWriter, FrameToWrite } from "../../drivers/capture.ts";
import { PcapngWriter } from "../../drivers/pcapng.ts";
import { pipe } from "../../drivers/pipe.ts";
import { TraceDriver } from "../../drivers/trace.ts";
import { createStack, type NetDriver, type SocketReport, type Stack } from "../../mod.ts";
import { bitRate, bytes, count } from "./format.ts";
import { download } from "./http_client.ts";
import { HttpServer, type Served } from "./http_server.ts";
import type { TwoHostsOptions } from "./options.ts";
import { Progress, type ProgressOutput } from "./progress.ts";
import { report, retransmissions } from "./report.ts";
import { openControl } from "./server_job.ts";

const CLIENT = "10.9.0.1";
const SERVER = "10.9.0.2";
const PORT = 80;
/** Frames of up to this many bytes are captured whole ... */
const WHOLE_BYTES = 256;
/** ... and of others so much: Ethernet, IPv4, TCP and its timestamps. */
const HEADER_BYTES = 66;

/** Where the job's words go. */
export interface JobOutput {
  /** A line for the person who started the job. */
  log(line: string): void;
  /** Where progress is shown. */
  readonly progress: ProgressOutput;
}

/** Does the job; answers true if every byte came through. */
export async function runTwoHosts(options: TwoHostsOptions, output: JobOutput): Promise<boolean> {
  if (options.capture === undefined) return await runPair(options, undefined, output);
  const capture = openCapture(options.capture, options.snaplen);
  let frames = 0;
  try {
    const good = await runPair(options, (driver) => {
      return new TraceDriver(driver, {
        writer: capture.writer,
        epoch_us: Date.now() * 1000 - performance.now() * 1000,
        onFrame: () => frames++,
      });
    }, output);
    capture.writer.close();
    const size = bytes(Deno.statSync(options.capture).size);
    output.log(`\n${options.capture}: ${count(frames)} frames, ${size}; open it with Wireshark`);
    return good;
  } finally {
    capture.close();
  }
}

/** Joins two stacks by a cable, the client's end of it as `tap` makes it, and ends them. */
async function runPair(
  options: TwoHostsOptions,
  tap: ((driver: NetDriver) => TraceDriver) | undefined,
  output: JobOutput,
): Promise<boolean> {
  const [clientEnd, serverEnd] = pipe({ mtu: options.mtu });
  const trace = tap?.(clientEnd);
  let good: boolean;
  {
    await using client = await createStack({
      ...options.settings,
      hostname: "client",
      seed: `client ${options.seed}`,
      interfaces: [{ driver: trace ?? clientEnd, name: "eth0", addresses: [`${CLIENT}/24`] }],
    });
    await using server = await createStack({
      ...options.settings,
      hostname: "server",
      seed: `server ${options.seed}`,
      interfaces: [{ driver: serverEnd, name: "eth0", addresses: [`${SERVER}/24`] }],
    });
    await using _control = await openControl(client, options.control, output);
    output.log(
      `client ${CLIENT}/24 ── virtual Ethernet, MTU ${options.mtu} ── ${SERVER}/24 server`,
    );
    good = await transfer(client, server, options, output);
  }
  if (trace?.failure) throw new Error(`the capture failed: ${words(trace.failure)}`);
  return good;
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
    sysctl: () => server.sysctl.toString(),
    onServed: (it) => served = it,
  });
  const target = `/data/${options.size}`;
  output.log(`GET http://${SERVER}${target} (${bytes(options.size)} of pseudo-random bytes)`);
  const progress = new Progress(output.progress, options.size);
  const begin = performance.now();
  const source = { address: SERVER, port: PORT, target };
  // At the end the connection is gone.
  let sockets: SocketReport[][] | undefined;
  const result = await download(client.sys, source, (length) => {
    progress.update(length);
    if (length * 2 < options.size) return;
    sockets ??= [client, server].map((stack) => [...stack.netstat().sockets]);
  }).finally(() => progress.end());
  const seconds = (performance.now() - begin) / 1000;
  const reports = [
    { name: "client", netstat: { ...client.netstat(), sockets: sockets?.[0] ?? [] } },
    { name: "server", netstat: { ...server.netstat(), sockets: sockets?.[1] ?? [] } },
  ];
  http.close();
  const good = result.status === 200 && result.length === options.size &&
    served?.sha256 === result.sha256;
  output.log(`status ${result.status}, ${bytes(result.length)} in ${seconds.toFixed(2)} s`);
  output.log(`sha256 sent      ${served?.sha256 ?? "(not finished)"}`);
  output.log(`sha256 received  ${result.sha256}  ${good ? "the same" : "NOT THE SAME"}`);
  const rate = bitRate(result.length, seconds);
  output.log(`throughput ${rate}, with making the content and hashing it on both sides`);
  output.log(`${retransmissions(reports)}\n`);
  output.log(report(reports, "Sockets, half way through"));
  return good;
}

/** A capture file being written. */
interface Capture {
  readonly writer: CaptureWriter;
  /** Closes the file; what the writer holds back is lost unless it was closed before. */
  close(): void;
}

function openCapture(path: string, snaplen: number | undefined): Capture {
  Deno.mkdirSync(dirname(path), { recursive: true });
  const file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const inner = new PcapngWriter((bytes) => {
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  });
  const writer: CaptureWriter = {
    addInterface: (iface) => inner.addInterface({ ...iface, snaplen: snaplen ?? 0 }),
    write: (frame) => inner.write(snaplen === undefined ? shorten(frame) : frame),
    flush: () => inner.flush(),
    close: () => inner.close(),
  };
  return { writer, close: () => file.close() };
}

/**
 * Small frames stay whole, so that ARP, handshakes and HTTP heads can be read; of bulk data the
 * headers stay, because no dissector could make sense of half a payload.
 */
function shorten(frame: FrameToWrite): FrameToWrite {
  const { length } = frame.data;
  if (length <= WHOLE_BYTES) return frame;
  return { ...frame, data: frame.data.subarray(0, HEADER_BYTES), originalLength: length };
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
