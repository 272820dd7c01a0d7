/**
 * Stacks of one thread that hand frames to each other: while one does so between its turns, the one
 * that gets them may take its turn next, without a round of microtasks, and who gets its answer
 * after that.
 *
 * @module
 */

/** A loop that can take a turn. */
export interface Follower {
  /** Takes it. */
  follow(): void;
  /** Hands out frames between turns; true if no turn is wanted then. */
  handOut(): boolean;
}

/** Who takes the next turn. */
let next: Follower | undefined = undefined;
/** There may be a next one. */
let open = false;

/** True if this one takes the next turn. */
export function isNext(loop: Follower): boolean {
  return next === loop;
}

/** Takes the next turn, if there is one and nobody has it. */
export function claim(loop: Follower): boolean {
  if (!open || next !== undefined) return false;
  next = loop;
  return true;
}

/**
 * Has `loop` hand out frames, and then those who claim it take the next turn, `turns` times at
 * most. True if `loop` wants no turn then, or has had one.
 */
export function chain(loop: Follower, turns: number): boolean {
  open = true;
  let done = false;
  try {
    done = loop.handOut();
  } finally {
    for (let left = turns; next !== undefined; left--) {
      const other: Follower = next;
      next = undefined;
      open = left > 1;
      other.follow();
      if (other === loop) done = true;
    }
    open = false;
  }
  return done;
}
