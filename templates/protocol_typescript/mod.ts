/**
 * Protocol NAME: datagrams with ports, over IP protocol number 253, which RFC 3692 keeps for
 * experiments. The header is four bytes: the port it goes to, and the port it comes from.
 *
 * Change what you like; `deno task test` tells whether it still works.
 *
 * @module
 */

import { Af, Errno, Sock as SockType, type SockAddr, SocketError } from "@godwit/godwit";
import { type Kernel, type Packet, Pr, type ProtocolModule } from "@godwit/godwit/protocol";
import type { Sock } from "@godwit/godwit/protocol";

/** Its protocol number. */
export const PROTOCOL = 253;
const HEADER_BYTES = 4;

/** What is kept for each socket. */
interface Ends {
  port: number;
  peer: SockAddr | undefined;
}

/** Makes the protocol; each stack that it is loaded into needs one of its own. */
export default function make(): ProtocolModule {
  let kernel: Kernel;
  const bound = new Map<number, Sock>();
  const ends = (so: Sock) => so.data as Ends;
  const local = (so: Sock) => ({ family: Af.INET, address: "0.0.0.0", port: ends(so).port });
  return {
    name: "NAME",
    load(given) {
      kernel = given;
    },
    rows: [{
      type: SockType.DGRAM,
      protocol: PROTOCOL,
      flags: Pr.ATOMIC | Pr.ADDR, // whole messages, each with its sender
      // Packets for this number, after each turn. What is not delivered is freed by the stack.
      input(packets) {
        for (const packet of packets) {
          if (packet.length < HEADER_BYTES) continue;
          const so = bound.get(packet.u16(0));
          const [address, port] = [packet.source, packet.u16(2)];
          packet.trimFront(HEADER_BYTES);
          so?.deliverFrom(packet, address, port);
        }
      },
      usrreq: {
        attach(so) {
          so.data = { port: 0, peer: undefined } satisfies Ends;
        },
        bind(so, { port }) {
          if (bound.has(port)) throw new SocketError(Errno.EADDRINUSE, "bind");
          ends(so).port = port;
          bound.set(port, so);
        },
        connect(so, address) {
          ends(so).peer = address;
          so.connected();
        },
        send(so, packet: Packet, to = ends(so).peer) {
          if (to === undefined) throw new SocketError(Errno.EDESTADDRREQ, "send");
          packet.prepend(HEADER_BYTES);
          packet.setU16(0, to.port);
          packet.setU16(2, ends(so).port);
          kernel.sendIp(packet, { destination: to.address, protocol: PROTOCOL });
        },
        detach(so) {
          bound.delete(ends(so).port);
        },
        localAddress: local,
        peerAddress: (so) => ends(so).peer ?? local(so),
      },
    }],
  };
}
