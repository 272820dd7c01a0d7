// @ts-self-types="./engine_module.d.ts"
/**
 * The engine as a module: fetched and compiled with the program, without any permission, and
 * instantiated as often as there are stacks. In JavaScript because `deno check` cannot read a
 * source import in TypeScript.
 *
 * @module
 */
import source engine from "./engine.wasm";

export default engine;
