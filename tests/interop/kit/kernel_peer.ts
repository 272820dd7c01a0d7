/**
 * A peer made of the kernel's sockets, in a process of its own so that it does not wait for the
 * stack: `http PORT`, `echo PORT`, or `crowd ADDRESS PORT COUNT BYTES`. Prints `ready` when it
 * serves, and `done` when the crowd has gone home.
 */

import { crowd, echoAll } from "./crowd.ts";
import { serveHttp } from "./http.ts";

const [kind, ...args] = Deno.args;

async function serve(listener: Deno.Listener): Promise<void> {
  for await (const conn of listener) {
    serveHttp(conn).catch(console.error).finally(() => conn.close());
  }
}

switch (kind) {
  case "http":
  case "echo": {
    const listener = Deno.listen({ hostname: "0.0.0.0", port: Number(args[0]) });
    console.log("ready");
    await (kind === "http" ? serve(listener) : echoAll(listener));
    break;
  }
  case "crowd": {
    const [hostname, port, count, bytes] = args;
    console.log("ready");
    const connect = () => Deno.connect({ hostname, port: Number(port) });
    await crowd(connect, Number(count), Number(bytes));
    console.log("done");
    break;
  }
  default:
    throw new Error(`there is no peer of kind ${kind}`);
}
