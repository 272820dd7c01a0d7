/**
 * A stack at one end of a tunnel, in a process of its own: `tunnel_peer.ts KIND SIDE [ADDRESS]`.
 * The side `serve` makes the tunnel's end and says where it is; the side `call` joins it there.
 * Both send the same bytes over one TCP connection, say what they have received, and end with
 * their standard input.
 */

import { createStack, type NetDriver, type TcpConn } from "../../../mod.ts";
import { StreamDriver } from "../../../drivers/stream.ts";
import { UdpTunnel } from "../../../drivers/udp_tunnel.ts";
import { WebSocketDriver } from "../../../drivers/websocket.ts";
import { content, digest } from "./tunnel_content.ts";

const PORT = 80;
const HOST = "127.0.0.1";

function say(what: unknown): void {
  console.log(JSON.stringify(what));
}

/** The end that waits to be joined, and what tells where it is. */
async function serving(kind: string, path: string): Promise<[NetDriver, () => unknown]> {
  switch (kind) {
    case "udp": {
      const local = { hostname: HOST, port: 0 };
      const tunnel = new UdpTunnel({ local, learnPeer: true });
      return [tunnel, () => tunnel.address];
    }
    case "udp-files": {
      const local = { path: `${path}/server` };
      return [new UdpTunnel({ local, learnPeer: true }), () => local];
    }
    case "stream": {
      const driver = new StreamDriver({ listen: { hostname: HOST, port: 0 } });
      return [driver, () => driver.address];
    }
    case "stream-file": {
      const listen = { path: `${path}/stream` };
      return [new StreamDriver({ listen }), () => listen];
    }
    default: {
      const { promise, resolve } = Promise.withResolvers<WebSocket>();
      const http = Deno.serve({ hostname: HOST, port: 0, onListen: () => {} }, (request) => {
        const { socket, response } = Deno.upgradeWebSocket(request);
        resolve(socket);
        return response;
      });
      http.unref();
      say(http.addr);
      return [new WebSocketDriver(await promise), () => undefined];
    }
  }
}

/** The end that joins another. */
function calling(kind: string, where: { hostname: string; port: number; path: string }): NetDriver {
  const { hostname, port, path } = where;
  switch (kind) {
    case "udp":
      return new UdpTunnel({ local: { hostname: HOST, port: 0 }, peer: { hostname, port } });
    case "udp-files":
      return new UdpTunnel({ local: { path: `${path}.client` }, peer: { path } });
    case "stream":
      return new StreamDriver({ connect: { hostname, port } });
    case "stream-file":
      return new StreamDriver({ connect: { path } });
    default:
      return new WebSocketDriver(`ws://${hostname}:${port}/`);
  }
}

async function exchange(conn: TcpConn): Promise<void> {
  const bytes = content();
  const sending = conn.write(bytes).then(() => conn.closeWrite());
  const received = await new Response(conn.readable).bytes();
  await sending;
  say({ length: received.length, sha256: await digest(received) });
  // The other end may still need what a retransmission brings: the test says when all is over.
  await Deno.stdin.readable.pipeTo(new WritableStream());
}

async function main([kind, side, argument]: string[]): Promise<void> {
  if (side === "serve") {
    const [driver, where] = await serving(kind, argument);
    await using stack = await createStack({
      interfaces: [{ driver, addresses: ["10.0.0.1/24"] }],
    });
    using listener = stack.listen({ port: PORT });
    if (where() !== undefined) say(where());
    using conn = await listener.accept();
    await exchange(conn);
  } else {
    const driver = calling(kind, JSON.parse(argument));
    await using stack = await createStack({
      interfaces: [{ driver, addresses: ["10.0.0.2/24"] }],
    });
    using conn = await stack.connect({ hostname: "10.0.0.1", port: PORT });
    await exchange(conn);
  }
}

await main(Deno.args);
