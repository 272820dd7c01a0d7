/**
 * Packet sockets, compiled.
 *
 * @module
 */

/** The module; `build.ts` makes packet.wasm. */
declare const packet: WebAssembly.Module;
export default packet;
