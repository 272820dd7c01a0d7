/**
 * The server on a TAP device: this machine's own ping and curl reach it.
 *
 * @module
 */

import { TapDriver } from "../../drivers/tap.ts";
import { createStack } from "../../mod.ts";
import type { Prefix, TapOptions } from "./options.ts";
import { interrupted, logReport, openControl, openServer } from "./server_job.ts";
import type { JobOutput } from "./two_hosts.ts";

/** Serves until Ctrl-C; answers true. Throws if the device cannot be had. */
export async function runTapServer(options: TapOptions, output: JobOutput): Promise<boolean> {
  const driver = new TapDriver({ name: options.device });
  await using stack = await createStack({
    ...options.settings,
    hostname: "server",
    interfaces: [{ driver, name: "eth0", addresses: [text(options.address)] }],
  });
  const { port, seed } = options;
  await using _control = await openControl(stack, options.control, output);
  const http = openServer(stack, { address: options.address.address, port, seed }, output);
  const stop = interrupted();
  const configured = await configureHost(options, output);
  try {
    output.log(invitation(options));
    await Promise.race([stop, http.finished]);
  } finally {
    http.close();
    if (configured) await ip("addr", "del", text(options.hostAddress), "dev", options.device);
  }
  logReport(stack, output);
  return true;
}

function text({ address, bits }: Prefix): string {
  return `${address}/${bits}`;
}

/** Gives this machine its address on the device; false if somebody else has done that. */
async function configureHost(options: TapOptions, output: JobOutput): Promise<boolean> {
  const { device } = options;
  const hostAddress = text(options.hostAddress);
  const known = await ip("-4", "-o", "addr", "show", "dev", device);
  if (known.good && known.words.includes(` ${hostAddress} `)) return false;
  const added = await ip("addr", "add", hostAddress, "dev", device);
  const up = added.good ? await ip("link", "set", device, "up") : added;
  if (up.good) return true;
  output.log(`this machine has no address on ${device} yet (${up.words}); run:`);
  output.log(`  sudo ip addr add ${hostAddress} dev ${device} && sudo ip link set ${device} up`);
  return added.good;
}

/** Runs iproute2; never throws. */
async function ip(...args: string[]): Promise<{ good: boolean; words: string }> {
  try {
    const { success, stdout, stderr } = await new Deno.Command("ip", { args, stdin: "null" })
      .output();
    return { good: success, words: new TextDecoder().decode(success ? stdout : stderr).trim() };
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    return { good: false, words: missing ? "there is no program ip" : String(error) };
  }
}

function invitation({ address: { address }, device, port }: TapOptions): string {
  const url = port === 80 ? `http://${address}` : `http://${address}:${port}`;
  return [
    `serving ${url}/ on ${device}; in another terminal, try:`,
    `  ping -c 3 ${address}`,
    `  curl ${url}/`,
    `  curl -o /dev/null ${url}/data/1GiB`,
    `  head -c 100M /dev/urandom | curl -T - ${url}/upload`,
    `  curl ${url}/netstat`,
    `Ctrl-C ends it.`,
  ].join("\n");
}
