/**
 * Datagram sockets of an untrusted protocol: their ports and peers are kept here, so that the
 * module need only know how a message travels.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { RecordKind, UntrustedLimit } from "../../assembly/abi/untrusted.ts";
import { Af } from "../../assembly/abi/socket.ts";
import { SocketError } from "../errors.ts";
import { formatIpv4, parseIpv4 } from "../socket/inet_addr.ts";
import type { SockAddr } from "../socket/sockaddr.ts";
import type { UserRequests } from "./module.ts";
import type { Packet } from "./packet.ts";
import { recordBytes, type RecordQueue } from "./records.ts";
import type { Sock } from "./sock.ts";

/** First port that is given to a socket which did not ask for one (RFC 6335 6). */
const EPHEMERAL = 49152;
const PORTS = 65536;

/** An address and a port. */
interface End {
  address: number;
  port: number;
}

/** What is kept for each socket. */
interface Ends {
  readonly local: End;
  peer: End | undefined;
}

/** What they need of the protocol. */
export interface SocketsHost {
  /** Has what was queued handed over. */
  pump(): void;
  /** True when the protocol is being unloaded. */
  leaving(): boolean;
}

/** The sockets of one protocol number. */
export class UntrustedSockets {
  /** Its user requests. */
  readonly usrreq: UserRequests;
  readonly #protocol: number;
  readonly #queue: RecordQueue;
  readonly #bound = new Map<number, Sock>();
  /** How many are open. */
  open = 0;
  #last = EPHEMERAL;

  /** With the queue for its records. */
  constructor(protocol: number, queue: RecordQueue, { pump, leaving }: SocketsHost) {
    this.#protocol = protocol;
    this.#queue = queue;
    this.usrreq = {
      attach: (so) => {
        if (leaving()) throw new SocketError(Errno.EPROTONOSUPPORT, "socket");
        this.open++;
        so.data = { local: { address: 0, port: 0 }, peer: undefined } satisfies Ends;
      },
      bind: (so, address) => this.#bind(so, endOf(address, "bind")),
      connect: (so, address) => {
        endsOf(so).peer = endOf(address, "connect");
        if (endsOf(so).local.port === 0) this.#bind(so, endsOf(so).local);
        so.connected();
      },
      disconnect: (so) => {
        endsOf(so).peer = undefined;
        so.unconnected();
      },
      send: (so, packet, to) => {
        this.#send(so, packet, to && endOf(to, "sendto"));
        pump();
      },
      detach: (so) => {
        this.open--;
        const { port } = endsOf(so).local;
        if (this.#bound.get(port) === so) this.#bound.delete(port);
      },
      localAddress: (so) => nameOf(endsOf(so).local),
      peerAddress: (so) => nameOf(endsOf(so).peer ?? { address: 0, port: 0 }),
    };
  }

  /** The socket that a message to a port is for; `to` is an address of ours, or 0. */
  find(port: number, to: number, from: number, fromPort: number): Sock | undefined {
    const so = this.#bound.get(port);
    if (so === undefined) return undefined;
    const { local, peer } = endsOf(so);
    if (to !== 0 && local.address !== 0 && to !== local.address) return undefined;
    if (peer !== undefined && (peer.address !== from || peer.port !== fromPort)) return undefined;
    return so;
  }

  /** The socket that has a port. */
  byPort(port: number): Sock | undefined {
    return this.#bound.get(port);
  }

  #bind(so: Sock, { address, port }: End): void {
    const { local } = endsOf(so);
    if (local.port !== 0) throw new SocketError(Errno.EINVAL, "bind", "it has a port already");
    const own = port === 0 ? this.#freePort() : port;
    if (this.#bound.has(own)) throw new SocketError(Errno.EADDRINUSE, "bind");
    local.address = address;
    local.port = own;
    this.#bound.set(own, so);
  }

  #freePort(): number {
    for (let tries = EPHEMERAL; tries < PORTS; tries++) {
      this.#last = this.#last + 1 < PORTS ? this.#last + 1 : EPHEMERAL;
      if (!this.#bound.has(this.#last)) return this.#last;
    }
    throw new SocketError(Errno.EADDRINUSE, "bind", "all ports are taken");
  }

  #send(so: Sock, packet: Packet, to: End | undefined): void {
    const { local, peer } = endsOf(so);
    const target = to ?? peer;
    if (target === undefined) throw new SocketError(Errno.EDESTADDRREQ, "sendto");
    if (local.port === 0) this.#bind(so, local);
    const { length } = packet;
    if (recordBytes(length) > UntrustedLimit.BUFFER_BYTES) {
      throw new SocketError(Errno.EMSGSIZE, "sendto");
    }
    const at = this.#queue.add(RecordKind.SEND, length, {
      key: this.#protocol,
      source: local.address,
      source_port: local.port,
      destination: target.address,
      destination_port: target.port,
    });
    if (at < 0) throw new SocketError(Errno.ENOBUFS, "sendto", "the protocol is behind");
    packet.copyTo(this.#queue.data(at, length));
  }
}

function endsOf(so: Sock): Ends {
  return so.data as Ends;
}

function endOf({ address, port }: SockAddr, call: string): End {
  const number = parseIpv4(address);
  if (number === undefined) throw new SocketError(Errno.EINVAL, call, `"${address}" is not IPv4`);
  return { address: number >>> 0, port };
}

function nameOf({ address, port }: End): SockAddr {
  return { family: Af.INET, address: formatIpv4(address), port };
}
