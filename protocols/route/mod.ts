/**
 * Routing sockets: programs see and change the routing table by messages, and hear of what others
 * do to it and of what happens to interfaces and addresses. The messages are those of 4.4BSD and
 * AIX (route(4)); {@link encodeMessage} and {@link decodeMessage} make and read them.
 *
 * ```ts
 * import { Af, createStack, Sock } from "@godwit/godwit";
 * import { decodeMessage, encodeMessage, Rtm } from "@godwit/godwit/protocols/route";
 *
 * await using stack = await createStack();
 * const fd = stack.sys.socket(Af.ROUTE, Sock.RAW);
 * const question = encodeMessage({ type: Rtm.GET, destination: "127.0.0.1", seq: 1 });
 * await stack.sys.send(fd, question);
 * const buffer = new Uint8Array(2048);
 * const answer = decodeMessage(buffer.subarray(0, await stack.sys.recv(fd, buffer)));
 * console.log(answer.kind, answer.kind === "route" && answer.destination); // route 127.0.0.1
 * ```
 *
 * A side module; a stack loads it when the first such socket is made.
 *
 * @module
 */

import type { SideModule } from "../../runtime/protocol/module.ts";
import wasm from "./route_module.js";

export { Rta, Rtf, Rtm, Rtv } from "../../assembly/abi/route.ts";
export { encodeMessage, type RouteRequestMessage } from "./encode.ts";
export {
  type AddressMessage,
  decodeMessage,
  type InterfaceMessage,
  type LinkAddress,
  type Message,
  type RouteMessage,
} from "./decode.ts";

/** The domain, for `stack.protocols.load`; a stack has it by itself. */
const route: SideModule = {
  name: "route",
  wasm,
  counters: ["requests", "refused", "events", "delivered", "lost"],
};
export default route;
