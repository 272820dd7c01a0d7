/**
 * The commands as programs of their own, which reach the stack by its control socket.
 *
 * @module
 */

import { linesOf } from "./lines.ts";
import type { Outcome } from "./kernel.ts";

const COMMANDS = new URL("../../../commands/", import.meta.url).pathname;
/** Longest that a command may take, in milliseconds. */
const COMMAND_MS_MAX = 30_000;

/** A command that runs. */
export class Running {
  /** What it prints, line by line. */
  readonly lines: AsyncGenerator<string>;
  readonly #child: Deno.ChildProcess;
  /** What it complains of, or tells beside. */
  readonly errors: AsyncGenerator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  /** Starts it. */
  constructor(control: string, name: string, args: readonly string[]) {
    const program = name === "tcpdump" ? ["tcpdump/main.ts"] : ["main.ts", name];
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `${COMMANDS}${program[0]}`, ...program.slice(1), ...args],
      env: { GODWIT_CONTROL: control, NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(COMMAND_MS_MAX),
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.errors = linesOf(this.#child.stderr);
    this.lines = linesOf(this.#child.stdout);
  }

  /** Types this. */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** There is nothing more to type. */
  async closeInput(): Promise<void> {
    await this.#input.close();
  }

  /** The next line, of what it prints or of its `errors`; throws at the end. */
  async line(lines: AsyncGenerator<string> = this.lines): Promise<string> {
    const { value, done } = await lines.next();
    if (done) throw new Error("it said nothing more");
    return value;
  }

  /** Ctrl-C. */
  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  /** The rest of what it prints, and how it ends. */
  async end(): Promise<Outcome> {
    const [stdout, stderr] = await Promise.all(
      [this.lines, this.errors].map(async (lines) => (await Array.fromAsync(lines)).join("\n")),
    );
    const { code } = await this.#child.status;
    await this.#input.close().catch(() => {});
    return { code, stdout, stderr };
  }
}

/** Runs a command to its end, with this for its standard input. */
export async function command(
  control: string,
  name: string,
  args: readonly string[],
  input = "",
): Promise<Outcome> {
  const running = new Running(control, name, args);
  await running.type(input);
  await running.closeInput();
  return await running.end();
}
