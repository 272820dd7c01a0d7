/**
 * Finds scripts.
 *
 * @module
 */

import { ScriptError } from "./errors.ts";

/** Paths of the scripts that arguments name: files as they are, folders searched through. */
export async function findScripts(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const info = await Deno.stat(path).catch(() => undefined);
    if (!info) throw new ScriptError(`there is no ${path}`);
    if (info.isDirectory) await search(path.replace(/\/+$/, ""), found);
    else found.push(path);
  }
  return [...new Set(found)].sort();
}

async function search(folder: string, found: string[]): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) await search(path, found);
    else if (entry.name.endsWith(".pkt")) found.push(path);
  }
}
