/**
 * Which settings the engine heeds: the fields of the structs TcpSettings and NetSettings that some
 * file of assembly/ reads are written to runtime/wasm/settings.gen.ts. Others can be set, but that
 * changes nothing; the judge of scripts must know.
 *
 * @module
 */

const OWN = /^assembly\/(tcp\/settings|sys\/net_settings)\.ts$/;
const IMPORT = /^import \{[^}]*\b([TN])\b[^}]*\} from "\.[^"]*\/(?:net_)?settings";$/gm;
const COMMENT = /\/\/.*|\/\*[^]*?\*\//g;

/** Fields that are read, in alphabetic order; sources are given as path and text. */
export function readFields(sources: Iterable<readonly [string, string]>): string[] {
  const found = new Set<string>();
  for (const [path, text] of sources) {
    if (!path.startsWith("assembly/") || OWN.test(path)) continue;
    const code = text.replaceAll(COMMENT, "");
    for (const [, struct] of text.matchAll(IMPORT)) {
      const reads = new RegExp(`\\b${struct}\\.(\\w+)\\b(?!\\s*=[^=])`, "g");
      for (const [, name] of code.matchAll(reads)) found.add(name);
    }
  }
  return [...found].sort();
}

/** Text of settings.gen.ts for the sources of assembly/. */
export function formatSettings(sources: Iterable<readonly [string, string]>): string {
  return [
    "// Written by build.ts from assembly/; do not edit.",
    "",
    "/** Fields of the structs TcpSettings and NetSettings that the engine reads. */",
    "export const SETTINGS_READ: ReadonlySet<string> = new Set([",
    ...readFields(sources).map((name) => `  "${name}",`),
    "]);",
    "",
  ].join("\n");
}
