/**
 * System calls that never wait: synchronous, and EAGAIN (EWOULDBLOCK) where the others would wait,
 * whatever the flags of the descriptor say.
 *
 * @module
 */

import { Msg } from "../../assembly/abi/socket.ts";
import { nameRoom, putName, takeName, tryAccept, tryConnect } from "./calls.ts";
import { checkControl, tryRecvMsg, trySendMsg } from "./rights.ts";
import type { RecvHeader, SendHeader } from "./message.ts";
import { type PollFd, pollNow, selectEntries, selectResult } from "./select.ts";
import type { SelectResult, SelectSets } from "./select.ts";
import type { SocketLayer } from "./so.ts";
import { SocketError } from "../errors.ts";
import * as place from "./in_place.ts";
import { type MessageBatch, tryRecvBatch, trySendBatch } from "./message_batch.ts";
import { check, releaseFd } from "./so_wait.ts";
import type { SockAddr, SockAddrInit } from "./sockaddr.ts";

/** A connection that accept took from the queue. */
export interface Accepted {
  /** Its descriptor. */
  readonly fd: number;
  /** Its peer. */
  readonly address: SockAddr;
}

/** What recvfrom received. */
export interface Received {
  /** Bytes put into the buffer. */
  readonly length: number;
  /** The sender; `undefined` if the protocol gives none. */
  readonly from: SockAddr | undefined;
}

/** Synchronous twins of the calls that can wait. */
export class NonBlockingCalls {
  readonly #layer: SocketLayer;

  /** Calls on the sockets of `layer`. */
  constructor(layer: SocketLayer) {
    this.#layer = layer;
  }

  /** Takes a connection from the queue. Errors: EAGAIN, EBADF, EINVAL, EOPNOTSUPP, EMFILE. */
  accept(fd: number): Accepted {
    let accepted: Accepted | undefined;
    const so = this.#layer.table.get(fd, "accept");
    check(tryAccept(so, ({ fd, peer }) => accepted = { fd, address: peer }), "accept");
    return accepted!;
  }

  /** Begins to connect: EINPROGRESS if that takes longer; then poll for POLLOUT and SO_ERROR. */
  connect(fd: number, address: SockAddrInit): void {
    check(tryConnect(this.#layer.table.get(fd, "connect"), address), "connect");
  }

  /** Sends what there is room for; answers how many bytes. EAGAIN if there is none. */
  send(fd: number, data: Uint8Array, flags = 0): number {
    const so = this.#layer.table.get(fd, "send");
    return check(so.trySend(data, 0, data.length, flags | Msg.DONTWAIT, 0), "send");
  }

  /**
   * Sends a message to an address. With MSG_FASTOPEN a stream connects there, and the answer is how
   * many bytes went along; EINPROGRESS if none could.
   */
  sendto(fd: number, data: Uint8Array, flags: number, to?: SockAddrInit): number {
    const so = this.#layer.table.get(fd, "sendto");
    const nam = putName(so, to, "sendto");
    return check(so.trySend(data, 0, data.length, flags | Msg.DONTWAIT, nam), "sendto");
  }

  /** Sends data in pieces. */
  sendmsg(fd: number, message: SendHeader, flags = 0): number {
    const so = this.#layer.table.get(fd, "sendmsg");
    checkControl(so, message);
    const nam = putName(so, message.name, "sendmsg");
    return check(trySendMsg(so, message, 0, flags | Msg.DONTWAIT, nam), "sendmsg");
  }

  /** Receives what there is; 0 at the end of a stream, EAGAIN if there is nothing yet. */
  recv(fd: number, buffer: Uint8Array, flags = 0): number {
    const so = this.#layer.table.get(fd, "recv");
    return check(so.tryRecv(buffer, 0, buffer.length, flags | Msg.DONTWAIT, 0), "recv");
  }

  /** Receives with the sender's address. */
  recvfrom(fd: number, buffer: Uint8Array, flags = 0): Received {
    const so = this.#layer.table.get(fd, "recvfrom");
    const nam = nameRoom(so);
    const got = so.tryRecv(buffer, 0, buffer.length, flags | Msg.DONTWAIT, nam);
    return { length: check(got, "recvfrom"), from: takeName(so) };
  }

  /** Receives into pieces and fills in the rest of the header; answers the bytes received. */
  recvmsg(fd: number, message: RecvHeader, flags = 0): number {
    const so = this.#layer.table.get(fd, "recvmsg");
    return check(tryRecvMsg(so, message, 0, flags | Msg.DONTWAIT, nameRoom(so)), "recvmsg");
  }

  /**
   * Shows received bytes of a stream in the engine's memory, as many as lie in one piece; none at
   * the end of the stream. They stay until they are released or received. EAGAIN if there are none.
   */
  peek(fd: number): Uint8Array<ArrayBuffer> {
    return view(place.tryPeek(this.#layer.table.get(fd, "peek")), "peek");
  }

  /** Takes the first `length` bytes shown out of the stream. Errors: EBADF, EINVAL. */
  release(fd: number, length: number): void {
    place.release(this.#layer.table.get(fd, "release"), length);
  }

  /**
   * Lends room for up to `length` bytes of a stream, in the engine's memory, until they are
   * committed. EAGAIN if there is none; errors of send.
   */
  reserve(fd: number, length: number): Uint8Array<ArrayBuffer> {
    return view(place.tryReserve(this.#layer.table.get(fd, "reserve"), length), "reserve");
  }

  /** Sends the first `length` bytes of the room lent; MSG_MORE says that more follows soon. */
  commit(fd: number, length: number, flags = 0): number {
    return check(place.tryCommit(this.#layer.table.get(fd, "commit"), length, flags), "commit");
  }

  /** Sends the messages of a batch; answers how many. */
  sendmmsg(fd: number, batch: MessageBatch, flags = 0): number {
    const so = this.#layer.table.get(fd, "sendmmsg");
    return check(trySendBatch(so, batch, 0, flags | Msg.DONTWAIT), "sendmmsg");
  }

  /** Receives as many messages as there are and fit; answers how many. EAGAIN if there is none. */
  recvmmsg(fd: number, batch: MessageBatch, flags = 0): number {
    const so = this.#layer.table.get(fd, "recvmmsg");
    return check(tryRecvBatch(so, batch, flags | Msg.DONTWAIT), "recvmmsg");
  }

  /** Closes without waiting, also if SO_LINGER asks for it: the rest is sent in the background. */
  close(fd: number): void {
    releaseFd(this.#layer, fd, "close");
  }

  /** Fills in `revents` of each entry; answers how many have any. */
  poll(fds: readonly PollFd[]): number {
    return pollNow(this.#layer, fds);
  }

  /** The descriptors for which the event holds now. */
  select(sets: SelectSets): SelectResult {
    const entries = selectEntries(this.#layer, sets);
    pollNow(this.#layer, entries, 0);
    return selectResult(entries);
  }
}

function view(result: Uint8Array<ArrayBuffer> | number, syscall: string): Uint8Array<ArrayBuffer> {
  if (typeof result === "number") throw new SocketError(-result, syscall);
  return result;
}
