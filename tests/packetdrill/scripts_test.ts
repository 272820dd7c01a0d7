/** The project's own scripts: each must pass, read exactly. */

import { assert, assertEquals } from "@std/assert";
import { findScripts } from "../../packetdrill/files.ts";
import { judge } from "../../packetdrill/judge.ts";
import engine from "../engine_checked_module.js";

const FOLDER = new URL("./", import.meta.url).pathname;
const files = await findScripts([FOLDER]);

Deno.test("packetdrill: there are scripts", () => assert(files.length >= 200, `${files.length}`));

for (const file of files) {
  const name = file.slice(FOLDER.length);
  Deno.test(`packetdrill: ${name}`, async () => {
    const source = await Deno.readTextFile(file);
    const { verdict, line, reason, expected, got } = await judge(name, source, "ipv4", { engine });
    assertEquals(verdict, "pass", `${name}:${line}: ${reason}\n${expected}\n${got}`);
  });
}
