/**
 * Messages sent in a row: when a program has sent some without receiving anything, its stack lets
 * it go on for a little before the turn that hands them out, as a turn for each is dearer than all
 * of them together.
 *
 * @module
 */

/** Messages that make a row. */
const ROW = 3;
/** Bytes that are gathered at most: less than any receive buffer that was not made small. */
const BYTES = 8192;
/** What a message takes beside its bytes. */
const MESSAGE = 256;

/** How far a program is with sending. */
export class Gather {
  #row = 0;
  #bytes = 0;
  /** A message was sent, or the loop has begun to ask. */
  #more = true;

  /** A message was sent. */
  add(bytes: number): void {
    this.#row++;
    this.#bytes += bytes + MESSAGE;
    this.#more = true;
  }

  /** Something was received: what is sent now may be an answer that somebody waits for. */
  reset(): void {
    this.#row = 0;
  }

  /** Should the turn wait while the program runs on? It does so as long as more is sent. */
  waits(): boolean {
    if (this.#row >= ROW && this.#more && this.#bytes < BYTES) {
      this.#more = false;
      return true;
    }
    this.#bytes = 0;
    this.#more = true;
    return false;
  }
}
