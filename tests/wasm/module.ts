/**
 * Reads WebAssembly binaries as far as shape_test needs it: imports, globals, exports with their
 * types, and every instruction (WebAssembly core specification 2.0, chapter 5).
 *
 * @module
 */

/** What a module imports or exports. */
export interface Extern {
  readonly name: string;
  readonly kind: "function" | "table" | "memory" | "global";
  readonly index: number;
}

/** A function type in the letters of the text format. */
export interface FunctionType {
  readonly params: readonly string[];
  readonly results: readonly string[];
}

/** A module taken apart. */
export interface ModuleShape {
  /** Imports; a memory with its limits in pages. */
  readonly imports: readonly (Extern & { module: string; min?: number; max?: number })[];
  readonly exports: readonly Extern[];
  /** Type of each function, imported ones first. */
  readonly functions: readonly FunctionType[];
  /** Whether each global of the module's own is mutable. */
  readonly globals: readonly { mutable: boolean }[];
  /** Number of occurrences of each opcode; those with a prefix as `0xfc00 + number`. */
  readonly opcodes: ReadonlyMap<number, number>;
}

const KINDS = ["function", "table", "memory", "global"] as const;
const TYPES: Record<number, string> = {
  0x7f: "i32",
  0x7e: "i64",
  0x7d: "f32",
  0x7c: "f64",
  0x7b: "v128",
  0x70: "funcref",
  0x6f: "externref",
};

class Reader {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}
  byte(): number {
    if (this.at >= this.bytes.length) throw new Error("module ends too early");
    return this.bytes[this.at++];
  }
  /** LEB128 of up to 32 bits; a signed one is only skipped over, so its sign does not matter. */
  u32(): number {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
  skip(count: number): void {
    this.at += count;
  }
  vector<T>(item: () => T): T[] {
    return Array.from({ length: this.u32() }, item);
  }
  name(): string {
    const bytes = this.take(this.u32());
    return new TextDecoder().decode(bytes);
  }
  take(count: number): Uint8Array {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  type(): string {
    const byte = this.byte();
    return TYPES[byte] ?? `0x${byte.toString(16)}`;
  }
  limits(): { min: number; max?: number } {
    const flags = this.byte();
    const min = this.u32();
    return flags & 1 ? { min, max: this.u32() } : { min };
  }
}

/** Takes a module apart; throws for an instruction that is not in the specification. */
export function readModule(bytes: Uint8Array): ModuleShape {
  const reader = new Reader(bytes);
  reader.skip(8);
  const types: FunctionType[] = [];
  const imports: (Extern & { module: string; min?: number; max?: number })[] = [];
  const exports: Extern[] = [];
  const functions: FunctionType[] = [];
  const globals: { mutable: boolean }[] = [];
  const opcodes = new Map<number, number>();
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const section = new Reader(reader.take(reader.u32()));
    if (id === 1) types.push(...section.vector(() => readType(section)));
    else if (id === 2) {
      imports.push(...section.vector(() => readImport(section)));
      for (const { kind, index } of imports) if (kind === "function") functions.push(types[index]);
    } else if (id === 3) functions.push(...section.vector(() => types[section.u32()]));
    else if (id === 6) globals.push(...section.vector(() => readGlobal(section)));
    else if (id === 7) {
      exports.push(...section.vector(() => {
        const name = section.name();
        return { name, kind: KINDS[section.byte()], index: section.u32() };
      }));
    } else if (id === 10) section.vector(() => readBody(section, opcodes));
  }
  return { imports, exports, functions, globals, opcodes };
}

function readType(reader: Reader): FunctionType {
  if (reader.byte() !== 0x60) throw new Error("not a function type");
  return {
    params: reader.vector(() => reader.type()),
    results: reader.vector(() => reader.type()),
  };
}

function readImport(reader: Reader) {
  const module = reader.name();
  const name = reader.name();
  const kind = KINDS[reader.byte()];
  if (kind === "memory") return { module, name, kind, index: 0, ...reader.limits() };
  if (kind === "function") return { module, name, kind, index: reader.u32() };
  reader.type();
  if (kind === "table") reader.limits();
  else reader.byte();
  return { module, name, kind, index: 0 };
}

function readGlobal(reader: Reader): { mutable: boolean } {
  reader.type();
  const mutable = reader.byte() === 1;
  const unused = new Map<number, number>();
  while (instruction(reader, unused) !== 0x0b);
  return { mutable };
}

function readBody(reader: Reader, opcodes: Map<number, number>): void {
  const body = new Reader(reader.take(reader.u32()));
  body.vector(() => [body.u32(), body.type()]);
  while (body.at < body.bytes.length) instruction(body, opcodes);
}

/** Reads one instruction with its immediates; answers its opcode. */
function instruction(reader: Reader, opcodes: Map<number, number>): number {
  let op = reader.byte();
  if (op === 0xfc || op === 0xfd) op = op * 256 + reader.u32();
  opcodes.set(op, (opcodes.get(op) ?? 0) + 1);
  if (op >= 0xfd00) simdImmediates(reader, op - 0xfd00);
  else if (op >= 0xfc00) {
    reader.skip([0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1][op & 255]);
  } else plainImmediates(reader, op);
  return op;
}

function plainImmediates(reader: Reader, op: number): void {
  if (op >= 0x28 && op <= 0x3e) memoryArgument(reader);
  else if (op === 0x43) reader.skip(4);
  else if (op === 0x44) reader.skip(8);
  else if (op === 0x0e) {
    reader.vector(() => reader.u32());
    reader.u32();
  } else if (op === 0x1c) reader.vector(() => reader.type());
  else if (op === 0x11 || op === 0x13) {
    reader.u32();
    reader.u32();
  } else if (ONE_IMMEDIATE.has(op)) reader.u32();
  else if (!(op <= 0x01 || op === 0x05 || op === 0x0b || op === 0x0f || NUMERIC(op))) {
    throw new Error(`unknown instruction 0x${op.toString(16)}`);
  }
}

/** Block types, labels, functions, variables, tables, memories and integer constants. */
const ONE_IMMEDIATE = new Set([
  ...[0x02, 0x03, 0x04, 0x0c, 0x0d, 0x10, 0x12, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26],
  ...[0x3f, 0x40, 0x41, 0x42, 0xd0, 0xd2],
]);
const NUMERIC = (op: number) =>
  op === 0x1a || op === 0x1b || op === 0xd1 || (op >= 0x45 && op <= 0xc4);

function simdImmediates(reader: Reader, op: number): void {
  if (op <= 11 || op === 92 || op === 93) memoryArgument(reader);
  else if (op === 12 || op === 13) reader.skip(16);
  else if (op >= 21 && op <= 34) reader.skip(1);
  else if (op >= 84 && op <= 91) {
    memoryArgument(reader);
    reader.skip(1);
  }
}

function memoryArgument(reader: Reader): void {
  if (reader.u32() & 0x40) reader.u32();
  reader.u32();
}
