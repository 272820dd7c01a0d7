/**
 * The engines that simulations run on, as `build.ts --checked` makes them.
 *
 * @module
 */

/** Compiles the engine with probes and asserts, or the released one. */
export async function loadEngine(kind: "checked" | "release"): Promise<WebAssembly.Module> {
  const name = kind === "checked" ? "engine_checked.wasm" : "engine.wasm";
  const url = new URL(`../runtime/wasm/${name}`, import.meta.url);
  return await WebAssembly.compile(await Deno.readFile(url));
}
