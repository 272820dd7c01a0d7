/**
 * System calls that tell and set: addresses, options, requests, flags, names. None of them waits.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Sioc } from "../../assembly/abi/ifnet.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { So as Opt, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { SocketError } from "../errors.ts";
import { peerName, socketIoctl, socketName, unlinkPath } from "./calls.ts";
import { F_GETFL, F_SETFL, O_NONBLOCK, O_RDWR } from "./constants.ts";
import type { HostNames } from "./host_names.ts";
import {
  ifIoctl,
  type IfRequest,
  type IfStatistics,
  ifStatistics,
  routeIoctl,
  type RouteRequest,
} from "./ioctl.ts";
import { getOption, getOptionBytes, type Linger, type OptionValue, setOption } from "./options.ts";
import type { SocketLayer } from "./so.ts";
import type { SockAddr } from "./sockaddr.ts";
import type { TcpInfo } from "./tcp_info.ts";

export { F_GETFL, F_SETFL, O_NONBLOCK, O_RDWR } from "./constants.ts";

/** The part of the system calls that never waits. */
export class ControlCalls {
  readonly #layer: SocketLayer;
  readonly #names: HostNames;

  /** System calls on the sockets of `layer`. */
  constructor(layer: SocketLayer, names: HostNames) {
    this.#layer = layer;
    this.#names = names;
  }

  /** The local address. Errors: EBADF, ENOTSOCK, EINVAL. */
  getsockname(fd: number): SockAddr {
    return socketName(this.#layer.table.get(fd, "getsockname"));
  }

  /** The peer's address. Errors: EBADF, ENOTSOCK, ENOTCONN. */
  getpeername(fd: number): SockAddr {
    return peerName(this.#layer.table.get(fd, "getpeername"));
  }

  /** SO_LINGER. */
  getsockopt(fd: number, level: Sol.SOCKET, name: Opt.LINGER): Linger;
  /** TCP_INFO: what TCP knows of the connection. */
  getsockopt(fd: number, level: IpProto.TCP, name: TcpOpt.INFO): TcpInfo;
  /** TCP_CONGESTION: the name of the algorithm, `cubic` or `reno`. */
  getsockopt(fd: number, level: IpProto.TCP, name: TcpOpt.CONGESTION): string;
  /**
   * An option with a number for its value: flags are 0 or 1, timeouts microseconds, SO_ERROR takes
   * the pending error. Errors: EBADF, ENOTSOCK, ENOPROTOOPT.
   */
  getsockopt(fd: number, level: number, name: number): number;
  getsockopt(fd: number, level: number, name: number): number | string | Linger | TcpInfo {
    return getOption(this.#layer.table.get(fd, "getsockopt"), level, name);
  }

  /**
   * The bytes of an option, as the engine keeps them (little-endian numbers, addresses in network
   * order), at most `room`. Errors: EBADF, ENOTSOCK, ENOPROTOOPT, EINVAL if `room` is too small.
   */
  getsockoptBytes(
    fd: number,
    level: number,
    name: number,
    room: number,
  ): Uint8Array<ArrayBuffer> {
    return getOptionBytes(this.#layer.table.get(fd, "getsockopt"), level, name, room);
  }

  /**
   * Sets an option. Flags take a boolean or number, timeouts microseconds, SO_LINGER a `Linger`,
   * IP_ADD_MEMBERSHIP a `Membership`, IP_MULTICAST_IF an interface. Errors: EBADF, ENOTSOCK,
   * ENOPROTOOPT, EINVAL for a value out of range, ENOBUFS for a buffer that is too large.
   */
  setsockopt(fd: number, level: number, name: number, value: OptionValue): void {
    setOption(this.#layer.table.get(fd, "setsockopt"), level, name, value);
  }

  /**
   * FIONREAD (Linux's SIOCINQ): bytes that can be read; OUTQ: bytes queued that the peer has not
   * acknowledged; OUTQNSD: bytes queued that were never sent, of a stream; ATMARK: 1 if the read
   * position is at the urgent mark; FIONBIO: sets (1) or clears (0) non-blocking. Errors: EINVAL
   * for OUTQ and OUTQNSD on a listener.
   */
  ioctl(
    fd: number,
    cmd: Sioc.FIONREAD | Sioc.FIONBIO | Sioc.ATMARK | Sioc.OUTQ | Sioc.OUTQNSD,
    argument?: number,
  ): number;
  /** What an interface has counted. Errors: ENXIO. */
  ioctl(fd: number, cmd: Sioc.GIFSTATS, argument: { ifindex: number }): IfStatistics;
  /**
   * Adds (ADDRT), changes (CHGRT), deletes (DELRT) or looks up (GETRT) a route. Errors: EEXIST,
   * ESRCH, EINVAL, ENETUNREACH for a gateway that is on no network of ours, ENOBUFS.
   */
  ioctl(
    fd: number,
    cmd: Sioc.ADDRT | Sioc.CHGRT | Sioc.DELRT | Sioc.GETRT,
    argument: RouteRequest,
  ): RouteRequest;
  /**
   * Requests about interfaces, their addresses and neighbours: `Sioc` 10 to 17 and 30 to 32.
   * Errors: ENXIO, EINVAL, EADDRNOTAVAIL, EEXIST, ENOENT, ENOBUFS.
   */
  ioctl(fd: number, cmd: number, argument: IfRequest): IfRequest;
  ioctl(
    fd: number,
    cmd: number,
    argument: number | IfRequest | RouteRequest = 0,
  ): number | IfRequest | RouteRequest | IfStatistics {
    const so = this.#layer.table.get(fd, "ioctl");
    if (typeof argument === "number") return socketIoctl(so, cmd, argument);
    const { engine } = this.#layer;
    this.#layer.waits.scheduler.kick();
    if (cmd === Sioc.GIFSTATS) return ifStatistics(engine, argument.ifindex ?? 0);
    const route = cmd >= Sioc.ADDRT && cmd <= Sioc.CHGRT;
    return route ? routeIoctl(engine, cmd, argument) : ifIoctl(engine, cmd, argument);
  }

  /**
   * F_GETFL tells the flags, F_SETFL sets them; O_NONBLOCK is the only one that can change. Errors:
   * EBADF, ENOTSOCK, EINVAL for another command.
   */
  fcntl(fd: number, cmd: typeof F_GETFL | typeof F_SETFL, flags = 0): number {
    const so = this.#layer.table.get(fd, "fcntl");
    if (cmd === F_GETFL) return O_RDWR | (so.nonblocking ? O_NONBLOCK : 0);
    if (cmd !== F_SETFL) {
      throw new SocketError(Errno.EINVAL, "fcntl", `there is no command ${cmd}`);
    }
    so.nonblocking = (flags & O_NONBLOCK) !== 0;
    return 0;
  }

  /**
   * Another descriptor, the lowest free one, for the same socket; it is closed with the last of
   * them. Errors: EBADF, ENOTSOCK, EMFILE.
   */
  dup(fd: number): number {
    const { table } = this.#layer;
    const { ptr } = table.get(fd, "dup");
    table.reserve("dup");
    return table.alias(ptr);
  }

  /**
   * Takes the name of a local socket away: nobody finds it any more, and it can be given again.
   * Errors: ENOENT, EINVAL.
   */
  unlink(path: string): void {
    unlinkPath(this.#layer, path);
  }

  /** Name of the host that the stack plays. */
  gethostname(): string {
    return this.#names.hostname;
  }

  /** Names the host. EINVAL beyond 255 bytes. */
  sethostname(name: string): void {
    this.#names.hostname = name;
  }

  /** Name of the host's domain. */
  getdomainname(): string {
    return this.#names.domainname;
  }

  /** Names the host's domain. EINVAL beyond 255 bytes. */
  setdomainname(name: string): void {
    this.#names.domainname = name;
  }

  /** Number of the host, 32 bits. */
  gethostid(): number {
    return this.#names.hostid;
  }

  /** Numbers the host. EINVAL if the number is not 32 bits. */
  sethostid(id: number): void {
    this.#names.hostid = id;
  }
}
