/**
 * Runs in a network namespace of its own, made by tap_server_test.ts: starts the server on a TAP
 * device, lets this machine's programs talk to it, ends it as Ctrl-C does, and prints what happened
 * as JSON.
 *
 * @module
 */

/** What the parent checks. */
export interface Happened {
  /** What the server printed. */
  readonly served: string;
  /** Its exit status. */
  readonly status: number;
  /** Addresses on the device before and after. */
  readonly addresses: readonly string[];
  /** Exit status and output of each program, by name. */
  readonly programs: Readonly<Record<string, readonly [status: number, output: string]>>;
}

const ROOT = new URL("../../../", import.meta.url);
const DEVICE = "gwtest0";

async function run(program: string, ...args: string[]): Promise<[number, string]> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdin: "null",
    signal: AbortSignal.timeout(30_000),
  }).output();
  const decoder = new TextDecoder();
  return [code, decoder.decode(stdout) + decoder.decode(stderr)];
}

async function main(): Promise<Happened> {
  await run("ip", "tuntap", "add", "dev", DEVICE, "mode", "tap");
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "examples/start.ts", "--tap", DEVICE, "--port", "8080"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let served = "";
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const piece of server.stdout.pipeThrough(new TextDecoderStream())) {
      served += piece;
      if (served.includes("Ctrl-C ends it")) resolve();
    }
    resolve();
  })();
  await ready;
  const addresses = [(await run("ip", "-4", "-o", "addr", "show", "dev", DEVICE))[1]];
  const url = "http://10.9.0.2:8080";
  const file = await Deno.makeTempFile({ prefix: "tap_server_" });
  const programs = {
    ping: await run("ping", "-c", "1", "-W", "5", "10.9.0.2"),
    download: await run("curl", "-s", "-o", file, "-w", "%{size_download}", `${url}/data/5MiB`),
    upload: await run("curl", "-s", "-T", file, `${url}/upload`),
    sum: await run("sha256sum", file),
    netstat: await run("curl", "-s", `${url}/netstat`),
    nothing: await run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", `${url}/none`),
    refused: await run("curl", "-s", "http://10.9.0.2:81/"),
  };
  await Deno.remove(file);
  server.kill("SIGINT");
  const { code } = await server.status;
  await reading;
  addresses.push((await run("ip", "-4", "-o", "addr", "show", "dev", DEVICE))[1]);
  return { served, status: code, addresses, programs };
}

if (import.meta.main) console.log(JSON.stringify(await main()));
