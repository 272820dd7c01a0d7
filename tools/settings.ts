/**
 * Which settings the engine heeds: the fields of struct TcpSettings that some file of assembly/
 * reads are written to runtime/wasm/settings.gen.ts. What nobody reads can be set, but changes
 * nothing; the judge of scripts must know.
 *
 * @module
 */

const OWN = "assembly/tcp/settings.ts";
const IMPORT = /^import \{[^}]*\bT\b[^}]*\} from "(?:\.\/|\.\.\/tcp\/)settings";$/m;
const COMMENT = /\/\/.*|\/\*[^]*?\*\//g;

/** Fields that are read, in alphabetic order; sources are given as path and text. */
export function readFields(sources: Iterable<readonly [string, string]>): string[] {
  const found = new Set<string>();
  for (const [path, text] of sources) {
    if (!path.startsWith("assembly/") || path === OWN || !IMPORT.test(text)) continue;
    const code = text.replaceAll(COMMENT, "");
    for (const [, name] of code.matchAll(/\bT\.(\w+)\b(?!\s*=[^=])/g)) found.add(name);
  }
  return [...found].sort();
}

/** Text of settings.gen.ts for the sources of assembly/. */
export function formatSettings(sources: Iterable<readonly [string, string]>): string {
  return [
    "// Written by build.ts from assembly/; do not edit.",
    "",
    "/** Fields of struct TcpSettings that the engine reads. */",
    "export const SETTINGS_READ: ReadonlySet<string> = new Set([",
    ...readFields(sources).map((name) => `  "${name}",`),
    "]);",
    "",
  ].join("\n");
}
