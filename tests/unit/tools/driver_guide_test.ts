/** docs/writing-a-driver.md can be followed: what it tells to run runs, what it shows is there. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { driverNew } from "../../../tools/driver_new.ts";
import { ScaffoldError } from "../../../tools/scaffold.ts";

const ROOT = new URL("../../../", import.meta.url);
const GUIDE = "docs/writing-a-driver.md";

function blocks(language: string): string[] {
  const text = Deno.readTextFileSync(new URL(GUIDE, ROOT));
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm");
  return [...text.matchAll(fence)].map(([, block]) => block);
}

async function deno(cwd: URL | string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  assert(success, `deno ${args.join(" ")}\n${text}`);
  return text;
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("driver guide: its examples run, and print what they say", async () => {
  const text = await deno(ROOT, "test", "--doc", "-A", GUIDE, "docs/drivers.md");
  const said = blocks("ts").flatMap((block) => [...block.matchAll(/console\.log.*; \/\/ (.*)/g)]);
  assertEquals(said.length, 4);
  for (const [, printed] of said) assert(text.split("\n").includes(printed), printed);
});

Deno.test("driver guide: the project that it makes keeps the contract, and is what it shows", () =>
  inFolder(async (folder) => {
    const [commands] = blocks("sh");
    const [make, test] = commands.trim().split("\n");
    assertEquals(test, "cd ../wormhole && deno task test");
    await deno(ROOT, ...make.replace("../", `${folder}/`).split(" ").slice(1));
    const project = `${folder}/wormhole`;
    const text = await deno(project, "task", "test");
    assertStringIncludes(text, "wormhole: keeps a bounded number of frames");
    assertStringIncludes(text, "0 failed");
    assert(!text.includes("ignored"), text);
    await deno(project, "lint", "--quiet");
    const files = ["mod.ts", "mod_test.ts"].map((file) =>
      Deno.readTextFileSync(`${project}/${file}`).replaceAll(/^ +/gm, "")
    );
    const shown = blocks("ts ignore").filter((block) => !block.includes("import.meta.resolve"));
    assertEquals(shown.length, 4);
    for (const block of shown) {
      const plain = block.trim().replaceAll(/^ +/gm, "");
      assert(files.some((file) => file.includes(plain)), `not in the project:\n${block}`);
    }
  }));

Deno.test("driver guide: a contract that is not kept is told", () =>
  inFolder(async (folder) => {
    await driverNew(["leaky"], folder);
    const at = `${folder}/leaky/mod.ts`;
    const source = Deno.readTextFileSync(at);
    const spoilt = source.replace(" || this.#inbound.length === QUEUE_FRAMES", "");
    assert(spoilt !== source);
    Deno.writeTextFileSync(at, spoilt);
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "test"],
      cwd: `${folder}/leaky`,
      env: { NO_COLOR: "1" },
    }).output();
    assert(!success);
    assertStringIncludes(
      new TextDecoder().decode(stdout),
      "leaky: keeps a bounded number of frames that nobody takes, and counts the others ... FAILED",
    );
  }));

Deno.test("driver guide: wrong uses of driver:new say what to do", () =>
  inFolder(async (folder) => {
    const cases: [string[], string][] = [
      [[], "usage"],
      [["a", "b"], "usage"],
      [["x", "--kind", "side"], "--kind"],
      [["9x"], "begins with a letter"],
    ];
    for (const [args, words] of cases) {
      await assertRejects(() => driverNew(args, folder), ScaffoldError, words);
    }
    assertStringIncludes(await driverNew(["x"], folder), "mod_test.ts");
    await assertRejects(() => driverNew(["x"], folder), ScaffoldError, "is not empty");
  }));
