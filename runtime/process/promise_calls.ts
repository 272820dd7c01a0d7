/**
 * The system calls of a program in another thread than the stack, as promises. They are those of
 * `Syscalls`, with its errors; here even calls that never wait are promises, since the answer comes
 * from another thread.
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
import { sendFile, type SendFileParams } from "../socket/send_file.ts";
import type { WaitOptions } from "../socket/so_wait.ts";
import type { SockAddr, SockAddrInit } from "../socket/sockaddr.ts";
import type { TcpInfo } from "../socket/tcp_info.ts";
import { Name } from "./arguments.ts";
import type { Value } from "./codec.ts";
import type { Link } from "./link.ts";
import type { Script } from "./request.ts";
import * as scripts from "./scripts.ts";
import type { Transfers } from "./transfers.ts";
import { DATA_BYTES } from "./ring.ts";

/** Of calls that are given none. */
const NO_OPTIONS: WaitOptions = {};

/** System calls that are awaited. */
export class PromiseCalls {
  /** Calls that move data. */
  readonly #transfers: Transfers;
  readonly #link: Link;
  /** The last of the sends that take several requests, by descriptor. */
  readonly #sending = new Map<number, Promise<unknown>>();

  /** System calls through a link. */
  constructor(link: Link, transfers: Transfers) {
    this.#link = link;
    this.#transfers = transfers;
  }

  /** Makes a socket; answers its descriptor, the lowest free one of this program. */
  socket(domain: number, type: number, protocol = 0): Promise<number> {
    return this.#run(scripts.socket(domain, type, protocol));
  }

  /** Makes two local sockets that are connected with each other. */
  socketpair(domain: number, type: number, protocol = 0): Promise<[number, number]> {
    return this.#run(scripts.socketpair(domain, type, protocol));
  }

  /** Another descriptor for the same socket, the lowest free one of this program. */
  dup(fd: number): Promise<number> {
    return this.#run(scripts.dup(fd));
  }

  /** Takes the name of a local socket away. */
  unlink(path: string): Promise<void> {
    return this.#run(scripts.unlink(path));
  }

  /** Gives a socket its local address. */
  bind(fd: number, address: SockAddrInit): Promise<void> {
    return this.#run(scripts.bind(fd, address));
  }

  /** Begins to accept connections. */
  listen(fd: number, backlog: number = Limits.SOMAXCONN): Promise<void> {
    return this.#run(scripts.listen(fd, backlog));
  }

  /** Waits for a connection. */
  accept(fd: number, options: WaitOptions = NO_OPTIONS): Promise<Accepted> {
    return this.#run(scripts.accept(fd), options.signal);
  }

  /** Connects, or sets the peer of a message socket. */
  connect(fd: number, address: SockAddrInit, options: WaitOptions = NO_OPTIONS): Promise<void> {
    return this.#run(scripts.connect(fd, address), options.signal);
  }

  /** Sends; answers how many bytes. */
  send(
    fd: number,
    data: Uint8Array,
    flags = 0,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    return this.#inOrder(
      fd,
      data.length,
      () => this.#run(this.#transfers.send(fd, data, flags), options.signal),
    );
  }

  /** Sends a message to an address; with MSG_FASTOPEN a stream connects there first. */
  sendto(
    fd: number,
    data: Uint8Array,
    flags: number,
    to?: SockAddrInit,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    return this.#inOrder(
      fd,
      data.length,
      () => this.#run(this.#transfers.sendto(fd, data, flags, to), options.signal),
    );
  }

  /** Sends data in pieces: to a message socket as one message. */
  sendmsg(
    fd: number,
    message: SendHeader,
    flags = 0,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    return this.#inOrder(
      fd,
      Infinity,
      () => this.#run(this.#transfers.sendmsg(fd, message, flags), options.signal),
    );
  }

  /** Receives into `buffer`; answers how many bytes, 0 at the end of a stream. */
  recv(
    fd: number,
    buffer: Uint8Array,
    flags = 0,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    return this.#run(this.#transfers.recv(fd, buffer, flags), options.signal);
  }

  /** Receives with the sender's address. */
  recvfrom(
    fd: number,
    buffer: Uint8Array,
    flags = 0,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<Received> {
    return this.#run(this.#transfers.recvfrom(fd, buffer, flags), options.signal);
  }

  /** Receives into pieces and fills in the rest of the header; answers the bytes received. */
  recvmsg(
    fd: number,
    message: RecvHeader,
    flags = 0,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    return this.#run(this.#transfers.recvmsg(fd, message, flags), options.signal);
  }

  /** Ends one or both directions; `how` is a `Shut`. */
  shutdown(fd: number, how: number): Promise<void> {
    return this.#run(scripts.shutdown(fd, how));
  }

  /** Closes a descriptor; with SO_LINGER when the peer has everything or the time is over. */
  close(fd: number): Promise<void> {
    this.#transfers.forget(fd);
    return this.#run(scripts.close(fd));
  }

  /** Waits until something that the entries ask for holds, at most `timeout_ms` (-1: no end). */
  poll(
    fds: readonly PollFd[],
    timeout_ms = -1,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    return this.#run(scripts.poll(fds, timeout_ms), options.signal);
  }

  /** Waits for descriptors, at most `timeout_us` microseconds. */
  select(
    sets: SelectSets,
    timeout_us = Infinity,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<SelectResult> {
    return this.#run(scripts.select(sets, timeout_us), options.signal);
  }

  /** The local address. */
  getsockname(fd: number): Promise<SockAddr> {
    return this.#run(scripts.getsockname(fd));
  }

  /** The peer's address. */
  getpeername(fd: number): Promise<SockAddr> {
    return this.#run(scripts.getpeername(fd));
  }

  /** SO_LINGER. */
  getsockopt(fd: number, level: Sol.SOCKET, name: So.LINGER): Promise<Linger>;
  /** TCP_INFO: what TCP knows of the connection. */
  getsockopt(fd: number, level: IpProto.TCP, name: TcpOpt.INFO): Promise<TcpInfo>;
  /** TCP_CONGESTION: the name of the algorithm. */
  getsockopt(fd: number, level: IpProto.TCP, name: TcpOpt.CONGESTION): Promise<string>;
  /** An option with a number for its value. */
  getsockopt(fd: number, level: number, name: number): Promise<number>;
  getsockopt(fd: number, level: number, name: number): Promise<never> {
    return this.#run(scripts.getsockopt(fd, level, name)) as Promise<never>;
  }

  /** The bytes of an option, as the engine keeps them, at most `room`. */
  getsockoptBytes(
    fd: number,
    level: number,
    name: number,
    room: number,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#run(scripts.getsockoptBytes(fd, level, name, room));
  }

  /** Sets an option. */
  setsockopt(fd: number, level: number, name: number, value: OptionValue): Promise<void> {
    return this.#run(scripts.setsockopt(fd, level, name, value as Value));
  }

  /** Requests on the socket, with a number: `FIONREAD`, `FIONBIO`, `ATMARK`, `OUTQ`, `OUTQNSD`. */
  ioctl(
    fd: number,
    cmd: Sioc.FIONREAD | Sioc.FIONBIO | Sioc.ATMARK | Sioc.OUTQ | Sioc.OUTQNSD,
    argument?: number,
  ): Promise<number>;
  /** What an interface has counted. */
  ioctl(fd: number, cmd: Sioc.GIFSTATS, argument: { ifindex: number }): Promise<IfStatistics>;
  /** Looks up a route; adds or deletes one if the program may. */
  ioctl(
    fd: number,
    cmd: Sioc.ADDRT | Sioc.CHGRT | Sioc.DELRT | Sioc.GETRT,
    argument: RouteRequest,
  ): Promise<RouteRequest>;
  /** Requests about interfaces, their addresses and neighbours; changes if the program may. */
  ioctl(fd: number, cmd: number, argument: IfRequest): Promise<IfRequest>;
  ioctl(fd: number, cmd: number, argument: number | IfRequest | RouteRequest = 0): Promise<never> {
    return this.#run(scripts.ioctl(fd, cmd, argument as Value)) as Promise<never>;
  }

  /** Tells (F_GETFL) or sets (F_SETFL) the flags; O_NONBLOCK is the only one that can change. */
  fcntl(fd: number, cmd: number, flags = 0): Promise<number> {
    return this.#run(scripts.fcntl(fd, cmd, flags));
  }

  /** Name of the host that the stack plays. */
  async gethostname(): Promise<string> {
    return (await this.#run(scripts.names()))[0];
  }

  /** Name of the host's domain. */
  async getdomainname(): Promise<string> {
    return (await this.#run(scripts.names()))[1];
  }

  /** Number of the host, 32 bits. */
  async gethostid(): Promise<number> {
    return (await this.#run(scripts.names()))[2];
  }

  /** Names the host, if the program may. */
  sethostname(name: string): Promise<void> {
    return this.#run(scripts.setName(Name.HOST, name));
  }

  /** Names the host's domain, if the program may. */
  setdomainname(name: string): Promise<void> {
    return this.#run(scripts.setName(Name.DOMAIN, name));
  }

  /** Numbers the host, if the program may. */
  sethostid(id: number): Promise<void> {
    return this.#run(scripts.setName(Name.HOSTID, id));
  }

  /** Sends a header, a file and a trailer over a connection; answers how many bytes. */
  send_file(
    fd: number,
    params: SendFileParams,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    return sendFile((data) => this.send(fd, data, 0, options), params);
  }

  /** Makes the requests of a call, each when the one before is answered. */
  async #run<T>(script: Script<T>, signal?: AbortSignal): Promise<T> {
    let step = script.next();
    while (!step.done) {
      let answer: unknown;
      try {
        answer = await this.#link.run(step.value, signal);
      } catch (error) {
        step = script.throw(error);
        continue;
      }
      step = script.next(answer);
    }
    return step.value;
  }

  /** Of several sends at once, each is whole before the next begins. */
  #inOrder(fd: number, length: number, send: () => Promise<number>): Promise<number> {
    const before = this.#sending.get(fd);
    if (before === undefined && length <= DATA_BYTES && !this.#link.scarce) return send();
    const after = before === undefined ? send() : before.then(send, send);
    this.#sending.set(fd, after);
    const over = () => {
      if (this.#sending.get(fd) === after) this.#sending.delete(fd);
    };
    after.then(over, over);
    return after;
  }
}
