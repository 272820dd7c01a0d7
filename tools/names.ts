/**
 * Names of constants: `const enum` members leave no trace at run time, so the names, values and
 * trailing comments in assembly/abi/ are written as tables to runtime/wasm/names.gen.ts.
 *
 * @module
 */

/** One member of an enum. */
export interface EnumMember {
  readonly name: string;
  readonly value: number;
  readonly note: string;
}

const ENUM_HEAD = /^export const enum (\w+) \{\s*$/;
const MEMBER = /^\s*(\w+)\s*(?:=\s*([^,]+?)\s*)?,?\s*(?:\/\/\s*(.*?)\s*)?$/;
const COMMENT = /^\s*(\/\/|\/\*|\*)/;

/**
 * Members of each `export const enum` in a source, which must be formatted one member a line.
 * Values are integer literals, joined by `|` or `<<` if need be, or names of earlier members.
 */
export function readEnums(source: string, path: string): Map<string, EnumMember[]> {
  const enums = new Map<string, EnumMember[]>();
  let members: EnumMember[] | undefined;
  source.split("\n").forEach((line, index) => {
    const head = ENUM_HEAD.exec(line);
    if (head) {
      if (enums.has(head[1])) throw new Error(`${path}: two enums are called ${head[1]}`);
      enums.set(head[1], members = []);
    } else if (line.startsWith("}")) {
      members = undefined;
    } else if (members && line.trim() !== "" && !COMMENT.test(line)) {
      const match = MEMBER.exec(line);
      if (!match) throw new Error(`${path}:${index + 1}: cannot read this enum member: ${line}`);
      const [, name, expression, note = ""] = match;
      const value = expression === undefined
        ? (members.at(-1)?.value ?? -1) + 1
        : evaluate(expression, members, `${path}:${index + 1}`);
      members.push({ name, value, note });
    }
  });
  return enums;
}

/** Value of `A | 1 << 3`, left to right by precedence. */
function evaluate(expression: string, members: readonly EnumMember[], where: string): number {
  const atom = (text: string): number => {
    const known = members.find((member) => member.name === text);
    if (known) return known.value;
    if (!/^-?(0x[\da-f_]+|0b[01_]+|\d[\d_]*)$/i.test(text)) {
      throw new Error(`${where}: cannot evaluate ${text}`);
    }
    return text.startsWith("-") ? -Number(text.slice(1)) : Number(text.replaceAll("_", ""));
  };
  return expression.split("|").map((term) =>
    term.split("<<").map((part) => atom(part.trim())).reduce((a, b) => a * 2 ** b)
  ).reduce((a, b) => Number(BigInt(a) | BigInt(b)));
}

/** `IfCap` becomes `IF_CAP_NAMES`. */
export function tableName(enumName: string): string {
  return enumName.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase() + "_NAMES";
}

/** Text of names.gen.ts for the sources of assembly/abi/, given as path and text. */
export function formatNames(sources: readonly (readonly [string, string])[]): string {
  const lines = [
    "// Written by build.ts from the enums of assembly/abi/; do not edit.",
    "",
    "/** Name of a constant, and what assembly/abi/ says about it. */",
    "export interface ConstantName {",
    "  readonly name: string;",
    "  readonly note: string;",
    "}",
    "",
    "/** Names by value. */",
    "export type ConstantNames = Readonly<Record<number, ConstantName>>;",
  ];
  const seen = new Set<string>();
  for (const [path, text] of sources) {
    for (const [name, members] of readEnums(text, path)) {
      if (seen.has(name)) throw new Error(`${path}: another file has an enum ${name}, too`);
      seen.add(name);
      lines.push("", `/** \`${name}\` of ${path}. */`);
      lines.push(`export const ${tableName(name)}: ConstantNames = {`);
      const first = new Map<number, EnumMember>();
      for (const member of members) {
        if (!first.has(member.value)) first.set(member.value, member);
      }
      for (const { name, value, note } of first.values()) {
        const key = value < 0 ? `[${value}]` : `${value}`;
        lines.push(`  ${key}: { name: "${name}", note: ${JSON.stringify(note)} },`);
      }
      lines.push("};");
    }
  }
  return lines.join("\n") + "\n";
}
