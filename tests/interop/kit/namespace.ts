/**
 * A further network namespace. It ends with the program that holds it, and so with the run.
 *
 * @module
 */

import { attempt, type Outcome, run } from "./kernel.ts";
import { linesOf } from "./lines.ts";

/** The namespace. */
export class Namespace implements AsyncDisposable {
  readonly #holder: Deno.ChildProcess;

  private constructor(holder: Deno.ChildProcess) {
    this.#holder = holder;
  }

  /** Makes it, with nothing but a loopback device that is down. */
  static async open(): Promise<Namespace> {
    const holder = new Deno.Command("unshare", {
      args: ["--net", "sh", "-c", "echo ready; exec cat"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    for await (const _ of linesOf(holder.stdout)) break;
    return new Namespace(holder);
  }

  /** What `ip` takes for its name. */
  get id(): string {
    return String(this.#holder.pid);
  }

  /** What runs a program there. */
  command(...command: string[]): [string, ...string[]] {
    return ["nsenter", "--net", "-t", this.id, ...command];
  }

  /** Runs a program there; throws if its status is not 0. */
  run(...command: string[]): Promise<string> {
    return run(...this.command(...command));
  }

  /** Runs a program there, whatever its status. */
  attempt(...command: string[]): Promise<Outcome> {
    return attempt(...this.command(...command));
  }

  /** Lets it go, and its devices with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.stdin.close();
    await this.#holder.status;
  }
}
