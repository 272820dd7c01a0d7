/**
 * Reading and writing the engine's structs. Offsets come from wasm/layout.gen.ts, which the build
 * writes; nothing else knows where a field lies.
 *
 * @module
 */

/** The engine's memory, in the views that reading a struct takes. */
export interface EngineMemory {
  /** As bytes. */
  readonly memory: Uint8Array<ArrayBuffer>;
  /** As unsigned 32-bit words. */
  readonly u32: Uint32Array<ArrayBuffer>;
}

/** Bytes of a name in the engine, with its closing zero. */
const NAME_BYTES = 16;
/** Bytes of a hardware address. */
const HWADDR_BYTES = 6;

/** The unsigned 32-bit field at `offset` of the struct at `struct`. */
export function getU32(engine: EngineMemory, struct: number, offset: number): number {
  return engine.u32[(struct + offset) >>> 2];
}

/** Sets a 32-bit field. */
export function setU32(engine: EngineMemory, struct: number, offset: number, value: number): void {
  engine.u32[(struct + offset) >>> 2] = value;
}

/** An unsigned 16-bit field. */
export function getU16(engine: EngineMemory, struct: number, offset: number): number {
  const at = struct + offset;
  return engine.memory[at] | (engine.memory[at + 1] << 8);
}

/** Sets a 16-bit field. */
export function setU16(engine: EngineMemory, struct: number, offset: number, value: number): void {
  const at = struct + offset;
  engine.memory[at] = value;
  engine.memory[at + 1] = value >>> 8;
}

/** An unsigned 64-bit field as a number; counters stay below 2^53 for centuries. */
export function getU64(engine: EngineMemory, struct: number, offset: number): number {
  const word = (struct + offset) >>> 2;
  return engine.u32[word] + engine.u32[word + 1] * 2 ** 32;
}

/** A name field: up to 15 bytes of ASCII. */
export function getName(engine: EngineMemory, struct: number, offset: number): string {
  let name = "";
  for (let i = 0; i < NAME_BYTES; i++) {
    const code = engine.memory[struct + offset + i];
    if (code === 0) break;
    name += String.fromCharCode(code);
  }
  return name;
}

/** Sets a name field; a `RangeError` unless it is 1 to 15 visible ASCII characters. */
export function setName(
  engine: EngineMemory,
  struct: number,
  offset: number,
  name: string,
): void {
  if (!/^[!-~]{1,15}$/.test(name)) {
    throw new RangeError(`an interface name is 1 to 15 visible ASCII characters, not "${name}"`);
  }
  const at = struct + offset;
  engine.memory.fill(0, at, at + NAME_BYTES);
  for (let i = 0; i < name.length; i++) engine.memory[at + i] = name.charCodeAt(i);
}

/** A copy of the hardware address in the fields `hwaddr_hi` and `hwaddr_lo`, side by side. */
export function getHwaddr(
  engine: EngineMemory,
  struct: number,
  offset: number,
): Uint8Array<ArrayBuffer> {
  return engine.memory.slice(struct + offset, struct + offset + HWADDR_BYTES);
}

/** Sets the fields `hwaddr_hi` and `hwaddr_lo`. */
export function setHwaddr(
  engine: EngineMemory,
  struct: number,
  offset: number,
  hwaddr: Uint8Array,
): void {
  engine.memory.set(hwaddr.subarray(0, HWADDR_BYTES), struct + offset);
}

/** Zeroes the struct of `size` bytes at `struct`; both are multiples of 4. */
export function clear({ u32 }: EngineMemory, struct: number, size: number): void {
  const end = (struct + size) >>> 2;
  for (let i = struct >>> 2; i < end; i++) u32[i] = 0;
}
