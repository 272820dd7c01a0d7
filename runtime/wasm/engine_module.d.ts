/**
 * The compiled engine. It imports `env.memory` and nothing else.
 *
 * @module
 */

/** The engine, ready to be instantiated; `build.ts` makes engine.wasm. */
declare const engine: WebAssembly.Module;
export default engine;
