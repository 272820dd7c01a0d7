/**
 * The system calls of a program in another thread than the stack, which block the thread until they
 * are done. They are those of `Syscalls`, with its errors; they end by themselves, by SO_RCVTIMEO
 * and SO_SNDTIMEO, or when the connection to the stack ends (ENETDOWN).
 *
 * @module
 */

import type { Sioc } from "../../assembly/abi/ifnet.ts";
import { Limits } from "../../assembly/abi/limits.ts";
import type { IpProto } from "../../assembly/abi/proto.ts";
import type { So, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import type { IfRequest, IfStatistics, RouteRequest } from "../socket/ioctl.ts";
import type { RecvHeader, SendHeader } from "../socket/message.ts";
import type { Accepted, Received } from "../socket/nonblocking.ts";
import type { Linger, OptionValue } from "../socket/options.ts";
import type { PollFd, SelectResult, SelectSets } from "../socket/select.ts";
import type { SockAddr, SockAddrInit } from "../socket/sockaddr.ts";
import type { TcpInfo } from "../socket/tcp_info.ts";
import { Name } from "./arguments.ts";
import type { Value } from "./codec.ts";
import type { Link } from "./link.ts";
import type { Script } from "./request.ts";
import * as scripts from "./scripts.ts";
import type { Transfers } from "./transfers.ts";

/** System calls that block the thread. */
export class BlockingCalls {
  /** Calls that move data. */
  readonly #transfers: Transfers;
  readonly #link: Link;

  /** System calls through a link. */
  constructor(link: Link, transfers: Transfers) {
    this.#link = link;
    this.#transfers = transfers;
  }

  /** Makes a socket; answers its descriptor, the lowest free one of this program. */
  socket(domain: number, type: number, protocol = 0): number {
    return this.#run(scripts.socket(domain, type, protocol));
  }

  /** Makes two local sockets that are connected with each other. */
  socketpair(domain: number, type: number, protocol = 0): [number, number] {
    return this.#run(scripts.socketpair(domain, type, protocol));
  }

  /** Another descriptor for the same socket, the lowest free one of this program. */
  dup(fd: number): number {
    return this.#run(scripts.dup(fd));
  }

  /** Takes the name of a local socket away. */
  unlink(path: string): void {
    return this.#run(scripts.unlink(path));
  }

  /** Gives a socket its local address. */
  bind(fd: number, address: SockAddrInit): void {
    return this.#run(scripts.bind(fd, address));
  }

  /** Begins to accept connections. */
  listen(fd: number, backlog: number = Limits.SOMAXCONN): void {
    return this.#run(scripts.listen(fd, backlog));
  }

  /** Waits for a connection. */
  accept(fd: number): Accepted {
    return this.#run(scripts.accept(fd));
  }

  /** Connects, or sets the peer of a message socket. */
  connect(fd: number, address: SockAddrInit): void {
    return this.#run(scripts.connect(fd, address));
  }

  /** Sends; answers how many bytes. */
  send(fd: number, data: Uint8Array, flags = 0): number {
    return this.#run(this.#transfers.send(fd, data, flags));
  }

  /** Sends a message to an address; with MSG_FASTOPEN a stream connects there first. */
  sendto(fd: number, data: Uint8Array, flags: number, to?: SockAddrInit): number {
    return this.#run(this.#transfers.sendto(fd, data, flags, to));
  }

  /** Sends data in pieces: to a message socket as one message. */
  sendmsg(fd: number, message: SendHeader, flags = 0): number {
    return this.#run(this.#transfers.sendmsg(fd, message, flags));
  }

  /** Receives into `buffer`; answers how many bytes, 0 at the end of a stream. */
  recv(fd: number, buffer: Uint8Array, flags = 0): number {
    return this.#run(this.#transfers.recv(fd, buffer, flags));
  }

  /** Receives with the sender's address. */
  recvfrom(fd: number, buffer: Uint8Array, flags = 0): Received {
    return this.#run(this.#transfers.recvfrom(fd, buffer, flags));
  }

  /** Receives into pieces and fills in the rest of the header; answers the bytes received. */
  recvmsg(fd: number, message: RecvHeader, flags = 0): number {
    return this.#run(this.#transfers.recvmsg(fd, message, flags));
  }

  /** Ends one or both directions; `how` is a `Shut`. */
  shutdown(fd: number, how: number): void {
    return this.#run(scripts.shutdown(fd, how));
  }

  /** Closes a descriptor; with SO_LINGER when the peer has everything or the time is over. */
  close(fd: number): void {
    this.#transfers.forget(fd);
    return this.#run(scripts.close(fd));
  }

  /** Waits until something that the entries ask for holds, at most `timeout_ms` (-1: no end). */
  poll(fds: readonly PollFd[], timeout_ms = -1): number {
    return this.#run(scripts.poll(fds, timeout_ms));
  }

  /** Waits for descriptors, at most `timeout_us` microseconds. */
  select(sets: SelectSets, timeout_us = Infinity): SelectResult {
    return this.#run(scripts.select(sets, timeout_us));
  }

  /** The local address. */
  getsockname(fd: number): SockAddr {
    return this.#run(scripts.getsockname(fd));
  }

  /** The peer's address. */
  getpeername(fd: number): SockAddr {
    return this.#run(scripts.getpeername(fd));
  }

  /** SO_LINGER. */
  getsockopt(fd: number, level: Sol.SOCKET, name: So.LINGER): Linger;
  /** TCP_INFO: what TCP knows of the connection. */
  getsockopt(fd: number, level: IpProto.TCP, name: TcpOpt.INFO): TcpInfo;
  /** TCP_CONGESTION: the name of the algorithm. */
  getsockopt(fd: number, level: IpProto.TCP, name: TcpOpt.CONGESTION): string;
  /** An option with a number for its value. */
  getsockopt(fd: number, level: number, name: number): number;
  getsockopt(fd: number, level: number, name: number): never {
    return this.#run(scripts.getsockopt(fd, level, name)) as never;
  }

  /** The bytes of an option, as the engine keeps them, at most `room`. */
  getsockoptBytes(fd: number, level: number, name: number, room: number): Uint8Array<ArrayBuffer> {
    return this.#run(scripts.getsockoptBytes(fd, level, name, room));
  }

  /** Sets an option. */
  setsockopt(fd: number, level: number, name: number, value: OptionValue): void {
    return this.#run(scripts.setsockopt(fd, level, name, value as Value));
  }

  /** Requests on the socket, with a number: `FIONREAD`, `FIONBIO`, `ATMARK`, `OUTQ`, `OUTQNSD`. */
  ioctl(
    fd: number,
    cmd: Sioc.FIONREAD | Sioc.FIONBIO | Sioc.ATMARK | Sioc.OUTQ | Sioc.OUTQNSD,
    argument?: number,
  ): number;
  /** What an interface has counted. */
  ioctl(fd: number, cmd: Sioc.GIFSTATS, argument: { ifindex: number }): IfStatistics;
  /** Looks up a route; adds or deletes one if the program may. */
  ioctl(
    fd: number,
    cmd: Sioc.ADDRT | Sioc.CHGRT | Sioc.DELRT | Sioc.GETRT,
    argument: RouteRequest,
  ): RouteRequest;
  /** Requests about interfaces, their addresses and neighbours; changes if the program may. */
  ioctl(fd: number, cmd: number, argument: IfRequest): IfRequest;
  ioctl(fd: number, cmd: number, argument: number | IfRequest | RouteRequest = 0): never {
    return this.#run(scripts.ioctl(fd, cmd, argument as Value)) as never;
  }

  /** Tells (F_GETFL) or sets (F_SETFL) the flags; O_NONBLOCK is the only one that can change. */
  fcntl(fd: number, cmd: number, flags = 0): number {
    return this.#run(scripts.fcntl(fd, cmd, flags));
  }

  /** Name of the host that the stack plays. */
  gethostname(): string {
    return this.#run(scripts.names())[0];
  }

  /** Name of the host's domain. */
  getdomainname(): string {
    return this.#run(scripts.names())[1];
  }

  /** Number of the host, 32 bits. */
  gethostid(): number {
    return this.#run(scripts.names())[2];
  }

  /** Names the host, if the program may. */
  sethostname(name: string): void {
    return this.#run(scripts.setName(Name.HOST, name));
  }

  /** Names the host's domain, if the program may. */
  setdomainname(name: string): void {
    return this.#run(scripts.setName(Name.DOMAIN, name));
  }

  /** Numbers the host, if the program may. */
  sethostid(id: number): void {
    return this.#run(scripts.setName(Name.HOSTID, id));
  }

  /** Makes the requests of a call, one after the other. */
  #run<T>(script: Script<T>): T {
    let step = script.next();
    while (!step.done) {
      let answer: unknown;
      try {
        answer = this.#link.runBlocking(step.value);
      } catch (error) {
        step = script.throw(error);
        continue;
      }
      step = script.next(answer);
    }
    return step.value;
  }
}
