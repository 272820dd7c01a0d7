// @ts-self-types="./packet_module.d.ts"
/**
 * The module, compiled with the program. In JavaScript because `deno check` cannot read a source
 * import in TypeScript.
 *
 * @module
 */
import source packet from "./packet.wasm";

export default packet;
