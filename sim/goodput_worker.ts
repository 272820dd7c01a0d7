/**
 * Measures goodput on a thread of its own: takes cells, answers what was measured.
 *
 * @module
 */

import { serve } from "./crew.ts";
import { loadEngine } from "./engine.ts";
import { wordsOf } from "./fault.ts";
import { type Cell, measure } from "./goodput.ts";
import type { NumberedCell, NumberedResult } from "./goodput_main.ts";

const engine = loadEngine("release");

async function work({ n, cell }: NumberedCell): Promise<NumberedResult> {
  return { n, ...await measureOrTell(cell) };
}

async function measureOrTell(cell: Cell): Promise<Omit<NumberedResult, "n">> {
  try {
    return { measured: await measure(cell, await engine) };
  } catch (error) {
    return { fault: wordsOf(error) };
  }
}

serve(work);
