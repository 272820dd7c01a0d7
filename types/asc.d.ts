/**
 * The part of the AssemblyScript compiler's interface that build.ts and its transform use. The
 * package's own declarations are made for another checker.
 */

/** A stream that collects text. */
export interface OutputStream {
  /** Takes the next piece. */
  write(chunk: Uint8Array | string): void;
}

/** A member of a class; methods have no instance of this kind. */
export interface Member {
  /** Name as declared. */
  readonly name: string;
  /** The field or accessor with its type settled. */
  readonly instance?: {
    /** True for a field, false for an accessor. */
    readonly isField?: boolean;
    /** Offset in bytes; -1 for what has no place in memory. */
    readonly memoryOffset: number;
  } | null;
}

/** A class with its layout settled. */
export interface Class {
  /** Members by name. */
  readonly members: Map<string, Member> | null;
  /** Bytes used. */
  readonly nextMemoryOffset: number;
}

/** Anything that has a name in a program. */
export interface Element {
  /** Name as declared. */
  readonly name: string;
  /** Path and name. */
  readonly internalName: string;
  /** Number of the kind of element. */
  readonly kind: number;
  /** True if the declaration carries that decorator. */
  hasDecorator(flag: number): boolean;
}

/** What the compiler knows of the sources. */
export interface Program {
  /** All elements by internal name. */
  readonly elementsByName: Map<string, Element>;
  /** Settles types. */
  readonly resolver: {
    /** Settles the layout of a class without type parameters. */
    resolveClass(prototype: Element, typeArguments: null): Class | null;
  };
}

/** Options of {@link main}. */
export interface ApiOptions {
  /** Where reports go. */
  stdout?: OutputStream;
  /** Where diagnostics go. */
  stderr?: OutputStream;
  /** Reads a source file; null if there is none. */
  readFile?(name: string, baseDir: string): string | null;
  /** Takes an output file. */
  writeFile?(name: string, contents: Uint8Array | string, baseDir: string): void;
  /** Lists a folder. */
  listFiles?(name: string, baseDir: string): string[] | null;
  /** Classes of transforms; the compiler makes the instances. */
  transforms?: unknown[];
}

/** Compiles; the error is null if it went well. */
export function main(
  argv: string[],
  options?: ApiOptions,
): Promise<{ error: Error | null; stderr: OutputStream }>;
