/**
 * A socket as a protocol in TypeScript sees it. Its buffers, options and state are the engine's, so
 * waiting, polling and closing need nothing of the protocol.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { Pr } from "../../assembly/abi/proto.ts";
import { Af, Ss } from "../../assembly/abi/socket.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import { type SockAddrInit, writeSockAddr } from "../socket/sockaddr.ts";
import * as layout from "../wasm/layout.gen.ts";
import { type KernelCalls, kernelCalls } from "./kernel_calls.ts";
import type { Packet } from "./packet.ts";

const S = layout.Socket;
const SB = layout.Sockbuf;
const N = layout.SockAddr;

/** A socket of a loaded protocol. */
export class Sock {
  /** Address of struct Socket. */
  readonly ptr: number;
  /** What the protocol keeps for it. */
  data: unknown = undefined;
  readonly #engine: Engine;
  readonly #calls: KernelCalls;
  readonly #flags: number;
  /** Where the kernel may write an address. */
  readonly #place: number;
  readonly #adopt: (ptr: number) => Sock | undefined;

  /** Made by the kernel. `flags` are the row's Pr; `adopt` finds the Sock for a new connection. */
  constructor(
    engine: Engine,
    ptr: number,
    flags: number,
    place: number,
    adopt: (ptr: number) => Sock | undefined,
  ) {
    this.#engine = engine;
    this.#calls = kernelCalls(engine);
    this.ptr = ptr;
    this.#flags = flags;
    this.#place = place;
    this.#adopt = adopt;
  }

  /** State bits, `Ss`. */
  get state(): number {
    return field.getU32(this.#engine, this.ptr, S.state);
  }

  /** True if the user may still send. */
  get canSend(): boolean {
    return (this.state & Ss.CANTSENDMORE) === 0;
  }

  /** Options at socket level, `So` bits. */
  get options(): number {
    return field.getU32(this.#engine, this.ptr, S.options);
  }

  /** Bytes that the user has not read. */
  get unread(): number {
    return field.getU32(this.#engine, this.ptr, S.rcv_cc + SB.cc);
  }

  /** Bytes that there is room for before a delivery is refused. */
  get space(): number {
    const at = this.ptr + S.rcv_cc;
    return Math.max(0, field.getU32(this.#engine, at, SB.hiwat) - this.unread);
  }

  /** For a stream: bytes that wait in the send buffer, where `queue` has put them. */
  get unsent(): number {
    return field.getU32(this.#engine, this.ptr, S.snd_cc + SB.cc);
  }

  /**
   * Gives the user a message, or bytes of a stream. True if it was taken; if there is no room, the
   * packet stays the protocol's.
   */
  deliver(packet: Packet, from?: SockAddrInit): boolean {
    if ((this.state & Ss.CANTRCVMORE) !== 0) return false;
    const rcv = this.ptr + S.rcv_cc;
    if ((this.#flags & Pr.ADDR) !== 0) {
      writeSockAddr(this.#engine, this.#place, from ?? {}, "deliver");
      return this.#append(packet);
    } else {
      if (packet.length > this.space) return false;
      if ((this.#flags & Pr.ATOMIC) !== 0) this.#calls.sockbuf_appendRecord(rcv, packet.take());
      else this.#calls.sockbuf_append(rcv, packet.take());
    }
    this.#calls.so_event_rwakeup(this.ptr);
    return true;
  }

  /** The same, from an IPv4 address in host order: for the packet path, it allocates nothing. */
  deliverFrom(packet: Packet, address: number, port: number): boolean {
    if ((this.state & Ss.CANTRCVMORE) !== 0) return false;
    const { view } = this.#engine;
    const at = this.#place;
    view.setUint32(at + N.addr_hi, 0);
    view.setUint32(at + N.addr_hi + 4, 0);
    view.setUint32(at + N.addr_lo, address === 0 ? 0 : 0xffff); // ::ffff:a.b.c.d
    view.setUint32(at + N.addr_lo + 4, address);
    view.setUint32(at + N.scope, 0);
    view.setUint16(at + N.family, Af.INET, true);
    view.setUint16(at + N.port, port, true);
    return this.#append(packet);
  }

  #append(packet: Packet): boolean {
    const rcv = this.ptr + S.rcv_cc;
    if (this.#calls.sockbuf_appendAddr(rcv, this.#place, packet.mbuf, 0) === 0) return false;
    packet.take();
    this.#calls.so_event_rwakeup(this.ptr);
    return true;
  }

  /** For a stream: keeps bytes in the send buffer until `acknowledge`. */
  queue(packet: Packet): void {
    this.#calls.sockbuf_append(this.ptr + S.snd_cc, packet.take());
  }

  /** For a stream: copies from the send buffer, from `offset` on; answers how many bytes. */
  peekUnsent(target: Uint8Array, offset: number): number {
    const n = Math.min(target.length, Math.max(0, this.unsent - offset));
    let m = field.getU32(this.#engine, this.ptr, S.snd_cc + SB.mb);
    let skip = offset;
    for (let done = 0; done < n; m = field.getU32(this.#engine, m, layout.Mbuf.next)) {
      const length = field.getU32(this.#engine, m, layout.Mbuf.len);
      const part = Math.min(Math.max(0, length - skip), n - done);
      const begin = field.getU32(this.#engine, m, layout.Mbuf.data) + skip;
      target.set(this.#engine.memory.subarray(begin, begin + part), done);
      skip = Math.max(0, skip - length);
      done += part;
    }
    return n;
  }

  /** For a stream: the first `n` bytes of the send buffer have arrived, and leave it. */
  acknowledge(n: number): void {
    this.#calls.sockbuf_drop(this.ptr + S.snd_cc, Math.min(n, this.unsent));
    this.#calls.so_event_wwakeup(this.ptr);
  }

  /** The connection is being made: `connect` then waits. */
  connecting(): void {
    this.#calls.so_event_isConnecting(this.ptr);
  }

  /** The connection is made, or the peer is set. */
  connected(): void {
    this.#calls.so_event_isConnected(this.ptr);
  }

  /** The connection is being ended. */
  disconnecting(): void {
    this.#calls.so_event_isDisconnecting(this.ptr);
  }

  /** The connection is gone: nothing can be sent, and what is unread can still be read. */
  disconnected(): void {
    this.#calls.so_event_isDisconnected(this.ptr);
  }

  /** A datagram socket has no peer any more. */
  unconnected(): void {
    field.setU32(this.#engine, this.ptr, S.state, this.state & ~Ss.ISCONNECTED);
  }

  /** The user may send no more. */
  cantSendMore(): void {
    this.#calls.so_event_cantSendMore(this.ptr);
  }

  /** Nothing more will come: the user reads the end. */
  cantReceiveMore(): void {
    this.#calls.so_event_cantRcvMore(this.ptr);
  }

  /** The next call of the user answers this error. */
  error(errno: number): void {
    this.#calls.so_event_error(this.ptr, errno);
  }

  /**
   * For a listener: the socket of a connection that came in, connected already or to be so later.
   * Undefined if the backlog is full. It was attached like any other.
   */
  newConnection(connected: boolean): Sock | undefined {
    const ptr = this.#calls.so_event_newconn(this.ptr, connected ? Ss.ISCONNECTED : 0);
    return ptr === 0 ? undefined : this.#adopt(ptr);
  }

  /** Sets the sizes of its buffers, bytes; `SocketError` ENOBUFS. */
  reserve(send: number, receive: number): void {
    const sent = this.#calls.sockbuf_reserve(this.ptr + S.snd_cc, send);
    const got = this.#calls.sockbuf_reserve(this.ptr + S.rcv_cc, receive);
    if (sent < 0 || got < 0) throw new SocketError(Errno.ENOBUFS, "soreserve");
  }
}
