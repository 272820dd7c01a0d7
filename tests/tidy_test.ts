/** The budgets and bans of the project, and tests that each of them can be seen to fail. */

import { assertEquals, AssertionError, assertStringIncludes } from "@std/assert";
import { cycles, direction, directionOf } from "./tidy/imports.ts";
import * as rules from "./tidy/rules.ts";
import { findFunctions, parseSource, type Source } from "./tidy/source.ts";

const ROOT = new URL("../", import.meta.url);
const SKIPPED_FOLDERS = /^(\.git|node_modules|out|coverage|fixtures)$/;
const CODE = /\.(ts|js)$/;
const GENERATED = /\.gen\.ts$/;
const TEXT = /(\.(ts|js|json|lock|md|yml|sh|toml)|\/run|\.gitattributes|\.gitignore|LICENSE)$/;

async function readTree(): Promise<Source[]> {
  const sources: Source[] = [];
  async function walk(folder: string): Promise<void> {
    for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
      if (SKIPPED_FOLDERS.test(entry.name)) continue;
      const path = folder + entry.name;
      if (entry.isDirectory) await walk(path + "/");
      else if (TEXT.test("/" + path)) {
        sources.push(parseSource(path, await Deno.readTextFile(new URL(path, ROOT))));
      }
    }
  }
  await walk("");
  return sources.sort((a, b) => a.path < b.path ? -1 : 1);
}

const tree = await readTree();
const code = tree.filter(({ path }) => CODE.test(path) && !GENERATED.test(path));
const assembly = code.filter(({ path }) => /^(protocols\/\w+\/)?assembly\//.test(path));

function holds(name: string, sources: readonly Source[], rule: rules.Rule): void {
  Deno.test(`tidy: ${name}`, () => {
    const breaches = sources.flatMap((source) => rule(source));
    none(breaches);
  });
}

function none(breaches: readonly string[]): void {
  if (breaches.length > 0) throw new AssertionError("\n  " + breaches.join("\n  "));
}

holds("files have at most 350 lines", code, rules.fileLines);
holds("files exempt as tables are tables", code, rules.tableIsPure);
holds("functions have at most 70 lines", code, rules.functionLines);
holds("lines have at most 100 columns", code, rules.columns);
holds("only classes have decorators in assembly/", assembly, rules.decorators);
holds("assembly/ has no variables at module level", assembly, rules.moduleState);
holds("nothing is left for later", code, rules.unfinished);
holds("no path or host of one machine", tree, rules.places);
holds("only runtime/device and runtime/clock.ts use Deno", code, rules.hostFree);
holds("imports go from right to left", code, direction);

Deno.test("tidy: assembly/ and runtime/ import without cycles", () => {
  none(
    cycles(code.filter(({ path }) => /^(assembly|runtime|drivers|filter|protocols)\//.test(path))),
  );
});

Deno.test("tidy: the tree that is checked is the whole tree", () => {
  const paths = tree.map(({ path }) => path);
  for (const path of ["build.ts", "deno.json", "tests/tidy_test.ts", "assembly/abi/errno.ts"]) {
    assertEquals(paths.includes(path), true, path);
  }
});

// Each rule on small inputs: what it must refuse, and what it must let pass.

function judge(rule: rules.Rule, text: string, path = "assembly/sys/x.ts"): number {
  return rule(parseSource(path, text)).length;
}

Deno.test("tidy fails: long files and impure tables", () => {
  const long = "const a = 1;\n".repeat(351);
  assertEquals(judge(rules.fileLines, long), 1);
  assertEquals(judge(rules.fileLines, long.slice("const a = 1;\n".length)), 0);
  assertEquals(judge(rules.fileLines, "// tidy: table\n" + long), 0);
  assertEquals(judge(rules.fileLines, "\n// tidy: table\n" + long), 1);
  const logic = "// tidy: table\nfunction f() {\n" + "g();\n".repeat(6) + "}\n";
  assertEquals(judge(rules.tableIsPure, logic), 1);
  assertEquals(judge(rules.tableIsPure, "// tidy: table\nconst f = () => {\n  g();\n};\n"), 0);
});

Deno.test("tidy fails: long functions of every form", () => {
  const forms: [string, string, string][] = [
    ["function f(a: u32): i32 {", "}", "f"],
    ["export async function g<T>(a: T) {", "}", "g"],
    ["class A {\n  m(a: { b: number }): Map<string, () => void> {", "  }\n}", "m"],
    ["class A {\n  get p(): { q: number } {", "  }\n}", "p"],
    ["const h = (a: number): Promise<void> => {", "};", "arrow function"],
    ["call(x => {", "});", "arrow function"],
    ["function k(\n  a: number,\n): asserts a is 1 {", "}", "k"],
  ];
  for (const [head, tail, name] of forms) {
    const lines = (n: number) => `${head}\n${"    i++;\n".repeat(n)}${tail}\n`;
    const used = head.split("\n").length - (head.startsWith("class") ? 1 : 0) + 1;
    const [breach] = rules.functionLines(parseSource("a.ts", lines(71 - used)));
    assertStringIncludes(breach ?? "nothing found", `${name} has 71 lines`, head);
    assertEquals(judge(rules.functionLines, lines(70 - used)), 0, head);
  }
});

Deno.test("tidy passes: long blocks that are no functions", () => {
  const body = "    a: 1,\n".repeat(80);
  for (
    const head of [
      "class A {",
      "export const enum E {",
      "const t = {",
      "interface I<T> {",
      "const t: Record<string, number> = {",
      "f(a ? g(b) : {",
      "if (a) {",
      "for (const a of b()) {",
      "export const x = cond(a) as T & {",
    ]
  ) {
    assertEquals(judge(rules.functionLines, `${head}\n${body}}`), 0, head);
  }
});

Deno.test("tidy tells a class from the function before it", () => {
  const text = "function f(a: number): A | undefined {\n}\n\nexport class B extends A {\n" +
    "  a = 1;\n".repeat(80) + "}\nf(1) ? {} : {\n" + "  a: 1,\n".repeat(80) + "};\n";
  assertEquals(findFunctions(parseSource("a.ts", text)).map(({ lines }) => lines), [2]);
});

Deno.test("tidy sees through strings, templates, comments and regular expressions", () => {
  const text = [
    'const a = "function f() {"; // function g() {',
    "/* function h() { */ const b = `function i() { ${((x) => { return `}`; })(1)} {`;",
    "const c = /[/{]function j() {/.test(a) ? 1 / 2 : 3 / 4;",
    "function k(s = '}') { return `${{ a: `{` }.a}`; }",
  ].join("\n");
  const source = parseSource("a.ts", text);
  assertEquals(findFunctions(source).map(({ name }) => name), ["arrow function", "k"]);
  assertEquals(source.comments.includes("function g"), true);
  assertEquals(source.comments.includes("function f"), false);
  assertEquals(source.code.length, text.length);
});

Deno.test("tidy fails: wide lines", () => {
  assertEquals(judge(rules.columns, "// " + "x".repeat(98)), 1);
  assertEquals(judge(rules.columns, "// " + "é".repeat(97)), 0);
});

Deno.test("tidy fails: top-level decorators", () => {
  assertEquals(judge(rules.decorators, "@inline\nexport function f(): void {}\n"), 1);
  assertEquals(judge(rules.decorators, "@lazy const a = 1;\n"), 1);
  const struct = "@unmanaged\n@final\nexport class A {\n  @inline get a(): u32 { return 1; }\n}\n";
  assertEquals(judge(rules.decorators, struct), 0);
  assertEquals(judge(rules.decorators, "// @inline\nfunction f(): void {}\n"), 0);
});

Deno.test("tidy fails: variables at module level", () => {
  assertEquals(judge(rules.moduleState, "let a: u32 = 0;\n"), 1);
  assertEquals(judge(rules.moduleState, "export let a: u32 = 0;\nvar b = 1;\n"), 2);
  assertEquals(judge(rules.moduleState, "export const a = 1;\nfunction f() {\n  let a = 1;\n}"), 0);
});

Deno.test("tidy fails: work left for later", () => {
  const marks = ["TO" + "DO: more", "FIX" + "ME", "Good enough for " + "now."];
  for (const mark of marks) assertEquals(judge(rules.unfinished, `f(); // ${mark}\n`), 1, mark);
  assertEquals(judge(rules.unfinished, "// asks for nowUs\nconst todos = 1;\n"), 0);
});

Deno.test("tidy fails: paths and hosts of one machine", () => {
  const bad = [
    "/ro" + "ot/x",
    "see /ho" + "me/me/y",
    "regis" + "try.example.org",
    "file:" + "///etc",
  ];
  for (const text of bad) assertEquals(judge(rules.places, text), 1, text);
  for (const text of ["net/work/a.ts", "../root/b", "npm:fast-check", "/tmp/x"]) {
    assertEquals(judge(rules.places, text), 0, text);
  }
});

Deno.test("tidy fails: Deno where there may be no Deno", () => {
  const use = "export const now = () => Deno.hrtime();\n";
  assertEquals(judge(rules.hostFree, use, "assembly/sys/clock.ts"), 1);
  assertEquals(judge(rules.hostFree, use, "runtime/engine.ts"), 1);
  assertEquals(judge(rules.hostFree, "const { env } = Deno;", "runtime/engine.ts"), 1);
  assertEquals(judge(rules.hostFree, use, "runtime/device/attach.ts"), 0);
  assertEquals(judge(rules.hostFree, use, "drivers/tap.ts"), 0);
  assertEquals(judge(rules.hostFree, "// Deno.x\nlet a: Deno.Conn;", "runtime/socket/c.ts"), 0);
});

Deno.test("tidy fails: imports from left to right", () => {
  const refused: [string, string][] = [
    ["assembly/abi/errno.ts", "./socket"],
    ["assembly/sys/mbuf.ts", "../socket/sockbuf"],
    ["assembly/protocol/domain.ts", "../socket/so"],
    ["assembly/wire/ip4.ts", "../socket/sockaddr"],
    ["assembly/net/arp.ts", "../inet/ip_output"],
    ["assembly/inet/udp.ts", "../tcp/tcb"],
    ["assembly/tcp/input.ts", "../index"],
    ["assembly/tcp/input.ts", "../../runtime/errors.ts"],
    ["assembly/other/x.ts", "../abi/errno"],
    ["runtime/errors.ts", "./engine.ts"],
    ["runtime/errors.ts", "./engine_calls.ts"],
    ["runtime/engine.ts", "../assembly/sys/mbuf.ts"],
    ["runtime/device/attach.ts", "../protocol/host.ts"],
    ["runtime/socket/conn.ts", "../loop.ts"],
    ["runtime/loop.ts", "../mod.ts"],
    ["runtime/stack.ts", "../drivers/loopback.ts"],
    ["runtime/novel.ts", "./errors.ts"],
    ["drivers/tap.ts", "../runtime/engine.ts"],
    ["drivers/tap.ts", "@std/assert"],
    ["filter/run.ts", "../runtime/errors.ts"],
    ["runtime/stack.ts", "../filter/run.ts"],
    ["sim/world.ts", "../tests/sim_wire.ts"],
    ["protocols/x/assembly/index.ts", "../../y/assembly/index"],
    ["protocols/x/mod.ts", "../../runtime/stack.ts"],
    ["protocols/x/mod.ts", "../y/mod.ts"],
    ["sim/world.ts", "../assembly/sys/mbuf.ts"],
    ["examples/start.ts", "../sim/world.ts"],
    ["mod.ts", "./tests/a.ts"],
  ];
  for (const [path, target] of refused) {
    const breaches = directionOf(path, `import { a } from "${target}";\n`);
    assertEquals(breaches.length, 1, `${path} imports ${target}`);
  }
});

Deno.test("tidy passes: imports from right to left", () => {
  const allowed: [string, string][] = [
    ["assembly/sys/mbuf.ts", "../abi/mbuf"],
    ["assembly/wire/ip4.ts", "./checksum"],
    ["assembly/net/arp.ts", "../socket/so_event"],
    ["assembly/tcp/input.ts", "../inet/in_pcb"],
    ["assembly/index.ts", "./tcp/input"],
    ["assembly/probes/tcp.ts", "../tcp/input"],
    ["runtime/engine.ts", "./wasm/engine_module.js"],
    ["bench/main.ts", "../sim/world.ts"],
    ["runtime/stack.ts", "./loop.ts"],
    ["runtime/engine_calls.ts", "./engine.ts"],
    ["drivers/tap.ts", "./host_errno.ts"],
    ["drivers/tap.ts", "../runtime/device/driver.ts"],
    ["mod.ts", "./drivers/pipe.ts"],
    ["drivers/trace.ts", "../filter/run.ts"],
    ["protocols/x/assembly/index.ts", "../../../assembly/sys/mbuf"],
    ["protocols/x/mod.ts", "../../runtime/protocol/public.ts"],
    ["protocols/x/mod.ts", "../../drivers/frame_ring.ts"],
    ["sim/world.ts", "../runtime/stack.ts"],
    ["sim/random.ts", "../drivers/prng.ts"],
    ["tests/sim/a_test.ts", "../../sim/world.ts"],
    ["tests/a_test.ts", "../runtime/engine.ts"],
  ];
  for (const [path, target] of allowed) {
    assertEquals(directionOf(path, `export * from "${target}";\n`), [], `${path} ← ${target}`);
  }
  assertEquals(directionOf("runtime/errors.ts", '// import "./engine.ts";\n'), []);
  assertEquals(directionOf("runtime/errors.ts", "const a = `import './engine.ts'`;\n"), []);
  assertEquals(directionOf("runtime/errors.ts", 'await import("./engine.ts");\n').length, 1);
});

Deno.test("tidy fails: cycles, unless of types alone", () => {
  const file = (name: string, text: string) => parseSource(`assembly/sys/${name}.ts`, text);
  const a = file("a", 'import { b } from "./b";\n');
  const b = file("b", 'import { c } from "./c";\n');
  const c = file("c", 'import {\n  a,\n} from "./a";\n');
  const types = file("c", 'import { d } from "./d";\nimport type { a } from "./a";\n');
  assertEquals(cycles([a, b, c]).length, 1);
  assertEquals(cycles([a, b, types]), []);
});
