/**
 * Runs worlds on a thread of its own: takes seeds, answers results.
 *
 * @module
 */

import { loadEngine } from "./engine.ts";
import { runSeed } from "./run.ts";

/** The thread as a worker sees it. */
interface Thread {
  onmessage: ((event: MessageEvent<readonly number[]>) => void) | null;
  postMessage(message: unknown): void;
}

const thread = globalThis as unknown as Thread;
const engine = loadEngine("checked");

thread.onmessage = async ({ data: seeds }) => {
  for (const seed of seeds) {
    thread.postMessage({ begins: seed });
    thread.postMessage({ result: await runSeed(seed, { engine: await engine }) });
  }
  thread.postMessage({ idle: true });
};
