/**
 * Protocol NAME as a side module: WebAssembly that shares the engine's memory. Its code is in
 * assembly/; `deno task build` compiles it to NAME.wasm.
 *
 * @module
 */

import type { SideModule } from "@godwit/godwit/protocol";

/** Its protocol number, which RFC 3692 keeps for experiments. */
export const PROTOCOL = 254;

/** The protocol; `stack.protocols.load(protocol, { ttl: 32 })`. */
const protocol: SideModule = {
  name: "NAME",
  wasm: new URL("./NAME.wasm", import.meta.url),
  encode: (config) => new Uint8Array([(config as { ttl?: number } | undefined)?.ttl ?? 64]),
};
export default protocol;
