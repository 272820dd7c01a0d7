/**
 * A line of progress: written over and over on a terminal, once in a while elsewhere.
 *
 * @module
 */

import { bitRate, bytes } from "./format.ts";

/** How often the line is written anew on a terminal. */
const TERMINAL_MS = 100;
const BAR_CELLS = 24;

/** Where the line goes. */
export interface ProgressOutput {
  /** True for a terminal, where a line can be written over. */
  readonly terminal: boolean;
  /** Writes text as it is. */
  write(text: string): void;
  /** Time in milliseconds. */
  now_ms(): number;
}

/** Standard error. */
export function stderrOutput(): ProgressOutput {
  return {
    terminal: Deno.stderr.isTerminal(),
    write: (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
    now_ms: () => performance.now(),
  };
}

/** Progress of a transfer of known size. */
export class Progress {
  readonly #output: ProgressOutput;
  readonly #total: number;
  readonly #begin_ms: number;
  #next_ms: number;
  #quarter = 1;

  /** Begins a transfer of `total` bytes. */
  constructor(output: ProgressOutput, total: number) {
    this.#output = output;
    this.#total = total;
    this.#begin_ms = output.now_ms();
    this.#next_ms = this.#begin_ms;
  }

  /** Says how far the transfer is. */
  update(done: number): void {
    const { terminal } = this.#output;
    if (terminal) {
      const now_ms = this.#output.now_ms();
      if (now_ms < this.#next_ms) return;
      this.#next_ms = now_ms + TERMINAL_MS;
      this.#output.write(`\r\x1b[K  ${this.#line(done)}`);
      return;
    }
    // A log gets a line a quarter, no matter how fast or slow the transfer is.
    if (done < this.#total * this.#quarter / 4) return;
    this.#quarter = Math.floor(done * 4 / this.#total) + 1;
    this.#output.write(`  ${this.#line(done)}\n`);
  }

  /** Takes the line off the terminal. */
  end(): void {
    if (this.#output.terminal) this.#output.write("\r\x1b[K");
  }

  #line(done: number): string {
    const share = this.#total > 0 ? done / this.#total : 1;
    const elapsed_s = (this.#output.now_ms() - this.#begin_ms) / 1000;
    const filled = Math.round(share * BAR_CELLS);
    const bar = "█".repeat(filled) + "░".repeat(BAR_CELLS - filled);
    const percent = `${Math.floor(share * 100)} %`.padStart(5);
    return `${bar} ${percent}  ${bytes(done)}  ${bitRate(done, elapsed_s)}`;
  }
}
