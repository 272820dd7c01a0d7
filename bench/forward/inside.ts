/**
 * How many packets a router sends on in a second: `inside.ts godwit|kernel MILLISECONDS`. To be
 * started as root in a network namespace of its own, where the router will be.
 *
 * ```
 *   namespace of the sender      this one                 namespace of the receiver
 *   sender.ts, a0  --- veth ---  ra, the router, rb  --- veth ---  b0, counts and drops
 * ```
 *
 * Datagrams of 64 bytes are sent as fast as a process can; what the receiver's device counts is
 * what came through. They are for a network behind the receiver, which is no router: it drops them
 * as soon as it has looked at their address.
 */

import { AfPacketDriver } from "../../drivers/af_packet.ts";
import { createStack } from "../../mod.ts";

const [kind, wanted] = Deno.args;
const WINDOW_MS = Number(wanted);
/** The sender's compiler, and the router's, have their time before. */
const WARM_MS = 700;

async function output(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`${command} ${args.join(" ")}: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A namespace that lives as long as the program that holds it. */
class Far {
  readonly #holder = new Deno.Command("unshare", {
    args: ["--net", "cat"],
    stdin: "piped",
    stdout: "null",
  }).spawn();

  /** Waits until it is there, and joins it to this one: `ours` here, `theirs` there. */
  async join(ours: string, theirs: string): Promise<void> {
    const here = await Deno.readLink("/proc/self/ns/net");
    while (await Deno.readLink(`/proc/${this.#holder.pid}/ns/net`) === here) await sleep(5);
    const there = ["type", "veth", "peer", "name", theirs, "netns", String(this.#holder.pid)];
    await output("ip", "link", "add", ours, ...there);
    await output("ip", "link", "set", ours, "up");
    await this.run("ip", "link", "set", theirs, "up");
  }

  /** A command there. */
  args(...command: string[]): string[] {
    return ["--net", "-t", String(this.#holder.pid), ...command];
  }

  run(...command: string[]): Promise<string> {
    return output("nsenter", ...this.args(...command));
  }

  async end(): Promise<void> {
    await this.#holder.stdin.close();
    await this.#holder.status;
  }
}

/** The kernel as the router; what ends it. */
async function kernel(): Promise<() => Promise<void>> {
  await output("ip", "addr", "add", "10.1.0.1/24", "dev", "ra");
  await output("ip", "addr", "add", "10.2.0.1/24", "dev", "rb");
  await output("ip", "route", "add", "10.3.0.0/16", "via", "10.2.0.2");
  await Deno.writeTextFile("/proc/sys/net/ipv4/ip_forward", "1");
  return () => Promise.resolve();
}

/** A stack as the router. */
async function godwit(): Promise<() => Promise<void>> {
  const device = (name: string) =>
    new AfPacketDriver({ interface: name, hwaddr: "interface", offload: false });
  const stack = await createStack({
    forwarding: true,
    interfaces: [
      { driver: device("ra"), addresses: ["10.1.0.1/24"] },
      { driver: device("rb"), addresses: ["10.2.0.1/24"] },
    ],
  });
  stack.route.add("10.3.0.0/16", { gateway: "10.2.0.2" });
  return () => stack.close();
}

async function received(far: Far): Promise<number> {
  const [{ stats64 }] = JSON.parse(await far.run("ip", "-j", "-s", "link", "show", "b0"));
  return stats64.rx.packets;
}

const [near, far] = [new Far(), new Far()];
await near.join("ra", "a0");
await far.join("rb", "b0");
await far.run("ip", "addr", "add", "10.2.0.2/24", "dev", "b0");
const [{ address }] = JSON.parse(await output("ip", "-j", "link", "show", "ra"));
const end = await (kind === "kernel" ? kernel() : godwit());
const sender = new URL("./sender.ts", import.meta.url).pathname;
const program = [Deno.execPath(), "run", "-A", "--no-check", sender, address];
const sending = new Deno.Command("nsenter", {
  args: near.args("timeout", "30", ...program, String(WARM_MS + WINDOW_MS + 500)),
  stdout: "piped",
}).spawn();
for await (const _ of sending.stdout) break;
await sleep(WARM_MS);
const [from, from_ms] = [await received(far), performance.now()];
await sleep(WINDOW_MS);
const [to, to_ms] = [await received(far), performance.now()];
await sending.status;
await end();
await Promise.all([near.end(), far.end()]);
console.log((to - from) / (to_ms - from_ms) / 1000);
