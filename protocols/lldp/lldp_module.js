// @ts-self-types="./lldp_module.d.ts"
/**
 * The module, compiled with the program. In JavaScript because `deno check` cannot read a source
 * import in TypeScript.
 *
 * @module
 */
import source lldp from "./lldp.wasm";

export default lldp;
