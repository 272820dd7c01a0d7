/**
 * A domain for tests: byte streams between sockets of one stack, by number. It shows what a
 * protocol with connections does: listeners and their queues, back-pressure, ends.
 */
import { Errno } from "../../../assembly/abi/errno.ts";
import { Pr } from "../../../assembly/abi/proto.ts";
import { Sock as SockType } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../mod.ts";
import type {
  Kernel,
  Packet,
  ProtocolModule,
  Sock,
  UserRequests,
} from "../../../runtime/protocol/public.ts";

/** Its family. */
export const LOCAL = 31;

interface End {
  port: number;
  peer: Sock | undefined;
  closing: boolean;
}

/** Makes it. */
export function local(): ProtocolModule {
  let kernel: Kernel;
  return {
    name: "local",
    domain: { family: LOCAL, name: "local" },
    load: (given) => void (kernel = given),
    rows: [{
      type: SockType.STREAM,
      protocol: 1,
      flags: Pr.CONNREQUIRED | Pr.WANTRCVD,
      usrreq: requests((bytes) => kernel.packet(bytes)),
    }],
  };
}

const end = (so: Sock) => so.data as End;
const name = (so: Sock | undefined) => ({
  family: LOCAL,
  address: "0.0.0.0",
  port: so ? end(so).port : 0,
});

/** What its sockets do. */
function requests(packet: (bytes: Uint8Array) => Packet): UserRequests {
  const bound = new Map<number, Sock>();
  /** Hands over what waits in the send buffer, as long as there is room. */
  function push(so: Sock): void {
    const { peer, closing } = end(so);
    if (peer === undefined) return;
    for (;;) {
      const n = Math.min(so.unsent, peer.space);
      if (n === 0) break;
      const bytes = new Uint8Array(n);
      so.peekUnsent(bytes, 0);
      peer.deliver(packet(bytes));
      so.acknowledge(n);
    }
    if (closing && so.unsent === 0) peer.cantReceiveMore();
  }
  return {
    attach: (so) => void (so.data = { port: 0, peer: undefined, closing: false }),
    bind(so, { port }) {
      if (bound.has(port)) throw new SocketError(Errno.EADDRINUSE, "bind");
      end(so).port = port;
      bound.set(port, so);
    },
    listen: (so) => end(so).port === 0 ? -Errno.EDESTADDRREQ : 0,
    connect(so, { port }) {
      const listener = bound.get(port);
      const child = listener?.newConnection(true);
      if (child === undefined) return -Errno.ECONNREFUSED;
      end(child).port = port;
      end(child).peer = so;
      end(so).peer = child;
      so.connected();
    },
    connect2(so, other) {
      end(so).peer = other;
      end(other).peer = so;
      so.connected();
      other.connected();
    },
    send(so, data) {
      if (end(so).peer === undefined) return -Errno.EPIPE;
      so.queue(data); // until the peer has room
      push(so);
    },
    received: (so) => end(so).peer && push(end(so).peer!),
    shutdown(so) {
      so.cantSendMore();
      end(so).closing = true;
      push(so);
    },
    disconnect(so) {
      end(so).closing = true;
      push(so);
      so.disconnecting();
    },
    detach(so) {
      const { peer } = end(so);
      if (bound.get(end(so).port) === so) bound.delete(end(so).port);
      if (peer === undefined) return;
      end(peer).peer = undefined;
      peer.disconnected();
    },
    localAddress: name,
    peerAddress: (so) => name(end(so).peer),
  };
}
