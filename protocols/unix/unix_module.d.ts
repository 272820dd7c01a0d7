/**
 * Local sockets, compiled.
 *
 * @module
 */

/** The module; `build.ts` makes unix.wasm. */
declare const unix: WebAssembly.Module;
export default unix;
