/**
 * A network over a WebSocket, with no other permission than to use it:
 *
 * ```sh
 * deno run --allow-net examples/websocket.ts serve 8080
 * deno run --allow-net=127.0.0.1:8080 examples/websocket.ts call ws://127.0.0.1:8080/
 * ```
 *
 * The server gives each visitor a host of its own to talk to, 10.9.0.1, which answers on TCP port
 * 7 with what it is told, in capitals. The visitor is 10.9.0.2.
 *
 * @module
 */

import { WebSocketDriver } from "../drivers/websocket.ts";
import { createStack } from "../mod.ts";

const SERVER = "10.9.0.1";
const CLIENT = "10.9.0.2";
const PORT = 7;

/** A host for one visitor, until its WebSocket is closed. */
async function visit(socket: WebSocket): Promise<void> {
  const driver = new WebSocketDriver(socket);
  await using stack = await createStack({
    interfaces: [{ driver, name: "ws0", addresses: [`${SERVER}/24`] }],
  });
  using listener = stack.listen({ port: PORT });
  socket.addEventListener("close", () => listener.close());
  for await (const connection of listener) {
    const words = await new Response(connection.readable).text();
    await connection.write(new TextEncoder().encode(words.toUpperCase()));
    await connection.closeWrite();
    connection.close();
  }
}

function serve(port: number): void {
  Deno.serve({ port, onListen: ({ port }) => console.log(`listening on ${port}`) }, (request) => {
    if (request.headers.get("upgrade") !== "websocket") return new Response("a WebSocket, please");
    const { socket, response } = Deno.upgradeWebSocket(request);
    // Not awaited: the socket opens once the response is on its way.
    visit(socket).catch((error) => console.error(error));
    return response;
  });
}

async function call(url: string): Promise<void> {
  await using stack = await createStack({
    interfaces: [{ driver: new WebSocketDriver(url), addresses: [`${CLIENT}/24`] }],
  });
  using connection = await stack.connect({ hostname: SERVER, port: PORT });
  await connection.write(new TextEncoder().encode("hello from a sandbox"));
  await connection.closeWrite();
  console.log(await new Response(connection.readable).text());
}

const [job, argument] = Deno.args;
if (job === "serve") serve(Number(argument ?? 8080));
else if (job === "call" && argument) await call(argument);
else console.error("usage: websocket.ts serve [PORT] | call URL");
