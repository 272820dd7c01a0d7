/**
 * TCP connections in the shape of `Deno.TcpConn`.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { So as Opt, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { setOption } from "./options.ts";
import type { So } from "./so.ts";
import { check } from "./so_wait.ts";
import type { SockAddr } from "./sockaddr.ts";
import { StreamConn } from "./stream_conn.ts";

/** An address in the shape of `Deno.NetAddr`. */
export interface NetAddr {
  /** Protocol. */
  transport: "tcp" | "udp";
  /** Numeric address. */
  hostname: string;
  /** Port. */
  port: number;
}

/** A socket address in the shape of Deno's. */
export function netAddr(transport: "tcp" | "udp", { address, port }: SockAddr): NetAddr {
  return { transport, hostname: address, port };
}

/** A TCP connection. What was written before `close` is still sent. */
export class TcpConn extends StreamConn {
  /** Address of this end. */
  readonly localAddr: NetAddr & { transport: "tcp" };
  /** Address of the peer. */
  readonly remoteAddr: NetAddr & { transport: "tcp" };
  readonly #so: So;

  /** Made by `stack.connect` and by listeners. */
  constructor(so: So, local: SockAddr, peer: SockAddr) {
    super(so);
    this.#so = so;
    this.localAddr = { ...netAddr("tcp", local), transport: "tcp" };
    this.remoteAddr = { ...netAddr("tcp", peer), transport: "tcp" };
  }

  /** Sends small pieces at once instead of collecting them (TCP_NODELAY). */
  setNoDelay(noDelay = true): void {
    check(this.#so.fd < 0 ? EBADF : 0, "setsockopt");
    setOption(this.#so, IpProto.TCP, TcpOpt.NODELAY, noDelay);
  }

  /** Probes a silent peer (SO_KEEPALIVE). */
  setKeepAlive(keepAlive = true): void {
    check(this.#so.fd < 0 ? EBADF : 0, "setsockopt");
    setOption(this.#so, Sol.SOCKET, Opt.KEEPALIVE, keepAlive);
  }
}

const EBADF = -Errno.EBADF;
