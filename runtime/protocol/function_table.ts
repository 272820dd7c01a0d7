/**
 * The engine's function table, and the places in it that loaded protocols have.
 *
 * @module
 */

/** Gives out ranges of the function table. */
export class FunctionTable {
  /** The table. */
  readonly table: WebAssembly.Table;
  /** Ranges that were given back: first place and number. */
  readonly #free: { first: number; count: number }[] = [];
  #used = 0;

  /** For the table of an engine. */
  constructor(table: WebAssembly.Table) {
    this.table = table;
  }

  /** Places in use by loaded protocols. */
  get used(): number {
    return this.#used;
  }

  /** Takes `count` places side by side; answers the first. */
  take(count: number): number {
    this.#used += count;
    const at = this.#free.findIndex((range) => range.count >= count);
    if (at < 0) return this.table.grow(count);
    const range = this.#free[at];
    const { first } = range;
    range.first += count;
    range.count -= count;
    if (range.count === 0) this.#free.splice(at, 1);
    return first;
  }

  /** Takes the places that a snapshot says, which are beyond what the engine has itself. */
  takeAt(first: number, count: number): void {
    const missing = first + count - this.table.length;
    if (missing > 0) this.table.grow(missing);
    this.#used += count;
  }

  /** Clears places and gives them back. */
  give(first: number, count: number): void {
    for (let i = 0; i < count; i++) this.table.set(first + i, null);
    if (count > 0) this.#free.push({ first, count });
    this.#used -= count;
  }
}
