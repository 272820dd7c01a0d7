/**
 * The kernel's side: programs run in the namespace, and peers that live in programs of their own.
 *
 * @module
 */

import { linesOf } from "./lines.ts";

/** What a program left. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Programs that have not ended. */
const running = new Set<Deno.ChildProcess>();

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
}

/** Ends what cases have started and not waited for, because they failed. */
export function killAll(): void {
  for (const child of running) kill(child);
}

/** Runs a program to its end, at most 60 seconds; throws if its status is not 0. */
export async function run(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await attempt(program, ...args);
  if (code === 0) return stdout;
  throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
}

/** Runs a program to its end, at most 60 seconds, whatever its status. */
export async function attempt(program: string, ...args: string[]): Promise<Outcome> {
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  running.add(child);
  const { code, stdout, stderr } = await child.output().finally(() => running.delete(child));
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Writes a kernel setting of this namespace. */
export function setSysctl(name: string, value: string): void {
  Deno.writeTextFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, value);
}

/** The same, if the kernel has it. */
export function setSysctlIfAny(name: string, value: string): void {
  try {
    setSysctl(name, value);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A program in a process of its own, which says by lines how far it is. */
export class Peer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;
  readonly #errors: Promise<string>;

  private constructor(program: string, args: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", "--unstable-net"],
        ...[new URL(program, import.meta.url).pathname, ...args],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    running.add(this.#child);
    this.#lines = linesOf(this.#child.stdout);
    this.#errors = new Response(this.#child.stderr).text();
  }

  /** Starts one of kernel_peer.ts, and waits until it says that it is ready. */
  static start(...args: string[]): Promise<Peer> {
    return Peer.of("./kernel_peer.ts", ...args);
  }

  /** Starts a program of this folder, and waits until it says that it is ready. */
  static async of(program: string, ...args: string[]): Promise<Peer> {
    const peer = new Peer(program, args);
    await peer.expect("ready");
    return peer;
  }

  /** Reads the next line it prints; throws, with what it complained of, if that is another one. */
  async expect(line: string): Promise<void> {
    const { value, done } = await this.#lines.next();
    if (!done && value === line) return;
    const said = done ? await this.#errors : value;
    throw new Error(`the program said "${said}" instead of "${line}"`);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    kill(this.#child);
    running.delete(this.#child);
    await this.#lines.return(undefined);
    await Promise.all([this.#child.status, this.#errors]);
  }
}

/** A UDP socket of the kernel that is closed with its scope. */
export function kernelUdp(hostname: string, port = 0): Deno.DatagramConn & Disposable {
  const conn = Deno.listenDatagram({ transport: "udp", hostname, port });
  return Object.assign(conn, { [Symbol.dispose]: () => conn.close() });
}
