// @ts-self-types="./unix_module.d.ts"
/**
 * The module, compiled with the program. In JavaScript because `deno check` cannot read a source
 * import in TypeScript.
 *
 * @module
 */
import source unix from "./unix.wasm";

export default unix;
