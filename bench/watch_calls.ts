/**
 * Stands between a stack and its engine, to see the calls that are made.
 *
 * @module
 */

import type { Stack } from "../mod.ts";

/** A call of the engine's exports. */
export type EngineCall = (...args: number[]) => number;

/** From here on a stack makes what `around` answers for each of the engine's exports. */
export function watchCalls(
  { engine }: Stack,
  around: (name: string, call: EngineCall) => EngineCall,
): void {
  const calls = engine.calls as unknown as Record<string, EngineCall>;
  for (const name of Object.keys(calls)) calls[name] = around(name, calls[name]);
}
