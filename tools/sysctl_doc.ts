/**
 * Writes the table of sysctls into docs/sysctl.md: `deno run -RW tools/sysctl_doc.ts`.
 *
 * @module
 */

import type { SysctlEntry } from "../runtime/sysctl_entry.ts";
import { SYSCTLS } from "../runtime/sysctl_table.ts";

const BEGIN = "<!-- table: tools/sysctl_doc.ts -->\n";
const END = "<!-- end of table -->";

/** What a sysctl takes, in few words. */
function takes({ words, min, max, unit }: Omit<SysctlEntry, "count">): string {
  if (words !== undefined) return words.map((word) => `\`${word}\``).join(", ");
  return `${min}…${max}${unit === "" ? "" : " " + unit}`;
}

/** The table. */
function table(): string {
  const rows = SYSCTLS.map((
    row,
  ) => [`\`${row.name}\``, takes(row), row.linux, row.strict, row.doc.replaceAll("|", "\\|")]);
  const head = ["name", "takes", "linux", "strict", "what, and why"];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |\n`).join("");
}

/** A text with its table as it should be; throws if it has no place for one. */
export function withTable(text: string): string {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error("docs/sysctl.md has no marks around its table");
  return `${before}${BEGIN}\n${table()}\n${END}${after}`;
}

if (import.meta.main) {
  const path = new URL("../docs/sysctl.md", import.meta.url);
  await Deno.writeTextFile(path, withTable(await Deno.readTextFile(path)));
}
