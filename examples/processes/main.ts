/**
 * Client and server as two programs on one stack, `deno task processes`: this thread has the stack,
 * and each program is a Worker of its own, which uses the stack's sockets through a ring in shared
 * memory.
 *
 * ```sh
 * deno run --allow-read=. examples/processes/main.ts
 * ```
 *
 * @module
 */

import { createStack } from "../../mod.ts";
import { ProgramWorker, serveSyscalls } from "../../runtime/process/server.ts";

/** The next message of a program; fails if the program does. */
function message(program: Worker): Promise<string> {
  return new Promise((resolve, reject) => {
    program.onmessage = ({ data }) => resolve(data);
    program.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
  });
}

await using stack = await createStack();
await using calls = serveSyscalls(stack);

const server = new ProgramWorker(import.meta.resolve("./server.ts"), await calls.open(), {
  data: { port: 7 },
});
console.log(await message(server));

const client = new ProgramWorker(import.meta.resolve("./client.ts"), await calls.open(), {
  data: { port: 7, rounds: 2000 },
});
console.log(await message(client));
client.terminate();

// The server waits in accept(), and will for ever. Its end closes its sockets.
const sockets = () => stack.netstat().sockets.filter(({ state }) => state === "LISTEN").length;
const before = sockets();
server.terminate();
while (calls.stats.clients > 0) await new Promise((resolve) => setTimeout(resolve, 1));
console.log(`listening sockets before the server was ended: ${before}, after: ${sockets()}`);
