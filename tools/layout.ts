/**
 * Struct layout: read from the compiler after it has settled every class, written as
 * runtime/wasm/layout.gen.ts, so that TypeScript reads the engine's memory with the compiler's own
 * numbers and a change of layout is a diff that a reviewer sees.
 *
 * @module
 */

// @ts-types="../types/asc.d.ts"
import type { Program } from "assemblyscript/asc";

/** One struct: size in bytes, and the byte offset of each field. */
export interface StructLayout {
  readonly size: number;
  readonly fields: Readonly<Record<string, number>>;
}

/** All structs by class name. */
export type Layout = Readonly<Record<string, StructLayout>>;

/** `ElementKind.ClassPrototype` of the compiler. */
const KIND_CLASS_PROTOTYPE = 6;
/** `DecoratorFlags.Unmanaged` of the compiler. */
const DECORATOR_UNMANAGED = 16;

/** Reads the layout of each `@unmanaged` class under assembly/; throws on a name that clashes. */
export function readLayout(program: Program): Layout {
  const layout: Record<string, StructLayout> = {};
  const prototypes = [...program.elementsByName.values()].filter((element) =>
    element.kind === KIND_CLASS_PROTOTYPE && element.internalName.startsWith("assembly/") &&
    element.hasDecorator(DECORATOR_UNMANAGED)
  );
  for (const prototype of new Set(prototypes)) {
    const name = prototype.name;
    if (layout[name]) throw new Error(`two structs are called ${name}; name one otherwise`);
    const struct = program.resolver.resolveClass(prototype, null);
    if (!struct) throw new Error(`struct ${name} has no layout`);
    const fields: [string, number][] = [];
    for (const member of struct.members?.values() ?? []) {
      const offset = member.instance?.isField ? member.instance.memoryOffset : -1;
      if (offset < 0) continue;
      if (member.name === "size") {
        throw new Error(`${name}.size: "size" is the key of the struct's size; name it otherwise`);
      }
      fields.push([member.name, offset]);
    }
    fields.sort((a, b) => a[1] - b[1]);
    layout[name] = { size: struct.nextMemoryOffset, fields: Object.fromEntries(fields) };
  }
  return Object.fromEntries(Object.entries(layout).sort(([a], [b]) => a < b ? -1 : 1));
}

/** Structs that both builds have and lay out differently. */
export function layoutDifferences(release: Layout, checked: Layout): string[] {
  return Object.keys(release).filter((name) =>
    name in checked && JSON.stringify(release[name]) !== JSON.stringify(checked[name])
  );
}

/** Hash of a layout: 16 hexadecimal digits. */
export async function layoutHash(layout: Layout): Promise<string> {
  return (await sha256(JSON.stringify(layout))).slice(0, 16);
}

/** Text of layout.gen.ts. */
export async function formatLayout(layout: Layout): Promise<string> {
  const lines = [
    "// Written by build.ts from the structs of assembly/; do not edit.",
    "// Byte offsets of fields, and `size` in bytes.",
    "",
    "/** Changes whenever a struct changes; engine.wasm carries the same value. */",
    `export const LAYOUT_HASH = "${await layoutHash(layout)}";`,
  ];
  for (const [name, struct] of Object.entries(layout)) {
    lines.push("", `/** struct ${name} */`, `export const ${name} = {`, `  size: ${struct.size},`);
    for (const [field, offset] of Object.entries(struct.fields)) {
      lines.push(`  ${field}: ${offset},`);
    }
    lines.push("} as const;");
  }
  return lines.join("\n") + "\n";
}

/** Reads back what {@link formatLayout} wrote; undefined if the text is not exactly that. */
export async function parseLayout(text: string): Promise<Layout | undefined> {
  const layout: Record<string, StructLayout> = {};
  for (const [, name, body] of text.matchAll(/^export const (\w+) = \{\n([^}]*)\} as const;/gm)) {
    const pairs = [...body.matchAll(/^ {2}(\w+): (\d+),$/gm)].map(([, key, value]) =>
      [key, Number(value)] as const
    );
    layout[name] = { size: pairs[0]?.[1] ?? 0, fields: Object.fromEntries(pairs.slice(1)) };
  }
  return text === await formatLayout(layout) ? layout : undefined;
}

/** SHA-256 of text or bytes in hexadecimal. */
export async function sha256(data: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
