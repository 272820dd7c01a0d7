/**
 * Protocol NAME as an untrusted module: WebAssembly that runs in a Worker and can reach nothing.
 * Its code is in assembly/, what it asks for in protocol.json; `deno task build` makes NAME.wasm.
 *
 * @module
 */

import type { UntrustedModule } from "@godwit/godwit/protocol";

/** Its protocol number. */
export const PROTOCOL = 253;

/** The protocol, for `stack.protocols.load`. */
const protocol: UntrustedModule = {
  name: "NAME",
  wasm: new URL("./NAME.wasm", import.meta.url),
};
export default protocol;
