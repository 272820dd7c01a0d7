/**
 * A stack in a world, with the programs that run on it.
 *
 * @module
 */

import type { Stack } from "../runtime/stack.ts";
import { Fault } from "./fault.ts";
import { Health } from "./health.ts";
import type { Port } from "./port.ts";

/** Turns without the clock moving that are no loop yet. */
const TURNS_MAX = 20_000;

/** Programs on a stack; they never wait. */
export interface Program {
  /** Does what can be done now; what it waits for else, it has put on the world's clock. */
  work(): void;
}

/** A stack and its place in the world. */
export class Node {
  /** Its ends of links, in the order of its interfaces. */
  readonly ports: Port[] = [];
  /** What runs on it. */
  program: Program | undefined = undefined;
  /** Something has come for it, or its time has come. */
  dirty = true;
  /** When it wants a turn by itself. */
  next_us = Infinity;
  /** Turns so far. */
  turns = 0;
  #stack: Stack;
  #health: Health;

  /** A stack that was just made. */
  constructor(readonly index: number, readonly label: string, stack: Stack) {
    this.#stack = stack;
    this.#health = new Health(stack.engine);
  }

  /** The stack; another one after a restore. */
  get stack(): Stack {
    return this.#stack;
  }

  /** Looks into its engine. */
  get health(): Health {
    return this.#health;
  }

  /** Goes on with a stack that was restored. */
  replace(stack: Stack): void {
    this.#stack = stack;
    this.#health = new Health(stack.engine);
    this.dirty = true;
  }

  /** Takes turns, and lets programs work, until nothing happens any more at this time. */
  settle(): void {
    this.dirty = false;
    const stack = this.#stack;
    for (let turns = 0;; turns++) {
      if (turns > TURNS_MAX) throw new Fault(`${this.label} never comes to rest`);
      const work = stack.turn();
      this.#check();
      if (work > 0 || stack.wanted) continue;
      this.program?.work();
      if (!stack.wanted) break;
      this.#check();
    }
    this.next_us = Math.ceil(stack.nextDeadline());
  }

  #check(): void {
    this.turns++;
    try {
      this.#health.check();
    } catch (error) {
      if (error instanceof Fault) throw new Fault(`${this.label}: ${error.message}`);
      throw error;
    }
  }
}
