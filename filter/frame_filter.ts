/**
 * A filter for the frames of a capture, whose link types may differ.
 *
 * @module
 */

import { compileFilter, type FilterOptions } from "./compile.ts";
import { parse } from "./parser.ts";
import type { Program } from "./program.ts";
import { runProgram } from "./run.ts";
import { validateProgram } from "./validate.ts";

/** An expression of tcpdump's language, or a program that was made for the frames it will see. */
export type FrameFilterSource = string | Program;

/** Decides of frames whether, and how much of them, to keep. */
export class FrameFilter {
  readonly #source: FrameFilterSource;
  readonly #options: FilterOptions;
  readonly #programs = new Map<number, Program>();

  /**
   * An expression is parsed now, and compiled when the first frame of a link type comes.
   *
   * @throws FilterError for an expression, ProgramError for a program that has a fault
   */
  constructor(source: FrameFilterSource, options: FilterOptions = {}) {
    if (typeof source === "string") parse(source);
    else validateProgram(source);
    this.#source = source;
    this.#options = options;
  }

  /** The program for a link type; `RangeError` for one that expressions cannot be compiled for. */
  program(linktype: number, littleEndian: boolean = this.#options.littleEndian ?? true): Program {
    if (typeof this.#source !== "string") return this.#source;
    const key = 2 * linktype + Number(littleEndian);
    let program = this.#programs.get(key);
    if (!program) {
      program = compileFilter(this.#source, { ...this.#options, linktype, littleEndian });
      this.#programs.set(key, program);
    }
    return program;
  }

  /** Bytes to keep of a frame, at most all that there are; 0 if it is not kept. */
  keep(
    linktype: number,
    frame: Uint8Array,
    wireLength: number = frame.length,
    littleEndian?: boolean,
  ): number {
    const program = this.program(linktype, littleEndian);
    const kept = runProgram(program, frame, 0, frame.length, wireLength);
    return Math.min(kept, frame.length);
  }
}
