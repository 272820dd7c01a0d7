/**
 * JavaScript functions as entries of the engine's function table. A table takes only functions of
 * WebAssembly, so a small module imports the functions and exports them again; it is made here,
 * byte by byte, since it is the same for all.
 *
 * @module
 */

/** The entries that a protocol in TypeScript has; pointers and numbers as in protosw.ts. */
export interface Entries {
  /** Pru. */
  usrreq(so: number, request: number, m: number, nam: number, arg: number): number;
  /** Prco. */
  ctloutput(
    op: number,
    so: number,
    level: number,
    name: number,
    ptr: number,
    len: number,
  ): number;
  /** Prc. */
  ctlinput(command: number, quote: number): void;
  /** Memory is short. */
  drain(): void;
  /** Every 200 ms. */
  fasttimo(): void;
  /** Every 500 ms. */
  slowtimo(): void;
  /** A timer has fired. */
  tick(arg: number): void;
}

/** Names of the entries with how many numbers they take and answer. */
const SIGNATURES: readonly (readonly [keyof Entries, number, number])[] = [
  ["usrreq", 5, 1],
  ["ctloutput", 6, 1],
  ["ctlinput", 2, 0],
  ["drain", 0, 0],
  ["fasttimo", 0, 0],
  ["slowtimo", 0, 0],
  ["tick", 1, 0],
];

/** How many places of the table the entries take. */
export const ENTRY_COUNT: number = SIGNATURES.length;

const I32 = 0x7f;
let module: WebAssembly.Module | undefined;

function section(id: number, items: readonly (readonly number[])[]): number[] {
  const body = [items.length, ...items.flat()];
  return [id, body.length, ...body];
}

function text(name: string): number[] {
  return [name.length, ...new TextEncoder().encode(name)];
}

/** The module (WebAssembly core specification, 5.5): types, imports and exports; no code. */
function shimModule(): WebAssembly.Module {
  const numbers = (count: number) => [count, ...new Array<number>(count).fill(I32)];
  const types = SIGNATURES.map(([, takes, gives]) => [0x60, ...numbers(takes), ...numbers(gives)]);
  const imports = SIGNATURES.map(([name], i) => [...text("h"), ...text(name), 0, i]);
  const exported = SIGNATURES.map(([name], i) => [...text(name), 0, i]);
  return new WebAssembly.Module(
    new Uint8Array([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, types),
      ...section(2, imports),
      ...section(7, exported),
    ]),
  );
}

/** Puts entries at `first` and the places behind it; answers the place of each. */
export function placeEntries(
  table: WebAssembly.Table,
  first: number,
  entries: Entries,
): Record<keyof Entries, number> {
  module ??= shimModule();
  const h = entries as unknown as WebAssembly.ModuleImports;
  const { exports } = new WebAssembly.Instance(module, { h });
  const places: Partial<Record<keyof Entries, number>> = {};
  for (const [i, [name]] of SIGNATURES.entries()) {
    table.set(first + i, exports[name] as CallableFunction);
    places[name] = first + i;
  }
  return places as Record<keyof Entries, number>;
}
