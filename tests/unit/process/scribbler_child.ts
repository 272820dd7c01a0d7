/**
 * Writes over the slots and the arena of a ring, as fast as it can and while they are being read,
 * except for the words that say what state a slot is in. Ends when it is told to in shared memory.
 */

import { type RingHandle, RingMemory, SLOT_BYTES } from "../../../runtime/process/ring.ts";

const self = globalThis as unknown as Worker;
const SLOT_WORDS = SLOT_BYTES / 4;

/** Values that might be taken for something: numbers of calls, descriptors, lengths. */
const VALUES = [-1, 0, 1, 3, 4, 24, 64, 128, 129, 4096, 66_560, 1 << 20, 0x7fffffff, -0x80000000];

self.onmessage = ({ data }) => {
  const { handle, stop, seed } = data as { handle: RingHandle; stop: Int32Array; seed: number };
  const memory = new RingMemory(handle);
  const { words } = memory;
  const first = memory.slotWord(0);
  const arena = memory.arena / 4;
  let state = seed;
  const random = (below: number): number => {
    // Knuth's linear congruential generator; its upper bits are the better ones.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  self.postMessage("begun");
  while (Atomics.load(stop, 0) === 0) {
    for (let i = 0; i < 1000; i++) {
      const slot = random(4) > 0;
      const at = slot ? first + random(arena - first) : arena + random(2000);
      if (slot && (at - first) % SLOT_WORDS === 0) continue;
      words[at] = VALUES[random(VALUES.length)];
    }
  }
  self.postMessage("ended");
};
