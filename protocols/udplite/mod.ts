/**
 * UDP-Lite (RFC 3828): datagrams whose checksum covers as much as the sender says. Codecs and radio
 * links would rather have damaged data than none.
 *
 * ```ts
 * import { Af, createStack, Sock } from "@godwit/godwit";
 * import udplite, { IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV } from "@godwit/godwit/protocols/udplite";
 *
 * await using stack = await createStack();
 * await stack.protocols.load(udplite);
 * const fd = stack.sys.socket(Af.INET, Sock.DGRAM, IPPROTO_UDPLITE);
 * stack.sys.setsockopt(fd, IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 12); // header and 4 bytes
 * ```
 *
 * A side module: packets reach it as they reach UDP. Its sockets are bound, connected, sent to and
 * received from like those of UDP, have IP's options, join groups, and hear of ICMP errors; its
 * ports are its own.
 *
 * @module
 */

import type { SideModule } from "../../runtime/protocol/module.ts";

/** Protocol number, and level of its options (RFC 3828 7). */
export const IPPROTO_UDPLITE = 136;
/** Option: bytes from the header on that the checksum of what is sent covers; 0: all. */
export const UDPLITE_SEND_CSCOV = 10;
/** Option: least coverage that is taken; 0: all must be covered. Unless set, any will do. */
export const UDPLITE_RECV_CSCOV = 11;

/** The protocol, for `stack.protocols.load`. */
const udplite: SideModule = {
  name: "udplite",
  wasm: new URL("./udplite.wasm", import.meta.url),
  counters: [
    "in",
    "out",
    "in_partial",
    "short",
    "coverage",
    "checksum",
    "no_port",
    "full",
    "below",
  ],
};
export default udplite;
