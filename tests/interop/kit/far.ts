/**
 * A second network namespace, the far one, which nothing joins to the first but the stack: a TAP
 * device of the stack is moved there. It ends with the program that holds it, and so with the run.
 *
 * @module
 */

import { TapDriver } from "../../../drivers/tap.ts";
import type { Stack } from "../../../runtime/stack.ts";
import { type Outcome, run } from "./kernel.ts";
import { Namespace } from "./namespace.ts";

/** Name of the device there. */
export const FAR_DEVICE = "gw2";
/** The far kernel's address. */
export const FAR = "10.78.0.1";
/** The stack's address there. */
export const FAR_GODWIT = "10.78.0.2";

/** The far namespace. */
export class Far implements AsyncDisposable {
  readonly #there: Namespace;
  readonly #stack: Stack;

  private constructor(stack: Stack, there: Namespace) {
    this.#stack = stack;
    this.#there = there;
  }

  /** Makes the namespace, and joins the stack to it; its default route leads to the stack. */
  static async open(stack: Stack, offload: boolean): Promise<Far> {
    const there = await Namespace.open();
    const far = new Far(stack, there);
    await stack.attach(new TapDriver({ name: FAR_DEVICE, offload }), {
      name: FAR_DEVICE,
      addresses: [`${FAR_GODWIT}/24`],
    });
    await run("ip", "link", "set", FAR_DEVICE, "netns", there.id);
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
    return this.#there.command(...command);
  }

  /** Runs a program there; throws if its status is not 0. */
  run(...command: string[]): Promise<string> {
    return this.#there.run(...command);
  }

  /** Runs a program there, whatever its status. */
  attempt(...command: string[]): Promise<Outcome> {
    return this.#there.attempt(...command);
  }

  /** Takes the stack's interface away, and lets the namespace go. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.detach(FAR_DEVICE);
    await this.#there[Symbol.asyncDispose]();
  }
}
