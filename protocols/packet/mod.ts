/**
 * Packet sockets: programs receive and send whole frames of an interface, filtered by classic BPF.
 *
 * ```ts
 * import { Af, createStack, So, Sock, Sol } from "@godwit/godwit";
 * import { compileFilter, encodeProgram } from "@godwit/godwit/filter";
 * import { ETH_P_ALL } from "@godwit/godwit/protocols/packet";
 *
 * await using stack = await createStack();
 * const fd = stack.sys.socket(Af.NDD, Sock.RAW, ETH_P_ALL);
 * const filter = compileFilter("icmp", { linktype: 101 }); // the loopback interface has bare IP
 * stack.sys.setsockopt(fd, Sol.SOCKET, So.ATTACH_FILTER, encodeProgram(filter));
 * ```
 *
 * @module
 */

import wasm from "./packet_module.js";
import type { SideModule } from "../../runtime/protocol/module.ts";

export { EthP, PacketMr, PacketOpt, PacketType } from "../../assembly/abi/packet.ts";

/** Protocol of a socket that takes every frame, also those that are sent. */
export const ETH_P_ALL = 3;

/** The domain; a stack loads it with its first socket of the family. */
const packet: SideModule = {
  name: "packet",
  wasm,
  counters: ["received", "filtered", "dropped", "sent"],
};
export default packet;
