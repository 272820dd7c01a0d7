/**
 * A protocol for tests: datagrams with ports of 16 bits (to, from) and nothing else, number 253
 * (RFC 3692). Its sockets are bound, connected, sent to and closed like those of UDP.
 */
import { Errno } from "../../../assembly/abi/errno.ts";
import { Pr } from "../../../assembly/abi/proto.ts";
import { Af, Sock as SockType } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../mod.ts";
import type {
  Kernel,
  Packet,
  ProtocolModule,
  ProtoRow,
  Sock,
} from "../../../runtime/protocol/public.ts";
import type { SockAddr } from "../../../runtime/socket/sockaddr.ts";

/** Its protocol number. */
export const RDP = 253;
const HEADER = 4;

/** What a test can change of it. */
export interface RdpChanges {
  /** Instead of its name. */
  readonly name?: string;
  /** Hooks of its row that are replaced. */
  readonly row?: Partial<ProtoRow>;
  /** Hooks of the module that are replaced. */
  readonly module?: Partial<ProtocolModule>;
}

interface Ends {
  port: number;
  peer: SockAddr | undefined;
}

/** Dotted decimal. */
export function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => address >>> shift & 255).join(".");
}

/** Makes the protocol. */
export function rdp(changes: RdpChanges = {}): ProtocolModule {
  let kernel: Kernel;
  const bound = new Map<number, Sock>();
  const ends = (so: Sock) => so.data as Ends;
  const local = (so: Sock) => ({ family: Af.INET, address: "0.0.0.0", port: ends(so).port });
  const row: ProtoRow = {
    type: SockType.DGRAM,
    protocol: RDP,
    flags: Pr.ATOMIC | Pr.ADDR,
    input(packets) {
      for (const packet of packets) {
        const so = bound.get(packet.u16(0));
        const from = { address: dotted(packet.source), port: packet.u16(2) };
        packet.trimFront(HEADER);
        so?.deliver(packet, from);
      }
    },
    ctlinput(command, quote) {
      if (quote?.protocol !== RDP || command < 8) return;
      for (const so of bound.values()) so.error(Errno.ECONNREFUSED);
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
        if (to === undefined) return -Errno.EDESTADDRREQ;
        packet.prepend(HEADER);
        packet.setU16(0, to.port);
        packet.setU16(2, ends(so).port);
        kernel.sendIp(packet, { destination: to.address, protocol: RDP });
      },
      detach(so) {
        bound.delete(ends(so).port);
      },
      localAddress: local,
      peerAddress: (so) => ends(so).peer ?? local(so),
    },
    ...changes.row,
  };
  return {
    name: changes.name ?? "rdp",
    load: (given) => void (kernel = given),
    rows: [row],
    ...changes.module,
  };
}
