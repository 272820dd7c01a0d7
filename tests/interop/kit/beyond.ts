/**
 * A network namespace behind the kernel: the kernel of the first one is the router on the way to
 * it. It ends with the program that holds it, and so with the run.
 *
 * @module
 */

import { run } from "./kernel.ts";
import { Namespace } from "./namespace.ts";

/** Address of the host there. */
export const BEYOND = "10.79.0.2";
const ROUTER = "10.79.0.1";

/** The namespace. */
export class Beyond implements AsyncDisposable {
  readonly #there: Namespace;

  private constructor(there: Namespace) {
    this.#there = there;
  }

  /** Makes it, and joins it to the kernel by a pair of devices; its default route is the kernel. */
  static async open(): Promise<Beyond> {
    const there = await Namespace.open();
    const pair = ["peer", "name", "gw4", "netns", there.id];
    await run("ip", "link", "add", "gw3", "type", "veth", ...pair);
    await run("ip", "addr", "add", `${ROUTER}/24`, "dev", "gw3");
    await run("ip", "link", "set", "gw3", "up");
    await there.run("ip", "link", "set", "lo", "up");
    await there.run("ip", "link", "set", "gw4", "up");
    await there.run("ip", "addr", "add", `${BEYOND}/24`, "dev", "gw4");
    await there.run("ip", "route", "add", "default", "via", ROUTER);
    return new Beyond(there);
  }

  /** Lets the namespace go, and the pair with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#there[Symbol.asyncDispose]();
  }
}
