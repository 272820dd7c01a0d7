/**
 * What the parts of a running script share: the stack, the descriptors and the connection under
 * test.
 *
 * @module
 */

import { Af, Sock } from "../assembly/abi/socket.ts";
import * as layout from "../runtime/wasm/layout.gen.ts";
import { Connection } from "./connection.ts";
import { ScriptError, Unsupported } from "./errors.ts";
import type { EpollFd, Fd, SocketFd } from "./fd.ts";
import type { Host, Sent } from "./host.ts";
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

/** Source and destination port of a packet line. */
type Ports = readonly [source: number, destination: number];
type Protocol = "tcp" | "udp";

/** A script uses a descriptor that is not there. */
export class NoDescriptor extends ScriptError {
  override name = "NoDescriptor";
}

/** A script's world. */
export class World {
  readonly fds = new Map<number, Fd>();
  /** Sizes of files in memory, by name. */
  readonly files = new Map<string, number>();
  /** What counters were when `nstat` was last asked. */
  readonly counted = new Map<string, number>();
  /** The connection under test, once there is one. */
  connection: Connection | undefined = undefined;
  /** The socket that was made last. */
  newest: SocketFd | undefined = undefined;
  /** The port of the socket under test, for a connection that comes in. */
  #port = PORT;
  #protocol: Protocol = "tcp";
  #remotePort = FIRST_REMOTE_PORT;
  readonly #byPorts = new Map<string, Connection>();

  constructor(readonly host: Host, readonly config: RunConfig) {}

  /** Does the stack make sockets of AF_INET6? */
  hasInet6(): boolean {
    const so = this.host.calls.so_create(Af.INET6, Sock.STREAM, 0);
    if (so < 0) return false;
    this.host.calls.so_close(so);
    return true;
  }

  /** A descriptor that must be there. */
  fd(number: number): Fd {
    const fd = this.fds.get(number);
    if (!fd) throw new NoDescriptor(`there is no descriptor ${number}`);
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
  newSocket(fd: SocketFd): void {
    const protocol = fd.type === "stream" ? "tcp" : "udp";
    this.newest = fd;
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
    this.#begin(new Connection(protocol, localPort, remotePort), fd.so);
    fd.connection = this.connection;
  }

  /** Datagrams of a socket without a peer are now under test. */
  sendingTo(fd: SocketFd, localPort: number, remotePort: number): void {
    this.#begin(new Connection("udp", localPort, remotePort), fd.so);
  }

  #begin(connection: Connection, so: number): void {
    const { protocol, localPort, remotePort } = connection;
    this.#byPorts.set(`${protocol} ${localPort} ${remotePort}`, connection);
    this.connection = connection;
    connection.so = so;
  }

  /** A connection was accepted: the one with these ports, or else the one under test. */
  accepted(localPort: number, remotePort: number, so: number): Connection | undefined {
    const connection = this.#byPorts.get(`tcp ${localPort} ${remotePort}`) ?? this.connection;
    if (connection) connection.so = so;
    return connection;
  }

  /**
   * The connection that a packet from outside belongs to; a new one if there is none. A line with
   * ports of its own begins to be under test only with a SYN, or if nothing else is.
   */
  incoming(protocol: Protocol, ports: Ports | undefined, syn: boolean): Connection {
    if (ports) {
      const [remote, local] = ports;
      return this.#named(this.#withPorts(protocol, local, remote), syn);
    }
    if (this.connection) return this.connection;
    const remote = this.#remotePort++;
    return this.connection = this.#withPorts(protocol, this.#port, remote);
  }

  /** The connection that an expected packet belongs to; undefined if there is none. */
  outgoing(ports: Ports | undefined, syn: boolean): Connection | undefined {
    if (!ports) return this.connection;
    return this.#named(this.#withPorts(this.#protocol, ...ports), syn);
  }

  #named(connection: Connection, syn: boolean): Connection {
    if (syn || !this.connection) this.connection = connection;
    return connection;
  }

  #withPorts(protocol: Protocol, local: number, remote: number): Connection {
    const key = `${protocol} ${local} ${remote}`;
    let connection = this.#byPorts.get(key);
    if (!connection) {
      connection = new Connection(protocol, local, remote);
      this.#byPorts.set(key, connection);
    }
    return connection;
  }

  /** Does a packet that the stack sent belong to the connection? Messages to its host may. */
  belongs(packet: Sent, connection: Connection, icmp: boolean): boolean {
    const { flow, protocol } = packet;
    if (flow.src !== this.config.localIp || flow.dst !== this.config.remoteIp) return false;
    if (protocol === PROTOCOL.icmp) return icmp;
    return protocol === PROTOCOL[connection.protocol] &&
      flow.sport === connection.localPort && flow.dport === connection.remotePort;
  }

  /** The engine's socket of a connection that may not be accepted yet; 0 if there is none. */
  socketOf(connection: Connection): number {
    return this.sockets().find(({ local, remote }) =>
      local === connection.localPort && remote === connection.remotePort
    )?.so ?? connection.so;
  }

  /** The engine's TCP sockets in use. */
  sockets(): { so: number; local: number; remote: number; state: number }[] {
    const { host } = this;
    const { Inpcb, Socket, Tcb } = layout;
    const found = [];
    for (let i = 0; i < host.calls.so_limit(); i++) {
      const so = host.calls.so_at(i);
      if (so === 0 || host.u32(so + Socket.inuse) === 0) continue;
      const tcb = host.calls.tcb_of(so) >>> 0;
      if (tcb === 0) continue;
      const inp = host.u32(tcb + Tcb.inp);
      const [local, remote] = [Inpcb.lport, Inpcb.fport].map((at) =>
        host.engine.view.getUint16(inp + at, true)
      );
      const state = host.u32(tcb + Tcb.state);
      found.push({ so, local, remote, state });
    }
    return found;
  }
}
