/** Every setting is heeded by the engine, and there is a test that sets it and looks. */

import { assertEquals } from "@std/assert";
import { SYSCTLS } from "../../../runtime/sysctl_table.ts";
import { SETTINGS_READ } from "../../../runtime/wasm/settings.gen.ts";

const TESTS = new URL("../../", import.meta.url);
/** Tests that go through all settings, whatever they are. */
const ALL = /\/(sysctl(_cover)?_test|settings_test|layout_test)\.ts$/;

async function readAll(folder: URL): Promise<string[]> {
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) texts.push(...await readAll(new URL(`${name}/`, folder)));
    else if (/(_test\.ts|\.pkt)$/.test(name)) {
      const path = new URL(name, folder);
      if (!ALL.test(path.pathname) || /\/tests\/tcp\//.test(path.pathname)) {
        texts.push(await Deno.readTextFile(path));
      }
    }
  }
  return texts;
}

/** The setting by its field, given a value; or by one of its names. */
function isSet(field: string, name: string, texts: readonly string[]): boolean {
  const given = new RegExp(`\\b${field.replace("net.", "")}(:|,| \\}|\\])`);
  return texts.some((text) => given.test(text) || text.includes(name));
}

Deno.test("no setting is for show", async () => {
  const texts = await readAll(TESTS);
  const pairs = SYSCTLS.flatMap(({ name, fields }) => fields.map((it) => [it, name] as const));
  const unread = pairs.filter(([it]) => !SETTINGS_READ.has(it.replace("net.", "")));
  assertEquals(unread.map(([it]) => it), [], "settings that the engine does not read");
  const untested = pairs.filter(([it, name]) => !isSet(it, name, texts));
  assertEquals(untested.map(([it]) => it), [], "settings that no test sets");
});
