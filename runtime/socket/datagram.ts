/**
 * UDP sockets in the shape of `Deno.DatagramConn`.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { IpOpt } from "../../assembly/abi/socket.ts";
import { STAGING_BYTES } from "../engine.ts";
import { SocketError } from "../errors.ts";
import { nameRoom, putName, socketName, takeName } from "./calls.ts";
import { type NetAddr, netAddr } from "./conn.ts";
import { SocketHandle } from "./handle.ts";
import { type MessageBatch, recvBatch, sendBatch } from "./message_batch.ts";
import { setOption } from "./options.ts";
import type { So } from "./so.ts";
import { check, receive, sendAll } from "./so_wait.ts";
import { hostAddress } from "./sockaddr.ts";

/** Membership of a group, in the shape of `Deno.MulticastV4Membership`. */
export interface MulticastMembership {
  /** Leaves the group. */
  leave(): Promise<void>;
  /** Whether what this socket sends to groups comes back to this host. */
  setLoopback(loopback: boolean): Promise<void>;
  /** How many routers what this socket sends to groups may cross, and one. */
  setTTL(ttl: number): Promise<void>;
}

/** A datagram and where it came from. */
export type Datagram = [Uint8Array<ArrayBuffer>, NetAddr & { transport: "udp" }];

/** A UDP socket. */
export class DatagramConn extends SocketHandle implements AsyncIterable<Datagram> {
  readonly #so: So;

  /** Made by `stack.listenDatagram`. */
  constructor(so: So) {
    super(so);
    this.#so = so;
  }

  /** The address it is bound to. */
  get addr(): NetAddr & { transport: "udp" } {
    this.#mustBeOpen("getsockname");
    return { ...netAddr("udp", socketName(this.#so)), transport: "udp" };
  }

  /**
   * Waits for a datagram. With `buffer`, the data is put there, what does not fit is lost, and the
   * array of the answer is a view of it.
   */
  async receive(buffer?: Uint8Array<ArrayBuffer>): Promise<Datagram> {
    const so = this.#so;
    this.#mustBeOpen("receive");
    let data: Uint8Array<ArrayBuffer> | undefined;
    let from: NetAddr | undefined;
    const attempt = (flags: number): number => {
      const nam = nameRoom(so);
      const got = buffer === undefined
        ? so.tryRecvStaged(STAGING_BYTES, flags, nam)
        : so.tryRecv(buffer, 0, buffer.length, flags, nam);
      if (got < 0) return got;
      const { memory, staging } = so.layer.engine;
      data = buffer === undefined ? memory.slice(staging, staging + got) : buffer.subarray(0, got);
      from = netAddr("udp", takeName(so) ?? { family: 0, address: "0.0.0.0", port: 0 });
      return got;
    };
    check(await receive(so, attempt(0), 0, undefined, attempt), "receive");
    return [data!, { ...from!, transport: "udp" }];
  }

  /** Sends a datagram; answers its length. */
  async send(data: Uint8Array, to: { hostname?: string; port?: number }): Promise<number> {
    const so = this.#so;
    this.#mustBeOpen("send");
    const name = { address: hostAddress(to.hostname ?? "127.0.0.1"), port: to.port };
    const { length } = data;
    const attempt = (done: number) =>
      so.trySend(data, done, length - done, 0, so.fd < 0 ? 0 : putName(so, name, "send"));
    const first = attempt(0);
    if (first === length) return first;
    return check(await sendAll(so, first, length, 0, undefined, attempt), "send");
  }

  /** Sends the messages of a batch; answers how many. */
  async sendBatch(batch: MessageBatch): Promise<number> {
    return check(await sendBatch(this.#so, batch, 0, undefined), "sendmmsg");
  }

  /** Waits for a datagram and receives it with those behind it; answers how many. */
  receiveBatch(batch: MessageBatch): Promise<number> {
    return recvBatch(this.#so, batch, 0, undefined);
  }

  /** Joins a group on the interface with an address or name; `0.0.0.0` lets the stack choose. */
  // deno-lint-ignore require-await
  async joinMulticastV4(
    address: string,
    networkInterface = "0.0.0.0",
  ): Promise<MulticastMembership> {
    const membership = { multiaddr: address, interface: networkInterface };
    this.#setIp(IpOpt.ADD_MEMBERSHIP, membership);
    return {
      // deno-lint-ignore require-await
      leave: async () => this.#setIp(IpOpt.DROP_MEMBERSHIP, membership),
      // deno-lint-ignore require-await
      setLoopback: async (loopback) => this.#setIp(IpOpt.MULTICAST_LOOP, loopback),
      // deno-lint-ignore require-await
      setTTL: async (ttl) => this.#setIp(IpOpt.MULTICAST_TTL, ttl),
    };
  }

  /** Always fails: a UDP socket of IPv4 has no groups of IPv6. */
  // deno-lint-ignore require-await
  async joinMulticastV6(_address: string, _networkInterface: number): Promise<never> {
    throw new SocketError(Errno.EAFNOSUPPORT, "setsockopt", "the socket is of IPv4");
  }

  /** Datagrams as they come, until the socket is closed. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Datagram> {
    for (;;) {
      try {
        yield await this.receive();
      } catch (error) {
        if (error instanceof SocketError && error.errno === Errno.EBADF) return;
        throw error;
      }
    }
  }

  #setIp(name: number, value: Parameters<typeof setOption>[3]): void {
    this.#mustBeOpen("setsockopt");
    setOption(this.#so, IpProto.IP, name, value);
  }

  #mustBeOpen(syscall: string): void {
    if (this.#so.fd < 0) throw new SocketError(Errno.EBADF, syscall);
  }
}
