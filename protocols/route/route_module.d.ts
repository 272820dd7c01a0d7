/**
 * The compiled domain; it shares the engine's memory.
 *
 * @module
 */

/** Ready to be placed; `build.ts` makes route.wasm. */
declare const route: WebAssembly.Module;
export default route;
