/**
 * What the parts of a running script share: the stack, the descriptors and the connection under
 * test.
 *
 * @module
 */

import { Connection } from "./connection.ts";
import { ScriptError, Unsupported } from "./errors.ts";
import type { EpollFd, Fd, SocketFd } from "./fd.ts";
import type { Host, Sent } from "./host.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import { PROTOCOL } from "./wire.ts";

/** Port that `bind` uses, and the remote port of connections from here. */
export const PORT = 8080;
/** Remote ports of connections to here. */
const FIRST_REMOTE_PORT = 40_000;

/** How a script is run. */
export interface RunConfig {
  readonly mode: "ipv4" | "ipv4-mapped-ipv6";
  readonly dialect: "linux" | "freebsd";
  readonly localIp: string;
  readonly remoteIp: string;
  readonly lenient: boolean;
}

/** A script's world. */
export class World {
  readonly fds = new Map<number, Fd>();
  /** The connection under test, once there is one. */
  connection: Connection | undefined = undefined;
  /** The port of the socket under test, for a connection that comes in. */
  #port = PORT;
  #protocol: "tcp" | "udp" = "tcp";
  #remotePort = FIRST_REMOTE_PORT;
  readonly #byPorts = new Map<string, Connection>();

  constructor(readonly host: Host, readonly config: RunConfig) {}

  /** A descriptor that must be there. */
  fd(number: number): Fd {
    const fd = this.fds.get(number);
    if (!fd) throw new ScriptError(`there is no descriptor ${number}`);
    return fd;
  }

  /** A socket that must be there. */
  socket(number: number): SocketFd {
    const fd = this.fd(number);
    if (fd.kind !== "socket") throw new Unsupported(`${fd.kind} descriptors in socket calls`);
    return fd;
  }

  /** An epoll descriptor that must be there. */
  epoll(number: number): EpollFd {
    const fd = this.fd(number);
    if (fd.kind !== "epoll") throw new ScriptError(`descriptor ${number} is no epoll descriptor`);
    return fd;
  }

  /** A new socket is now under test. */
  newSocket(protocol: "tcp" | "udp"): void {
    this.connection = undefined;
    this.#protocol = protocol;
    this.#port = PORT;
  }

  /** The socket under test listens, or is bound, on a port. */
  boundTo(port: number): void {
    this.#port = port || PORT;
  }

  /** A connection from here is now under test. */
  connecting(fd: SocketFd, localPort: number, remotePort: number): void {
    const protocol = fd.type === "stream" ? "tcp" : "udp";
    this.connection = new Connection(protocol, localPort, remotePort);
    this.connection.so = fd.so;
    fd.connection = this.connection;
  }

  /** Datagrams of a socket without a peer are now under test. */
  sendingTo(fd: SocketFd, localPort: number, remotePort: number): void {
    this.connection = new Connection("udp", localPort, remotePort);
    this.connection.so = fd.so;
  }

  /** The connection that a packet from outside belongs to; a new one if there is none. */
  incoming(protocol: "tcp" | "udp", ports?: readonly [number, number]): Connection {
    if (ports) return this.connection = this.#withPorts(protocol, ports[1], ports[0]);
    if (this.connection) return this.connection;
    const remote = this.#remotePort++;
    return this.connection = this.#withPorts(protocol, this.#port, remote);
  }

  /** The connection that an expected packet belongs to; undefined if there is none. */
  outgoing(ports?: readonly [number, number]): Connection | undefined {
    if (!ports) return this.connection;
    const { connection: c } = this;
    if (c && c.localPort === ports[0] && c.remotePort === ports[1]) return c;
    return this.connection = this.#withPorts(this.#protocol, ports[0], ports[1]);
  }

  #withPorts(protocol: "tcp" | "udp", local: number, remote: number): Connection {
    const key = `${protocol} ${local} ${remote}`;
    let connection = this.#byPorts.get(key);
    if (!connection) {
      connection = new Connection(protocol, local, remote);
      this.#byPorts.set(key, connection);
    }
    return connection;
  }

  /** Does a packet that the stack sent belong to the connection? Messages to its host do. */
  belongs(packet: Sent, connection: Connection): boolean {
    const { flow, protocol } = packet;
    if (flow.src !== this.config.localIp || flow.dst !== this.config.remoteIp) return false;
    if (protocol === PROTOCOL.icmp) return true;
    return protocol === PROTOCOL[connection.protocol] &&
      flow.sport === connection.localPort && flow.dport === connection.remotePort;
  }

  /** The engine's socket of a connection that may not be accepted yet; 0 if there is none. */
  socketOf(connection: Connection): number {
    const { host } = this;
    const { Inpcb, Socket, Tcb } = layout;
    for (let i = 0; i < host.calls.so_limit(); i++) {
      const so = host.calls.so_at(i);
      if (so === 0 || host.u32(so + Socket.inuse) === 0) continue;
      const tcb = host.calls.tcb_of(so) >>> 0;
      if (tcb === 0) continue;
      const inp = host.u32(tcb + Tcb.inp);
      const ports = [Inpcb.lport, Inpcb.fport].map((at) =>
        host.engine.view.getUint16(inp + at, true)
      );
      if (ports[0] === connection.localPort && ports[1] === connection.remotePort) return so;
    }
    return connection.so;
  }
}
