/**
 * The generated files are those of the sources, the engine is that of the generated files, and the
 * generator itself does what build.ts says.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { build, BuildError, compile, namesText, readSources } from "../build.ts";
import { LAYOUT_HASH } from "../runtime/wasm/layout.gen.ts";
import {
  formatLayout,
  layoutDifferences,
  layoutHash,
  parseLayout,
  readLayout,
} from "../tools/layout.ts";
import { formatNames, readEnums, tableName } from "../tools/names.ts";
import { formatSettings, readFields } from "../tools/settings.ts";

const ROOT = new URL("../", import.meta.url);
const WASM = new URL("runtime/wasm/", ROOT);

Deno.test("layout.gen.ts, names.gen.ts and settings.gen.ts are up to date", async () => {
  const sources = await readSources();
  const { layout } = await compile(sources, { emit: false });
  const advice = "run `deno task build` and commit what it wrote";
  const layoutText = await Deno.readTextFile(new URL("layout.gen.ts", WASM));
  assertEquals(layoutText, await formatLayout(layout), advice);
  const written = (name: string) => Deno.readTextFile(new URL(name, WASM));
  assertEquals(await written("names.gen.ts"), namesText(sources), advice);
  assertEquals(await written("settings.gen.ts"), formatSettings(sources), advice);
});

for (const name of ["engine.wasm", "engine_checked.wasm"]) {
  Deno.test(`${name} carries the hash of layout.gen.ts`, async () => {
    const module = await WebAssembly.compile(await Deno.readFile(new URL(name, WASM)));
    const [section] = WebAssembly.Module.customSections(module, "godwit.layout");
    assertEquals(new TextDecoder().decode(section), LAYOUT_HASH);
  });
}

Deno.test("struct fields do not overlap and stand within the struct", async () => {
  const text = await Deno.readTextFile(new URL("layout.gen.ts", WASM));
  const layout = await parseLayout(text);
  assert(layout);
  for (const [name, { size, fields }] of Object.entries(layout)) {
    const offsets = Object.values(fields);
    assertEquals(new Set(offsets).size, offsets.length, `${name} has two fields in one place`);
    assert(offsets.every((offset) => offset < size), `${name} has a field beyond its size`);
  }
});

// The generator, on small sources.

const PANIC =
  "export function panic(m: usize, f: usize, l: u32, c: u32): void { unreachable(); }\n";
const CONFIG = "export const CHECKED: bool = isDefined(GODWIT_CHECKED);\n";
const STRUCT = [
  "@unmanaged @final",
  "export class Node {",
  "  next: Node;",
  "  when: i64;",
  "  kind: u16;",
  "  flags: u8;",
  "  get late(): bool { return this.when < 0; }",
  "}",
].join("\n");
const INDEX = [
  'import "./sys/panic";',
  'import { CHECKED } from "./sys/config";',
  'import { Node } from "./sys/node";',
  "export function so_late(n: usize): bool {",
  "  if (CHECKED) assert(n != 0);",
  "  return changetype<Node>(n).late;",
  "}",
].join("\n");
const SMALL = {
  "assembly/abi/kind.ts": "export const enum Kind {\n  ONE = 1, // the first\n}\n",
  "assembly/sys/panic.ts": PANIC,
  "assembly/sys/config.ts": CONFIG,
  "assembly/sys/node.ts": STRUCT,
  "assembly/index.ts": INDEX,
  "assembly/probes/node.ts": "export function probe_one(): i32 { return 1; }\n",
};

async function inFolder(
  files: Record<string, string>,
  body: (root: URL, log: string[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "build_test_" });
  try {
    const root = new URL(`file://${folder}/`);
    for (const [path, text] of Object.entries(files)) {
      const file = new URL(path, root);
      await Deno.mkdir(new URL(".", file), { recursive: true });
      await Deno.writeTextFile(file, text);
    }
    await body(root, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("build writes both engines, offsets as the compiler has them, and names", async () => {
  await inFolder(SMALL, async (root, log) => {
    await build({ root, checked: true, log: (line) => log.push(line) });
    assertEquals(log.length, 2);
    const text = await Deno.readTextFile(new URL("runtime/wasm/layout.gen.ts", root));
    const layout = await parseLayout(text);
    const fields = { next: 0, when: 8, kind: 16, flags: 18 };
    assertEquals(layout, { Node: { size: 19, fields } });
    const names = await Deno.readTextFile(new URL("runtime/wasm/names.gen.ts", root));
    assert(names.includes('1: { name: "ONE", note: "the first" }'), names);
    const exportsOf = async (name: string) => {
      const bytes = await Deno.readFile(new URL(`runtime/wasm/${name}.wasm`, root));
      const module = await WebAssembly.compile(bytes);
      return WebAssembly.Module.exports(module).map(({ name }) => name).sort();
    };
    assertEquals(await exportsOf("engine"), ["so_late", "table"]);
    assertEquals(await exportsOf("engine_checked"), ["probe_one", "so_late", "table"]);
  });
});

Deno.test("only the checked engine asserts", async () => {
  await inFolder(SMALL, async (root) => {
    await build({ root, checked: true, log: () => {} });
    const call = async (name: string) => {
      const bytes = await Deno.readFile(new URL(`runtime/wasm/${name}.wasm`, root));
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
      const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
      return (instance.exports.so_late as (n: number) => number)(0);
    };
    assertEquals(await call("engine"), 0);
    await assertRejects(() => call("engine_checked"), WebAssembly.RuntimeError);
  });
});

Deno.test("settings that are read are found, not those that are set", () => {
  const from = 'import { T } from "./settings";\n';
  const sources: [string, string][] = [
    ["assembly/tcp/a.ts", `${from}if (T.sack == 1 && x < T.ecn) T.frto = 0; // T.undo`],
    ["assembly/tcp/b.ts", "T.dsack;"],
    ["assembly/inet/c.ts", 'import { T, U } from "../tcp/settings";\nf(T.pacing);'],
    ["assembly/tcp/settings.ts", `${from}T.hystart;`],
    ["tools/d.ts", `${from}T.recovery;`],
    ["assembly/net/e.ts", 'import { N } from "../sys/net_settings";\nN.ttl = N.arp_tries;'],
  ];
  assertEquals(readFields(sources), ["arp_tries", "ecn", "pacing", "sack"]);
});

Deno.test("build does nothing when nothing changed, and notices each kind of change", async () => {
  await inFolder(SMALL, async (root, log) => {
    const run = async () => {
      log.length = 0;
      await build({ root, log: (line) => log.push(line) });
      return log.length;
    };
    assertEquals(await run(), 1);
    assertEquals(await run(), 0);
    await Deno.writeTextFile(new URL("assembly/sys/node.ts", root), STRUCT.replace("u16", "u32"));
    assertEquals(await run(), 1);
    await Deno.writeTextFile(new URL("runtime/wasm/layout.gen.ts", root), "edited\n");
    assertEquals(await run(), 1);
    await Deno.writeTextFile(new URL("runtime/wasm/engine.wasm", root), "torn");
    assertEquals(await run(), 1);
    await Deno.remove(new URL("runtime/wasm/names.gen.ts", root));
    assertEquals(await run(), 0);
    assert((await Deno.stat(new URL("runtime/wasm/names.gen.ts", root))).isFile);
  });
});

Deno.test("two builds at once leave whole files and nothing else", async () => {
  await inFolder(SMALL, async (root) => {
    const one = () => build({ root, checked: true, force: true, log: () => {} });
    await Promise.all([one(), one()]);
    const names: string[] = [];
    for await (const { name } of Deno.readDir(new URL("runtime/wasm/", root))) names.push(name);
    const generated = ["layout.gen.ts", "names.gen.ts", "settings.gen.ts"];
    const expected = ["engine.wasm", "engine_checked.wasm", ...generated];
    assertEquals(names.sort(), expected);
    for (const name of expected.slice(0, 2)) {
      assert(WebAssembly.validate(await Deno.readFile(new URL(`runtime/wasm/${name}`, root))));
    }
  });
});

Deno.test("build reports the compiler's diagnostics", async () => {
  const broken = { ...SMALL, "assembly/index.ts": INDEX + '\nexport const a: i32 = "x";\n' };
  await inFolder(broken, async (root) => {
    await assertRejects(() => build({ root }), BuildError, "in assembly/index.ts(8,");
  });
  await inFolder({ "assembly/sys/panic.ts": PANIC }, async (root) => {
    await assertRejects(() => build({ root }), BuildError, "assembly/index.ts does not exist");
  });
});

Deno.test("build refuses structs that clash", async () => {
  const twice = { ...SMALL, "assembly/net/node.ts": STRUCT };
  const index = INDEX.replace("export", 'import { Node as N } from "./net/node";\nexport') +
    "\nexport function n(): usize { return offsetof<N>(); }\n";
  const cases: [Record<string, string>, string][] = [
    [{ ...twice, "assembly/index.ts": index }, "two structs are called Node"],
    [{ ...SMALL, "assembly/sys/node.ts": STRUCT.replace("kind", "size") }, "Node.size"],
  ];
  for (const [files, message] of cases) {
    await inFolder(files, async (root) => {
      await assertRejects(() => build({ root, log: () => {} }), BuildError, message);
    });
  }
});

Deno.test("layouts are compared, hashed, written and read back", async () => {
  const a = { A: { size: 8, fields: { x: 0, y: 4 } } };
  const b = { A: { size: 8, fields: { x: 0, y: 6 } }, B: { size: 1, fields: { z: 0 } } };
  assertEquals(layoutDifferences(a, b), ["A"]);
  assertEquals(layoutDifferences(a, { ...b, ...a }), []);
  assert(await layoutHash(a) !== await layoutHash(b));
  assertEquals(await parseLayout(await formatLayout(b)), b);
  assertEquals(await parseLayout((await formatLayout(b)).replace("y: 6", "y: 5")), undefined);
  assertEquals(
    readLayout({ elementsByName: new Map(), resolver: { resolveClass: () => null } }),
    {},
  );
});

Deno.test("enums are read with values, notes and implied values", () => {
  const text = [
    "export const enum E {",
    "  // a heading",
    "  A = 0x10, // sixteen",
    "  B, // one more",
    "  C = A | B, // both",
    "  D = 1 << 31, // top bit",
    "  LAST = -1,",
    "}",
    "export const enum F {",
    "  A,",
    "}",
  ].join("\n");
  const enums = readEnums(text, "e.ts");
  assertEquals(enums.get("E")?.map(({ name, value, note }) => `${name} ${value} ${note}`), [
    "A 16 sixteen",
    "B 17 one more",
    "C 17 both",
    "D 2147483648 top bit",
    "LAST -1 ",
  ]);
  assertEquals(enums.get("F"), [{ name: "A", value: 0, note: "" }]);
  const names = formatNames([["e.ts", text]]);
  assert(names.includes('  17: { name: "B", note: "one more" },'), names);
  assert(!names.includes('"C"'), "the first name of a value counts");
  assertEquals(tableName("IfCap"), "IF_CAP_NAMES");
  assertEquals(tableName("Errno"), "ERRNO_NAMES");
});

Deno.test("enums that cannot be read are refused with the place", () => {
  const inEnum = (line: string) => `export const enum E {\n  ${line}\n}\n`;
  for (const line of ["A = f(1),", 'A = "x",', "A = 1, B = 2,", "A = B,"]) {
    assertThrows(() => readEnums(inEnum(line), "e.ts"), Error, "e.ts:2", line);
  }
  const twice: [string, string] = ["e.ts", inEnum("A = 1,")];
  assertThrows(() => formatNames([twice, ["f.ts", twice[1]]]), Error, "enum E");
});
