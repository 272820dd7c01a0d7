/**
 * LLDP, compiled.
 *
 * @module
 */

/** The module; `build.ts` makes lldp.wasm. */
declare const lldp: WebAssembly.Module;
export default lldp;
