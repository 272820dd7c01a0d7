/**
 * Runs worlds on a thread of its own: takes seeds, answers results.
 *
 * @module
 */

import { serve } from "./crew.ts";
import { loadEngine } from "./engine.ts";
import { runSeed } from "./run.ts";

const engine = loadEngine("checked");

serve(async (seed: number) => await runSeed(seed, { engine: await engine }));
