/**
 * A network namespace behind the kernel: the kernel of the first one is the router on the way to
 * it. It ends with the program that holds it, and so with the run.
 *
 * @module
 */

import { run } from "./kernel.ts";
import { linesOf } from "./lines.ts";

/** Address of the host there. */
export const BEYOND = "10.79.0.2";
const ROUTER = "10.79.0.1";

/** The namespace. */
export class Beyond implements AsyncDisposable {
  readonly #holder: Deno.ChildProcess;

  private constructor(holder: Deno.ChildProcess) {
    this.#holder = holder;
  }

  /** Makes it, and joins it to the kernel by a pair of devices; its default route is the kernel. */
  static async open(): Promise<Beyond> {
    const holder = new Deno.Command("unshare", {
      args: ["--net", "sh", "-c", "echo ready; exec cat"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const beyond = new Beyond(holder);
    for await (const _ of linesOf(holder.stdout)) break;
    const there = ["nsenter", "--net", "-t", String(holder.pid)] as const;
    const pair = ["peer", "name", "gw4", "netns", String(holder.pid)];
    await run("ip", "link", "add", "gw3", "type", "veth", ...pair);
    await run("ip", "addr", "add", `${ROUTER}/24`, "dev", "gw3");
    await run("ip", "link", "set", "gw3", "up");
    const [program, ...args] = there;
    const ip = (...rest: string[]) => run(program, ...args, "ip", ...rest);
    await ip("link", "set", "lo", "up");
    await ip("link", "set", "gw4", "up");
    await ip("addr", "add", `${BEYOND}/24`, "dev", "gw4");
    await ip("route", "add", "default", "via", ROUTER);
    return beyond;
  }

  /** Lets the namespace go, and the pair with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.stdin.close();
    await this.#holder.status;
  }
}
