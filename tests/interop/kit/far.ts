/**
 * A second network namespace, the far one, which nothing joins to the first but the stack: a TAP
 * device of the stack is moved there. It ends with the program that holds it, and so with the run.
 *
 * @module
 */

import { TapDriver } from "../../../drivers/tap.ts";
import type { Stack } from "../../../runtime/stack.ts";
import { attempt, type Outcome, run } from "./kernel.ts";
import { linesOf } from "./lines.ts";

/** Name of the device there. */
export const FAR_DEVICE = "gw2";
/** The far kernel's address. */
export const FAR = "10.78.0.1";
/** The stack's address there. */
export const FAR_GODWIT = "10.78.0.2";

/** The far namespace. */
export class Far implements AsyncDisposable {
  readonly #holder: Deno.ChildProcess;
  readonly #stack: Stack;

  private constructor(stack: Stack, holder: Deno.ChildProcess) {
    this.#stack = stack;
    this.#holder = holder;
  }

  /** Makes the namespace, and joins the stack to it; its default route leads to the stack. */
  static async open(stack: Stack, offload: boolean): Promise<Far> {
    const holder = new Deno.Command("unshare", {
      args: ["--net", "sh", "-c", "echo ready; exec cat"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const far = new Far(stack, holder);
    for await (const _ of linesOf(holder.stdout)) break;
    await stack.attach(new TapDriver({ name: FAR_DEVICE, offload }), {
      name: FAR_DEVICE,
      addresses: [`${FAR_GODWIT}/24`],
    });
    await run("ip", "link", "set", FAR_DEVICE, "netns", String(holder.pid));
    const ipv6 = "/proc/sys/net/ipv6/conf/all/disable_ipv6";
    await far.run("sh", "-c", `[ ! -e ${ipv6} ] || echo 1 > ${ipv6}`);
    await far.run("ip", "link", "set", "lo", "up");
    await far.run("ip", "link", "set", FAR_DEVICE, "up");
    await far.run("ip", "addr", "add", `${FAR}/24`, "dev", FAR_DEVICE);
    await far.run("ip", "route", "add", "default", "via", FAR_GODWIT);
    return far;
  }

  /** What runs a program there. */
  command(...command: string[]): [string, ...string[]] {
    return ["nsenter", "--net", "-t", String(this.#holder.pid), ...command];
  }

  /** Runs a program there; throws if its status is not 0. */
  run(...command: string[]): Promise<string> {
    return run(...this.command(...command));
  }

  /** Runs a program there, whatever its status. */
  attempt(...command: string[]): Promise<Outcome> {
    return attempt(...this.command(...command));
  }

  /** Takes the stack's interface away, and lets the namespace go. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.detach(FAR_DEVICE);
    await this.#holder.stdin.close();
    await this.#holder.status;
  }
}
