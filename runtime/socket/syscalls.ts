/**
 * The system calls of the sockets kernel. Those that may have to wait are promises: they honour the
 * timeouts SO_RCVTIMEO and SO_SNDTIMEO (EAGAIN when the time is over), an AbortSignal (EINTR) and
 * close (EBADF). On a descriptor with O_NONBLOCK, or with MSG_DONTWAIT, the promise is rejected
 * with EAGAIN at once instead. Calls that never wait are plain functions, and {@link Syscalls.nb}
 * has synchronous twins of the others. All failures are `SocketError`s.
 *
 * @module
 */

import { Limits } from "../../assembly/abi/limits.ts";
import { Msg } from "../../assembly/abi/socket.ts";
import * as calls from "./calls.ts";
import { ControlCalls } from "./control.ts";
import type { HostNames } from "./host_names.ts";
import { iovLength } from "./message.ts";
import { checkControl, rightsOf, tryRecvMsg, trySendMsg, withRights } from "./rights.ts";
import type { RecvHeader, SendHeader } from "./message.ts";
import { type MessageBatch, recvBatch, sendBatch } from "./message_batch.ts";
import { type Accepted, NonBlockingCalls, type Received } from "./nonblocking.ts";
import { type PollFd, pollWait, selectEntries, selectResult } from "./select.ts";
import type { SelectResult, SelectSets } from "./select.ts";
import * as rest from "./rest.ts";
import { sendFile, type SendFileParams } from "./send_file.ts";
import type { SocketLayer } from "./so.ts";
import * as wait from "./so_wait.ts";
import { check, type WaitOptions } from "./so_wait.ts";
import type { SockAddrInit } from "./sockaddr.ts";

/** Of calls that are given none. */
const NO_OPTIONS: WaitOptions = {};

/** System calls of a stack. */
export class Syscalls extends ControlCalls {
  /** Synchronous twins of the calls that can wait. */
  readonly nb: NonBlockingCalls;
  readonly #layer: SocketLayer;

  /** System calls on the sockets of `layer`. */
  constructor(layer: SocketLayer, names: HostNames) {
    super(layer, names);
    this.#layer = layer;
    this.nb = new NonBlockingCalls(layer);
  }

  /**
   * Makes a socket; answers its descriptor, the lowest free one.
   *
   * Errors: EPFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPROTOTYPE, EMFILE, ENOBUFS.
   */
  socket(domain: number, type: number, protocol = 0): number {
    return calls.createSocket(this.#layer, domain, type, protocol).fd;
  }

  /**
   * Makes two sockets that are connected with each other; answers their descriptors. Only local
   * sockets (AF_UNIX) can. Errors: those of socket, EOPNOTSUPP.
   */
  socketpair(domain: number, type: number, protocol = 0): [number, number] {
    return calls.createPair(this.#layer, domain, type, protocol);
  }

  /** Gives a socket its local address. Errors: EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL. */
  bind(fd: number, address: SockAddrInit): void {
    calls.bindSocket(this.#layer.table.get(fd, "bind"), address);
  }

  /** Begins to accept connections. Errors: EOPNOTSUPP, EINVAL, EADDRINUSE. */
  listen(fd: number, backlog: number = Limits.SOMAXCONN): void {
    calls.listenSocket(this.#layer.table.get(fd, "listen"), backlog);
  }

  /** Waits for a connection. Errors: EINVAL, EOPNOTSUPP, ECONNABORTED, EMFILE. */
  accept(fd: number, options: WaitOptions = NO_OPTIONS): Promise<Accepted> {
    return wait.begun(() => {
      return rest.acceptThen(this.#layer.table.get(fd, "accept"), options.signal);
    });
  }

  /**
   * Connects, or sets the peer of a message socket. When SO_SNDTIMEO (EINPROGRESS) or the signal
   * (EINTR) ends the wait, the attempt goes on.
   *
   * Errors: ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, EHOSTDOWN, ENETUNREACH, EADDRINUSE, EISCONN,
   * EALREADY, EOPNOTSUPP, EAFNOSUPPORT, EADDRNOTAVAIL.
   */
  connect(fd: number, address: SockAddrInit, options: WaitOptions = NO_OPTIONS): Promise<void> {
    return wait.begun(() => {
      const so = this.#layer.table.get(fd, "connect");
      return rest.connected(so, calls.tryConnect(so, address), options.signal);
    });
  }

  /**
   * Sends; answers how many bytes. A stream takes all of them unless a timeout or signal ends the
   * wait for room.
   *
   * Errors: EPIPE, ESHUTDOWN, ENOTCONN, EDESTADDRREQ, EMSGSIZE, ENOBUFS, ECONNRESET and what else
   * ended the connection.
   */
  send(
    fd: number,
    data: Uint8Array,
    flags = 0,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    try {
      const so = this.#layer.table.get(fd, "send");
      const first = so.trySend(data, 0, data.length, flags, 0);
      if (first === data.length) return Promise.resolve(first);
      return rest.sendRest(so, first, data, flags, options.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Sends a message to an address; with MSG_FASTOPEN a stream connects there first, and the request
   * for the connection takes data along if it can (RFC 7413).
   *
   * Errors: those of send, EISCONN, EACCES for a broadcast; with MSG_FASTOPEN those of connect,
   * EINPROGRESS if the call must not wait and nothing could go along.
   */
  sendto(
    fd: number,
    data: Uint8Array,
    flags: number,
    to?: SockAddrInit,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    try {
      const so = this.#layer.table.get(fd, "sendto");
      const first = rest.trySendTo(so, data, 0, flags, to);
      if (first === data.length) return Promise.resolve(first);
      return rest.sendtoRest(so, first, data, flags, to, options.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Sends data in pieces: to a message socket as one message. Errors: those of sendto. */
  async sendmsg(
    fd: number,
    message: SendHeader,
    flags = 0,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    const so = this.#layer.table.get(fd, "sendmsg");
    checkControl(so, message);
    const attemptAs = (sent: SendHeader) => (done: number, now: number, named: boolean) => {
      const nam = named ? calls.putName(so, message.name, "sendmsg") : 0;
      return trySendMsg(so, sent, done, now, nam);
    };
    const length = iovLength(message.iov);
    const first = attemptAs(message)(0, flags, true);
    if (first === length) return first;
    const { signal } = options;
    const rest = (sent: SendHeader) => {
      const attempt = wait.opening(flags, first, attemptAs(sent));
      return wait.sendAll(so, first, length, flags, signal, attempt);
    };
    const held = !wait.mustNotWait(so, flags);
    return check(
      await (held ? withRights(so, message, first, rest) : rest(message)),
      "sendmsg",
      signal,
    );
  }

  /**
   * Receives into `buffer`; answers how many bytes, 0 at the end of a stream. MSG_WAITALL waits
   * until the buffer is full, MSG_PEEK leaves the data, MSG_OOB takes the urgent byte.
   *
   * Errors: ENOTCONN, ECONNRESET and what else ended the connection; EINVAL for MSG_OOB without
   * urgent data.
   */
  recv(
    fd: number,
    buffer: Uint8Array,
    flags = 0,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    try {
      const so = this.#layer.table.get(fd, "recv");
      const first = so.tryRecv(buffer, 0, buffer.length, flags, 0);
      if (first >= 0 && (flags & Msg.WAITALL) === 0) return Promise.resolve(first);
      return wait.recvRest(so, first, buffer, flags, options.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Receives with the sender's address. Errors: those of recv. */
  recvfrom(
    fd: number,
    buffer: Uint8Array,
    flags = 0,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<Received> {
    try {
      const so = this.#layer.table.get(fd, "recvfrom");
      const first = so.tryRecv(buffer, 0, buffer.length, flags, calls.nameRoom(so));
      if (first >= 0 && (flags & Msg.WAITALL) === 0) {
        return Promise.resolve({ length: first, from: calls.takeName(so) });
      }
      return rest.recvfromRest(so, first, buffer, flags, options.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Receives into pieces and fills in the rest of the header; answers the bytes received. */
  async recvmsg(
    fd: number,
    message: RecvHeader,
    flags = 0,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    const so = this.#layer.table.get(fd, "recvmsg");
    const attempt = (now: number, done = 0) =>
      tryRecvMsg(so, message, done, now, calls.nameRoom(so));
    const brought = () => rightsOf(message.control).length > 0;
    const { signal } = options;
    const length = iovLength(message.iov);
    const first = attempt(flags);
    const got = wait.wantsAll(so, flags)
      ? wait.receiveWhole(so, first, length, flags, signal, attempt, brought)
      : wait.receive(so, first, flags, signal, attempt);
    return check(await got, "recvmsg", signal);
  }

  /** Sends the messages of a batch; answers how many. Errors of sendto, if none was sent. */
  async sendmmsg(
    fd: number,
    batch: MessageBatch,
    flags = 0,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    const so = this.#layer.table.get(fd, "sendmmsg");
    return check(await sendBatch(so, batch, flags, options.signal), "sendmmsg", options.signal);
  }

  /**
   * Waits for a message and receives it with those behind it, as many as there are and fit into the
   * batch; answers how many. Errors: those of recv, EOPNOTSUPP for a stream.
   */
  recvmmsg(
    fd: number,
    batch: MessageBatch,
    flags = 0,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    return wait.begun(() => {
      const so = this.#layer.table.get(fd, "recvmmsg");
      return recvBatch(so, batch, flags, options.signal);
    });
  }

  /** Ends one or both directions; `how` is a `Shut`. Errors: EINVAL, ENOTCONN. */
  shutdown(fd: number, how: number): void {
    check(calls.tryShutdown(this.#layer.table.get(fd, "shutdown"), how), "shutdown");
  }

  /**
   * Closes a descriptor; the number is free at once. With SO_LINGER the promise waits until the
   * peer has everything or the time is over; a time of 0 resets the connection.
   */
  close(fd: number): Promise<void> {
    return wait.begun(() => {
      const so = this.#layer.table.get(fd, "close");
      return this.#layer.table.drop(fd) ? Promise.resolve() : wait.closeLingering(so);
    });
  }

  /**
   * Waits until something of what the entries ask for holds, at most `timeout_ms` milliseconds (-1:
   * without end), and fills in `revents`. Answers how many entries have any; 0 when time is over.
   * Errors: EINVAL for a time that is no number, EINTR.
   */
  async poll(
    fds: readonly PollFd[],
    timeout_ms = -1,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    const timeout_us = timeout_ms < 0 ? Infinity : timeout_ms * 1000;
    return await pollWait(this.#layer, fds, timeout_us, options, "poll");
  }

  /**
   * Waits for descriptors, at most `timeout_us` microseconds. Errors: EBADF, ENOTSOCK, EINVAL for a
   * time that is negative or no number, EINTR.
   */
  async select(
    sets: SelectSets,
    timeout_us = Infinity,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<SelectResult> {
    const entries = selectEntries(this.#layer, sets);
    await pollWait(this.#layer, entries, timeout_us, options, "select");
    return selectResult(entries);
  }

  /** Sends a header, a file and a trailer over a connection; answers how many bytes. */
  send_file(
    fd: number,
    params: SendFileParams,
    options: WaitOptions = NO_OPTIONS,
  ): Promise<number> {
    return sendFile((data) => this.send(fd, data, 0, options), params);
  }
}
