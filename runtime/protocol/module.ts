/**
 * The standard interface to protocols: what a loadable protocol in TypeScript gives the stack. The
 * entries are those of 4.4BSD's protocol switch; `Kernel` and `Sock` are what the stack gives it.
 *
 * ```ts ignore
 * import { type ProtocolModule } from "@godwit/godwit/protocol";
 *
 * export default {
 *   name: "discard",
 *   rows: [{ type: 0, protocol: 253, flags: 0, input: () => {} }],
 * } satisfies ProtocolModule;
 * ```
 *
 * @module
 */

import type { SockAddr } from "../socket/sockaddr.ts";
import type { Kernel } from "./kernel.ts";
import type { Packet } from "./packet.ts";
import type { Sock } from "./sock.ts";

/** What an ICMP error, or this host, says of a packet that was sent (BSD's pr_ctlinput). */
export interface ControlQuote {
  /** Our end. */
  readonly local: SockAddr;
  /** The other end. */
  readonly peer: SockAddr;
  /** Protocol number of the packet. */
  readonly protocol: number;
  /** For `Prc.MSGSIZE`: largest packet that the path takes, bytes. */
  readonly mtu: number;
}

/**
 * What the socket layer asks of a protocol: one method for each PRU_ request. A method answers
 * nothing or a number `>= 0` when all is well; it refuses with a `SocketError`, or with `-Errno`.
 * One that is left out does what the comment says. Any other exception is a fault of the protocol:
 * it is stopped, and its sockets get EIO.
 */
export interface UserRequests {
  /** PRU_ATTACH: a new socket. It has its buffers already. */
  attach?(so: Sock, protocol: number): number | void;
  /** PRU_DETACH: the socket is gone when this returns. */
  detach?(so: Sock): void;
  /** PRU_BIND; else EOPNOTSUPP. */
  bind?(so: Sock, address: SockAddr): number | void;
  /** PRU_LISTEN; else EOPNOTSUPP. */
  listen?(so: Sock, backlog: number): number | void;
  /** PRU_CONNECT: calls `so.connected()` now or later; else EOPNOTSUPP. */
  connect?(so: Sock, address: SockAddr): number | void;
  /** PRU_CONNECT2: joins two sockets (socketpair); else EOPNOTSUPP. */
  connect2?(so: Sock, other: Sock): number | void;
  /** PRU_DISCONNECT; else the socket has no peer any more. */
  disconnect?(so: Sock): number | void;
  /** PRU_SHUTDOWN: no more will be sent; else `so.cantSendMore()`. */
  shutdown?(so: Sock): number | void;
  /** PRU_RCVD: the user has taken data (only with PR_WANTRCVD). */
  received?(so: Sock): void;
  /**
   * PRU_SEND: sends a message, or bytes of a stream, to `to` or the peer; else EOPNOTSUPP. What is
   * not taken from the packet is freed.
   */
  send?(so: Sock, packet: Packet, to: SockAddr | undefined, flags: number): number | void;
  /** PRU_ABORT: the connection is dropped now; `detach` follows, whether this is there or not. */
  abort?(so: Sock): void;
  /** PRU_SOCKADDR; else EOPNOTSUPP. */
  localAddress?(so: Sock): SockAddr;
  /** PRU_PEERADDR and PRU_ACCEPT; else EOPNOTSUPP. */
  peerAddress?(so: Sock): SockAddr;
}

/** One protocol of the switch: a row of 4.4BSD's protosw. */
export interface ProtoRow {
  /** Type of its sockets, a `Sock` constant; 0 if it has none. */
  readonly type: number;
  /** Protocol number, 1 to 255; packets with it come to `input`. */
  readonly protocol: number;
  /** Kind of service, `Pr` constants. */
  readonly flags: number;
  /** pr_input: packets that have come, after the turn's poll. What is not taken is freed. */
  input?(packets: readonly Packet[]): void;
  /** pr_usrreq. */
  readonly usrreq?: UserRequests;
  /** pr_ctlinput: `command` is a `Prc`. */
  ctlinput?(command: number, quote: ControlQuote | undefined): void;
  /**
   * pr_ctloutput, "get": writes the option into `value` and answers its length. Else ENOPROTOOPT.
   */
  getOption?(so: Sock, level: number, name: number, value: Uint8Array): number;
  /** pr_ctloutput, "set": answers nothing, or refuses. Else ENOPROTOOPT. */
  setOption?(so: Sock, level: number, name: number, value: Uint8Array): number | void;
  /** pr_fasttimo: called every 200 ms. */
  fasttimo?(): void;
  /** pr_slowtimo: called every 500 ms. */
  slowtimo?(): void;
  /** pr_drain: memory is short; free what can be done without. */
  drain?(): void;
}

/** A protocol in TypeScript. */
export interface ProtocolModule {
  /** Name, for messages and lists: 1 to 32 letters, digits, `_`, `-` or `.`. */
  readonly name: string;
  /** The communication domain of its rows; AF_INET unless told. One that is not there is added. */
  readonly domain?: { readonly family: number; readonly name: string };
  /** Its rows of the protocol switch. */
  readonly rows?: readonly ProtoRow[];
  /** pr_init: registers what is not a row. If it fails, nothing is left behind. */
  load?(kernel: Kernel): void | Promise<void>;
  /** Lets go of what `load` took; not called while sockets are open. */
  unload?(): void | Promise<void>;
  /** What it wants to know after a snapshot, as JSON. Without it, no snapshot can be made. */
  snapshot?(): unknown;
  /** Goes on from what `snapshot` answered; its rows and sockets are there again. */
  restore?(kernel: Kernel, state: unknown): void | Promise<void>;
}

/** A protocol that is built as a side module: it shares the memory of the engine. */
export interface SideModule {
  /** Name, for messages and lists. */
  readonly name: string;
  /** The module, its bytes, or where it is. */
  readonly wasm: WebAssembly.Module | BufferSource | URL;
  /** Names of the unsigned 64-bit counters whose address its `counters()` answers. */
  readonly counters?: readonly string[];
  /** Makes the bytes that its `register` gets from what the user gave. */
  encode?(config: unknown): Uint8Array;
}

/** A protocol that is not trusted: WebAssembly with a memory of its own, run in a Worker. */
export interface UntrustedModule {
  /** Name, for messages and lists. */
  readonly name: string;
  /** The module, its bytes, or where it is. It imports nothing. */
  readonly wasm: WebAssembly.Module | BufferSource | URL;
  /** Makes the bytes that it is started with from what the user gave. */
  encode?(config: unknown): Uint8Array;
  /** Takes what it reports. */
  report?(bytes: Uint8Array<ArrayBuffer>): void;
  /** Longest that it may take for a batch of packets, milliseconds; 500 unless told. */
  readonly slice_ms?: number;
  /** Most memory that it may have, bytes; 16 MiB unless told. */
  readonly memory_bytes?: number;
}

/** A protocol of any kind. */
export type AnyModule = ProtocolModule | SideModule | UntrustedModule;

/** What a module may export by default: a protocol, or a function that makes one. */
export type ProtocolSource = AnyModule | ((config: unknown) => AnyModule);

/** What is known of a loaded protocol. */
export interface ProtocolInfo {
  /** Its name. */
  readonly name: string;
  /** `typescript`, `side` (Wasm in the engine's memory) or `untrusted` (Wasm in a Worker). */
  readonly kind: "typescript" | "side" | "untrusted";
  /**
   * `failed`: a hook threw, or an untrusted one overran its time, trapped or did what it may not.
   * It takes part in nothing. An untrusted one is unloaded when its sockets are closed, and only
   * this is left, until `unload` or until one of its name is loaded.
   */
  readonly state: "loaded" | "failed";
  /** Why it failed. */
  readonly error?: string;
  /** Sockets that use it. */
  readonly sockets: number;
  /** Bytes of engine memory that it has, beside mbufs. */
  readonly memory_bytes: number;
  /** Places of the function table that it has. */
  readonly table_entries: number;
  /** What a side module counts, or the stack for an untrusted one, by name. */
  readonly counters?: Readonly<Record<string, number>>;
  /** Packets handed to it (TypeScript and untrusted ones; a side module is called directly). */
  readonly packets: number;
}
