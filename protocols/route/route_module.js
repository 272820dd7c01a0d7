// @ts-self-types="./route_module.d.ts"
/**
 * The domain as a module, compiled with the program. In JavaScript because `deno check` cannot read
 * a source import in TypeScript.
 *
 * @module
 */
import source route from "./route.wasm";

export default route;
