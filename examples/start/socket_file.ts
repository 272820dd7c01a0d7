/**
 * Two hosts in two processes, joined by a socket file: one serves HTTP, the other downloads and
 * checks every byte.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { StreamDriver } from "../../drivers/stream.ts";
import { createStack, type Stack } from "../../mod.ts";
import { Content } from "./content.ts";
import { bitRate, bytes } from "./format.ts";
import { type Download, download } from "./http_client.ts";
import type { GetOptions, ServeOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import { interrupted, logReport, openControl, openServer } from "./server_job.ts";
import type { JobOutput } from "./two_hosts.ts";

const CLIENT = "10.9.0.1";
const SERVER = "10.9.0.2";
const PORT = 80;
/** How often the client looks whether the server's process is still there. */
const LOOK_MS = 50;

/** Serves one process after the other, until Ctrl-C; answers true. */
export async function runFileServer(options: ServeOptions, output: JobOutput): Promise<boolean> {
  const { file: path, seed } = options;
  const driver = new StreamDriver({ listen: { path } }, { reconnect: true });
  await using stack = await createStack({
    ...options.settings,
    hostname: "server",
    interfaces: [{ driver, name: "eth0", addresses: [`${SERVER}/24`] }],
  });
  await using _control = await openControl(stack, options.control, output);
  const http = openServer(stack, { address: SERVER, port: PORT, seed }, output);
  const stop = interrupted();
  try {
    output.log(`serving http://${SERVER}/ behind ${path}; in another terminal, try:`);
    output.log(`  deno task start --get ${path}`);
    output.log("Ctrl-C ends it.");
    await Promise.race([stop, http.finished]);
  } finally {
    http.close();
  }
  logReport(stack, output);
  return true;
}

/** Downloads from the other process; answers true if every byte came through. */
export async function runFileClient(options: GetOptions, output: JobOutput): Promise<boolean> {
  const { file: path, size, seed } = options;
  await using stack = await createStack({
    ...options.settings,
    hostname: "client",
    interfaces: [{
      driver: new StreamDriver({ connect: { path } }),
      name: "eth0",
      addresses: [`${CLIENT}/24`],
    }],
  });
  await using _control = await openControl(stack, options.control, output);
  const target = `/data/${size}`;
  output.log(`GET http://${SERVER}${target} (${bytes(size)}) through ${path}`);
  const begin = performance.now();
  const { status, length, sha256 } = await whileJoined(stack, () => fetchAll(stack, size, output));
  const seconds = (performance.now() - begin) / 1000;
  const good = status === 200 && length === size && sha256 === expected(size, seed);
  output.log(`status ${status}, ${bytes(length)} in ${seconds.toFixed(2)} s`);
  output.log(`sha256 ${sha256}  ${good ? "as expected" : "NOT AS EXPECTED"}`);
  output.log(`throughput ${bitRate(length, seconds)}, with hashing and making the content`);
  return good;
}

async function fetchAll(stack: Stack, size: number, output: JobOutput): Promise<Download> {
  const progress = new Progress(output.progress, size);
  const source = { address: SERVER, port: PORT, target: `/data/${size}` };
  try {
    return await download(stack.sys, source, (length) => progress.update(length));
  } finally {
    progress.end();
  }
}

/** Does a job that ends as soon as the cable is gone: TCP alone would wait for its return. */
async function whileJoined<T>(stack: Stack, job: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const lost = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      const { reason } = stack.drivers.list()[0];
      if (reason !== undefined) reject(new Error(reason));
    }, LOOK_MS);
  });
  try {
    return await Promise.race([job(), lost]);
  } finally {
    clearInterval(timer);
  }
}

/** SHA-256 of what the server has for this seed. */
function expected(size: number, seed: number): string {
  const hash = createHash("sha256");
  const content = new Content(size, seed);
  while (content.done < size) hash.update(content.next());
  return hash.digest("hex");
}
