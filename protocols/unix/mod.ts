/**
 * Local sockets (AF_UNIX): streams, datagrams and sequenced packets between sockets of one stack,
 * by path or abstract name, with descriptors and credentials.
 *
 * ```ts
 * import { Af, createStack, Sock } from "@godwit/godwit";
 *
 * await using stack = await createStack();
 * const { sys } = stack;
 * const listener = sys.socket(Af.UNIX, Sock.STREAM);
 * sys.bind(listener, { path: "/run/echo" });
 * sys.listen(listener);
 * const fd = sys.socket(Af.UNIX, Sock.STREAM);
 * await sys.connect(fd, { path: "/run/echo" });
 * ```
 *
 * @module
 */

import wasm from "./unix_module.js";
import type { SideModule } from "../../runtime/protocol/module.ts";

/** The domain; a stack loads it with its first socket of the family. */
const unix: SideModule = {
  name: "unix",
  wasm,
  counters: ["messages", "passed", "dropped", "collected"],
};
export default unix;
