/**
 * The engine's sources as a side module sees them (see side.ts): what has no state is compiled in,
 * what the kernel offers becomes imports, the rest is left out.
 *
 * @module
 */

const STATE = /\bmemory\.data\(/;

/** Which names of which files of assembly/ are linked: file → name there → name of the import. */
export function readKernel(exportsText: string): Map<string, Map<string, string>> {
  const kernel = new Map<string, Map<string, string>>();
  for (const [, names, path] of exportsText.matchAll(/^export \{([^}]*)\} from "\.\.\/(.*)";$/gm)) {
    const file = `assembly/${path}.ts`;
    const known = kernel.get(file) ?? new Map<string, string>();
    kernel.set(file, known);
    for (const pair of names.split(",").map((s) => s.trim()).filter((s) => s !== "")) {
      const [own, linked] = pair.split(" as ");
      known.set(own, linked);
    }
  }
  return kernel;
}

/** A declaration at the top level of a file, or whatever else stands there. */
interface Item {
  readonly kind: "function" | "constant" | "other";
  readonly name: string;
  readonly text: string;
}

/** The parts of a formatted file. */
function itemsOf(text: string): Item[] {
  const items: Item[] = [];
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const begin = i;
    const fn = lines[i].match(/^(?:export )?function (\w+)/)?.[1];
    const constant = lines[i].match(/^(?:export )?const (?!enum\b)(\w+)/)?.[1];
    if (fn !== undefined) {
      while (!/\{\}?$/.test(lines[i])) i++;
      if (!lines[i].endsWith("{}")) { while (lines[i] !== "}") i++; }
    } else if (constant !== undefined) {
      while (!/;(\s*\/\/.*)?$/.test(lines[i])) i++;
    }
    items.push({
      kind: fn !== undefined ? "function" : constant !== undefined ? "constant" : "other",
      name: fn ?? constant ?? "",
      text: lines.slice(begin, i + 1).join("\n"),
    });
  }
  return items;
}

/** Names of what depends on the variables of the file, directly or by a function it calls. */
function stateful(items: readonly Item[]): Set<string> {
  const found = new Set(
    items.filter(({ kind, text }) => kind === "constant" && STATE.test(text))
      .map(({ name }) => name),
  );
  for (let before = -1; before !== found.size;) {
    before = found.size;
    const pattern = new RegExp(`\\b(${[...found].join("|") || "\\0"})\\b`);
    for (const { kind, name, text } of items) {
      const body = text.slice(text.indexOf(name) + name.length);
      if (kind !== "other" && pattern.test(body)) found.add(name);
    }
  }
  return found;
}

/**
 * A file of assembly/ as a side module sees it: what the kernel offers of it is imported, and what
 * depends on its variables is left out. `linked` are the names that the kernel offers.
 */
export function linkedText(text: string, linked: ReadonlyMap<string, string>): string {
  const hasState = STATE.test(text.replaceAll(/\/\/.*|\/\*[^]*?\*\//g, ""));
  if (!hasState && linked.size === 0) return text;
  const items = itemsOf(text);
  const state = stateful(items);
  return items.flatMap((item) => {
    const name = linked.get(item.name);
    if (name === undefined || item.kind === "other") return state.has(item.name) ? [] : [item.text];
    const external = `@external("godwit", "${name}")`;
    if (item.kind === "function") {
      const head = item.text.slice(0, item.text.search(/ \{\}?$/m));
      return [external, head.replace("function", "declare function") + ";"];
    }
    const type = item.text.match(/^export const \w+: (\w+)/)?.[1];
    return [
      external,
      `declare const ${name}: usize;`,
      `export const ${item.name}: ${type} = changetype<${type}>(${name});`,
    ];
  }).join("\n");
}

/** Takes names out of re-exports that the file they come from does not offer to side modules. */
export function withoutMissing(path: string, texts: Map<string, string>): string {
  const text = texts.get(path) ?? "";
  return text.replaceAll(/^export \{([^}]*)\} from "(\.[^"]*)";$/gm, (_line, names, from) => {
    const target = new URL(`${from}.ts`, `file:///${path}`).pathname.slice(1);
    const there = names.split(",").map((name: string) => name.trim()).filter((name: string) =>
      name !== "" && defines(texts.get(target) ?? "", name.split(" as ")[0])
    );
    return there.length === 0 ? "" : `export { ${there.join(", ")} } from "${from}";`;
  });
}

/** Whether a file exports something under a name, of its own or from another. */
function defines(text: string, name: string): boolean {
  const own = `^export (declare )?(function|const( enum)?|class) ${name}\\b`;
  return new RegExp(`${own}|^export \\{[^}]*\\b${name}\\b[^}]*\\} from`, "m").test(text);
}
