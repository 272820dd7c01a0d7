/** What the documents say is so: examples run, files exist, functions are where they should be. */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../../", import.meta.url);
const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"];

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch {
    return false;
  }
}

/** Runs deno in the project's folder, with `script` as its standard input. */
async function deno(args: string[], script = ""): Promise<{ good: boolean; text: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { good: success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("documents: the examples of the README run, and print what they say", async () => {
  const { good, text } = await deno([
    "test",
    "--doc",
    "-A",
    "README.md",
    "docs/sysctl.md",
    "docs/protocols.md",
    "docs/processes.md",
    "docs/tunnels.md",
    "docs/local.md",
    "docs/multicast.md",
    "docs/filters.md",
    "docs/routing.md",
    "docs/commands.md",
  ]);
  assert(good, text);
  const said = [...read("README.md").matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map((m) => m[1]);
  assert(said.length >= 6);
  for (const words of said) {
    const printed = words.replace(/;.*/, "");
    assert(text.split("\n").includes(printed), `"${printed}" is not in\n${text}`);
  }
});

Deno.test("documents: a stack needs no permission", async () => {
  const script = `import { createStack } from "@godwit/godwit";
    import { pipe } from "@godwit/godwit/drivers/pipe";
    await using stack = await createStack({ interfaces: [{ driver: pipe()[0] }] });
    using listener = stack.listen({ port: 7 });
    using client = await stack.connect({ port: 7 });
    console.log(client.remoteAddr.port);`;
  const { good, text } = await deno(["run", "--no-prompt", "--no-check", "-"], script);
  assertEquals([good, text], [true, "7\n"]);
});

Deno.test("documents: files and links that are named exist", () => {
  const missing: string[] = [];
  let count = 0;
  for (const document of DOCUMENTS) {
    const text = read(document);
    const paths = [
      ...text.matchAll(/`((?:assembly|runtime|drivers|tests|examples|bench|docs)\/[\w./]*)`/g),
      ...text.matchAll(/\]\((?!https?:)([\w./]+)\)/g),
      ...text.matchAll(/\b((?:assembly|runtime|drivers)\/[\w/]+\.ts)\b/g),
    ];
    count += paths.length;
    for (const [, path] of paths) if (!exists(path)) missing.push(`${document}: ${path}`);
  }
  assertEquals(missing, []);
  assert(count > 50);
});

Deno.test("documents: the way of a message names functions that are there", () => {
  // Lines such as `  if_queue.enqueue           assembly/net/if_queue.ts   …`.
  const lines = [
    ...read("ARCHITECTURE.md").matchAll(
      /^.{17}[ └]*([\w.→, ]+?) {2,}((?:assembly|runtime)\/[\w/]+\.ts)/gm,
    ),
  ];
  assert(lines.length > 20, `${lines.length} lines found`);
  const missing: string[] = [];
  for (const [, names, path] of lines) {
    const source = read(path);
    for (const name of names.split(/[→,]/)) {
      const last = name.trim().split(".").at(-1)!;
      const defined = new RegExp(
        `(function ${last}\\b|^ {2}(async |static )?${last}(<\\w+>)?\\()`,
        "m",
      );
      if (!defined.test(source)) missing.push(`${last} in ${path}`);
    }
  }
  assertEquals(missing, []);
});

Deno.test("documents: every pinned dependency is explained", () => {
  const { imports } = JSON.parse(read("deno.json")) as { imports: Record<string, string> };
  const architecture = read("ARCHITECTURE.md");
  for (const specifier of Object.values(imports)) {
    const [, name, version] = /^npm:(@?[^@]+)@(\d+\.\d+\.\d+)(?:\/|$)/.exec(specifier)!;
    const row = new RegExp(`^\\| \`${name}\` ${version.replaceAll(".", "\\.")} +\\|`, "m");
    assert(row.test(architecture), `${name} ${version}`);
  }
});
