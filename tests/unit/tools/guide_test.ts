/** The guides can be followed: what they tell to run runs, in a folder of its own. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { protocolBuild } from "../../../tools/protocol_build.ts";
import { protocolNew } from "../../../tools/protocol_new.ts";
import { ScaffoldError } from "../../../tools/scaffold.ts";
import { BuildError } from "../../../build.ts";

const ROOT = new URL("../../../", import.meta.url);

/** The commands of a document, with `../` moved to a folder. */
function commandsOf(document: string, folder: string): string[] {
  const text = Deno.readTextFileSync(new URL(document, ROOT));
  return [...text.matchAll(/^```sh\n([^]*?)^```/gm)].flatMap(([, block]) =>
    block.trim().split("\n").map((line) => line.replaceAll("../", `${folder}/`))
  );
}

async function shell(command: string): Promise<{ good: boolean; text: string }> {
  const line = command.replaceAll(/\bdeno\b/g, `'${Deno.execPath()}'`);
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", line],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { good: success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("guide: what docs/protocols.md tells to run makes protocols that work", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const commands = commandsOf("docs/protocols.md", folder);
    assertEquals(commands.length, 6);
    for (const command of commands) {
      const { good, text } = await shell(command);
      assert(good, `${command}\n${text}`);
      if (command.includes("task test")) assertStringIncludes(text, "0 failed");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("guide: wrong uses of protocol:new and protocol:build say what to do", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const cases: [string[], string][] = [
      [[], "usage"],
      [["a", "b"], "usage"],
      [["x", "--kind", "kernel"], 'no kind "kernel"'],
      [["x", "--colour"], "--colour"],
      [["9x"], "begins with a letter"],
      [["../x"], "begins with a letter"],
    ];
    for (const [args, words] of cases) {
      await assertRejects(() => protocolNew(args, folder), ScaffoldError, words);
    }
    await protocolNew(["x"], folder);
    await assertRejects(() => protocolNew(["x"], folder), ScaffoldError, "is not empty");
    await assertRejects(() => protocolBuild([], folder), BuildError, "usage");
    await assertRejects(() => protocolBuild(["x"], folder), BuildError, "no folder assembly/");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
