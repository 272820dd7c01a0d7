/**
 * Turns a group of interop cases into tests. The cases run in a program of their own inside a new
 * network namespace: it, its devices and addresses vanish with the last process in it, so nothing
 * is left behind however the test ends.
 *
 * @module
 */

import { linesOf } from "./lines.ts";
import { CASE_SECONDS, type Group } from "./case.ts";
import { KERNEL } from "./addresses.ts";
import { FAR } from "./far.ts";
import { type Allowed, countFrames, judge } from "./judge.ts";
import { type CaseReport, CLEAN, REPORT_MARK, SETUP } from "./report.ts";
import { requirements } from "../require.ts";

/** What every capture may show, from the kernels at either side of the stack. */
const ALLOWED: readonly Allowed[] = [KERNEL, FAR].map((from) => ({
  message: "Checksum 0xffff instead of 0x0000 (see RFC 1624)",
  from,
  reason: "Linux computes checksums in software by skb_checksum_help, which writes ffff for 0 " +
    "whatever the protocol; both are the same number in ones' complement",
}));

/** Seconds for the start of the program, beside those of the cases. */
const START_SECONDS = 60;

/** The program that runs the cases of one group. */
class Run {
  /** Where the capture is. */
  readonly capture: string;
  readonly #folder = Deno.makeTempDirSync({ prefix: "interop_" });
  readonly #reports = new Map<string, CaseReport>();
  readonly #output: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #read: Promise<void>;
  #ended = false;
  #code = 0;
  #news = Promise.withResolvers<void>();

  constructor(group: Group) {
    this.capture = `${this.#folder}/capture.pcapng`;
    const bound = group.cases.reduce((sum, one) => sum + (one.seconds ?? CASE_SECONDS), 0);
    const child = new URL("./child.ts", import.meta.url).pathname;
    // timeout(1) ends the whole process group, with every tool the cases have started.
    this.#child = new Deno.Command("timeout", {
      args: [
        ...["-k", "5", String(bound + START_SECONDS), "unshare", "--net", "--"],
        ...[
          Deno.execPath(),
          "run",
          "-A",
          "--no-check",
          "--unstable-net",
          child,
          group.module,
          this.#folder,
        ],
      ],
      // Its end tells the program that nobody waits for its reports any more.
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#read = this.#readAll();
  }

  /** Waits for the report about a case, and throws what it says. */
  async result(name: string): Promise<void> {
    for (;;) {
      const report = this.#reports.get(name);
      const setup = this.#reports.get(SETUP);
      if (report?.error === "") return;
      const output = this.#output.length > 0 ? `\nit said:\n${this.#output.join("\n")}` : "";
      if (report) throw new Error(report.error + output);
      if (setup) throw new Error(setup.error + output);
      if (this.#ended) throw new Error(`the program ended before "${name}"${output}`);
      await this.#news.promise;
    }
  }

  /** Waits until the program has ended; throws unless it ended well, whatever its cases say. */
  async end(): Promise<void> {
    await this.#read;
    const setup = this.#reports.get(SETUP);
    if (setup) throw new Error(setup.error);
    if (this.#code !== 0) throw new Error(`the program ended with ${this.#code}`);
  }

  /** Takes the capture away. */
  async remove(): Promise<void> {
    await this.#child.stdin.close();
    await this.#read;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #readAll(): Promise<void> {
    const streams = [this.#child.stdout, this.#child.stderr];
    await Promise.all(streams.map((stream) => this.#readLines(stream)));
    const { code } = await this.#child.status;
    this.#code = code;
    if (code !== 0) this.#output.push(code === 124 ? "it took too long" : `status ${code}`);
    this.#ended = true;
    this.#tell();
  }

  async #readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const line of linesOf(stream)) {
      if (line.startsWith(REPORT_MARK)) {
        const report: CaseReport = JSON.parse(line.slice(REPORT_MARK.length));
        this.#reports.set(report.name, report);
        this.#tell();
      } else this.#output.push(line);
    }
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}

/** Defines the tests of a group. */
export function interop(group: Group): void {
  const tools = ["ip", "unshare", "timeout", "tshark", ...group.tools ?? []];
  const { ignore, reason } = requirements({ root: true, tap: true, netns: true, tools });
  let run: Run | undefined;
  const started = () => run ??= new Run(group);
  const test = (name: string, fn: (run: Run) => Promise<void>) =>
    Deno.test({
      name: `${group.name}: ${name}` + (ignore ? ` (skipped: ${reason})` : ""),
      ignore,
      // The program and its pipes outlive the test that started it.
      sanitizeOps: false,
      sanitizeResources: false,
      fn: () => fn(started()),
    });
  for (const { name } of group.cases) test(name, (run) => run.result(name));
  test(CLEAN, (run) => run.result(CLEAN));
  test("tshark finds no malformed frame, bad checksum or error", async (run) => {
    await run.end();
    await judge(run.capture, [...ALLOWED, ...group.allowed ?? []], group.decode);
  });
  for (const { name, filter, atLeast = 1, atMost = Infinity } of group.seen ?? []) {
    test(`the capture shows ${name}`, async (run) => {
      await run.end();
      const count = await countFrames(run.capture, filter, group.decode);
      if (count < atLeast || count > atMost) {
        throw new Error(`${count} frames are "${filter}"; expected ${atLeast} to ${atMost}`);
      }
    });
  }
  Deno.test.afterAll(async () => {
    await run?.remove();
  });
}
