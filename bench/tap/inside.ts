/**
 * One bulk transfer with the kernel: `inside.ts send|receive|veth BYTES`. To be started as root in
 * a network namespace of its own. Prints Gbit/s, of the payload from the first byte to the last.
 *
 * `send` and `receive` are the roles of the stack, on a TAP device with offloads; its peer is dd(1)
 * on a kernel socket. `veth` is iperf3 between two namespaces, with the offloads of the kernel.
 */

import { TapDriver } from "../../drivers/tap.ts";
import { createStack, type TcpConn } from "../../mod.ts";

const [kind, wanted] = Deno.args;
const BYTES = Number(wanted);
const CHUNK_BYTES = 1 << 18;
const PORT = 7000;

async function output(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

/** Sends, or receives, until all is acknowledged; answers the seconds it took. */
async function move(conn: TcpConn): Promise<number> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  const sending = kind === "send";
  let done = sending ? 0 : await conn.read(chunk) ?? 0;
  const began_ms = performance.now();
  if (sending) {
    while (done < BYTES) done += await conn.write(chunk.subarray(0, BYTES - done));
    await conn.closeWrite();
    while (await conn.read(chunk) !== null);
  } else {
    for (let n = await conn.read(chunk); n !== null; n = await conn.read(chunk)) done += n;
  }
  if (done !== BYTES) throw new Error(`${done} bytes came, ${BYTES} were sent`);
  return (performance.now() - began_ms) / 1000;
}

/** The stack and a kernel socket. */
async function overTap(): Promise<number> {
  const driver = new TapDriver({ name: "bench0", offload: true });
  await using stack = await createStack({
    interfaces: [{ driver, addresses: ["10.9.0.2/24"] }],
  });
  await output("ip", "addr", "add", "10.9.0.1/24", "dev", "bench0");
  using listener = stack.listen({ port: PORT });
  const dd = `dd bs=${CHUNK_BYTES} status=none`;
  const way = kind === "send"
    ? `${dd} of=/dev/null <&3`
    : `${dd} if=/dev/zero count=${BYTES} iflag=count_bytes >&3`;
  const peer = output("bash", "-c", `exec 3<>/dev/tcp/10.9.0.2/${PORT}; ${way}`);
  using conn = await listener.accept();
  const seconds = await move(conn);
  await peer;
  return BYTES * 8 / seconds / 1e9;
}

/** Two kernels. */
async function overVeth(): Promise<number> {
  const far = new Deno.Command("unshare", {
    args: ["--net", "cat"],
    stdin: "piped",
    stdout: "null",
  }).spawn();
  const inFar = (...args: string[]) => ["--net", "-t", String(far.pid), ...args];
  const here = await Deno.readLink("/proc/self/ns/net");
  while (await Deno.readLink(`/proc/${far.pid}/ns/net`) === here) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const pair = ["veth0", "type", "veth", "peer", "name", "veth1", "netns", String(far.pid)];
  await output("ip", "link", "add", ...pair);
  await output("ip", "addr", "add", "10.9.0.1/24", "dev", "veth0");
  await output("ip", "link", "set", "veth0", "up");
  await output("nsenter", ...inFar("ip", "addr", "add", "10.9.0.2/24", "dev", "veth1"));
  await output("nsenter", ...inFar("ip", "link", "set", "veth1", "up"));
  const server = output("nsenter", ...inFar("timeout", "60", "iperf3", "-s", "-1"));
  for (;;) {
    const listening = await output("nsenter", ...inFar("cat", "/proc/net/tcp", "/proc/net/tcp6"));
    // State 0A is LISTEN; 1451 is iperf3's port.
    if (/:1451 \S+ 0A/.test(listening)) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const args = ["-c", "10.9.0.2", "-n", String(BYTES), "--json"];
  const { end } = JSON.parse(await output("iperf3", ...args));
  await server;
  far.stdin.close();
  await far.status;
  return end.sum_received.bits_per_second / 1e9;
}

console.log(kind === "veth" ? await overVeth() : await overTap());
