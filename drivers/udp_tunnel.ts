/**
 * A tunnel of UDP datagrams, one frame each, through the host's own network: for hosts without
 * foreign functions, and for stacks in different processes or on different machines. It is also
 * the format of QEMU's `-netdev dgram`, over UDP or socket files.
 *
 * ```ts
 * import { UdpTunnel } from "@godwit/godwit/drivers/udp_tunnel";
 * const tunnel = new UdpTunnel({
 *   local: { hostname: "127.0.0.1", port: 7001 },
 *   peer: { hostname: "127.0.0.1", port: 7002 },
 * });
 * ```
 *
 * Needs `--allow-net`, and is faster with `--unstable-net`. A datagram proves nothing about who
 * sent it: over a network that others use, put it into a tunnel that does.
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, Medium, NetDriver } from "../runtime/device/driver.ts";
import {
  addressWords,
  type DatagramApi,
  type DatagramSocket,
  openDatagramSocket,
  type TunnelAddress,
} from "./datagram_socket.ts";
import { FrameRing, ViewCache } from "./frame_ring.ts";
import { hostWords } from "./host_error.ts";
import { Inbox, receiveBytesMax } from "./inbox.ts";
import {
  checkMtu,
  ETHERNET_HEADER_BYTES,
  frameBytesMax,
  queueFrames,
  refuseSecondAttach,
  wholeInRange,
} from "./options.ts";
import { countNoPeer, newTunnelStats, type TunnelStats } from "./tunnel_stats.ts";
import { Waker } from "./waker.ts";

export type { DatagramApi, TunnelAddress } from "./datagram_socket.ts";
export type { DriverStats } from "./stats.ts";
export type { TunnelStats } from "./tunnel_stats.ts";

export { UdpTunnel as default };

/** How the tunnel is made. */
export interface UdpTunnelOptions {
  /**
   * Where datagrams are received; any address and a free port unless told. Beside a socket file
   * lies another with `.tx` behind its name: Deno cannot send while it receives on the same.
   */
  readonly local?: TunnelAddress;
  /** The other end: an IP address, not a name. Datagrams from elsewhere are dropped. */
  readonly peer?: TunnelAddress;
  /** Without a peer: take the first sender for it. False unless told. */
  readonly learnPeer?: boolean;
  /** What the datagrams carry; `ethernet` unless told. */
  readonly medium?: Medium;
  /**
   * Largest IP packet in bytes. Unless told, what fits a datagram that need not be fragmented where
   * 1500 bytes pass: 1458 for Ethernet over IPv4, 1438 over IPv6; 1500 over a socket file.
   */
  readonly mtu?: number;
  /** Frames that may wait in each direction; 1024 unless told, fewer of large ones. */
  readonly queue?: number;
  /** Interface of the host to use; the fastest it has unless told. */
  readonly api?: DatagramApi;
}

/** What a path without fragments is taken to carry, and the headers around a datagram in it. */
const OUTER_MTU = 1500;
const UDP_HEADER_BYTES = 8;
const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;

/** One end of a tunnel. A full queue towards the host makes the stack wait, and loses nothing. */
export class UdpTunnel implements NetDriver {
  /** `udp` */
  readonly name = "udp";
  /** MTU and medium of the tunnel. */
  readonly caps: DriverCaps;
  /** What went through, and what did not and why. */
  readonly stats: TunnelStats = newTunnelStats();
  readonly #options: UdpTunnelOptions;
  readonly #local: TunnelAddress;
  readonly #queue: number;
  readonly #bytesMax: number;
  readonly #views = new ViewCache();
  readonly #inbox: Inbox;
  readonly #waker: Waker = new Waker(() => this.#ifp?.wake());
  #outbox: FrameRing | undefined = undefined;
  #ifp: Ifnet | undefined = undefined;
  #socket: DatagramSocket | undefined = undefined;
  #peer: TunnelAddress | undefined;
  /** The peer's address as the host last wrote it. */
  #host = "";
  #port = 0;
  #blocked = false;
  #sending = false;

  /** Opens nothing yet; `RangeError` for options that cannot be. */
  constructor(options: UdpTunnelOptions) {
    this.#options = options;
    const { peer, learnPeer = false, medium = "ethernet" } = options;
    if ((peer === undefined) !== learnPeer) {
      throw new RangeError("a tunnel needs either a peer or learnPeer: true");
    }
    if (options.local) checkAddress(options.local, 0);
    if (peer) checkAddress(peer, 1);
    this.#local = options.local ?? anyLocal(peer);
    if (peer && "path" in peer !== "path" in this.#local) {
      throw new RangeError("a tunnel over a socket file has one at both ends");
    }
    const mtu = checkMtu(options.mtu ?? mtuFor(medium, peer ?? this.#local));
    this.caps = { mtu, medium, pointToPoint: medium === "ip" };
    this.#bytesMax = frameBytesMax(medium, mtu);
    this.#queue = wholeInRange("queue", options.queue ?? queueFrames(this.#bytesMax), 1, 65536);
    this.#inbox = new Inbox(this.#queue, receiveBytesMax(medium, mtu), this.stats);
    this.#peer = peer;
  }

  /** Where datagrams are received; undefined until attached. */
  get address(): TunnelAddress | undefined {
    return this.#socket?.address;
  }

  /** The other end; undefined until it is learnt. */
  get peer(): TunnelAddress | undefined {
    return this.#peer;
  }

  /** Forgets a learnt peer: the next sender takes its place. Does nothing to a peer that is set. */
  forgetPeer(): void {
    if (this.#options.peer !== undefined) return;
    this.#peer = undefined;
    this.#host = "";
  }

  /** Binds the socket. `SocketError` EADDRINUSE, EADDRNOTAVAIL, EACCES, EOPNOTSUPP. */
  async attach(ifp: Ifnet): Promise<void> {
    refuseSecondAttach(this.name, this.#ifp);
    this.#ifp = ifp;
    const bytesMax = receiveBytesMax(this.caps.medium, this.caps.mtu);
    try {
      this.#socket = await openDatagramSocket(this.#local, bytesMax, {
        received: (bytes, host, port) => this.#received(bytes, host, port),
        failed: (error) => this.#failed(error),
      }, this.#options.api);
    } catch (error) {
      this.#ifp = undefined;
      throw error;
    }
    this.#outbox = new FrameRing(this.#queue, this.#bytesMax);
    if (this.#peer) this.#aim(this.#peer);
  }

  /** Queues frames for the socket. */
  start(tx: FrameBatch): number {
    const outbox = this.#outbox;
    if (!outbox || !this.#peer) return countNoPeer(this.stats, tx.count);
    let taken = 0;
    for (; taken < tx.count; taken++) {
      const length = tx.length(taken);
      if (length < 1 || length > this.#bytesMax) {
        this.stats.txDropped++;
        continue;
      }
      if (!outbox.push(this.#views.get(tx.memory, tx.address(taken), length))) {
        this.#blocked = true;
        this.stats.txBusy++;
        break;
      }
    }
    if (!this.#sending && outbox.count > 0) this.#send(outbox, this.#socket!);
    return taken;
  }

  /** Copies what has arrived into the empty frames. */
  rx(free: FrameBatch): number {
    return this.#inbox.fill(free);
  }

  /** Closes the socket; frames on their way count as dropped. */
  async detach(): Promise<void> {
    this.#ifp = undefined;
    await this.#close();
    this.forgetPeer();
  }

  async #close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    this.stats.txDropped += this.#outbox?.count ?? 0;
    this.#outbox = undefined;
    this.#sending = false;
    this.#blocked = false;
    this.#inbox.clear();
    this.#waker.stop();
    this.#views.clear();
    await socket?.close();
  }

  /**
   * Sends what is queued, one datagram after the other: only so can no more than one hang in a
   * socket file whose reader sleeps. The host mostly takes a datagram at once.
   */
  async #send(outbox: FrameRing, socket: DatagramSocket): Promise<void> {
    this.#sending = true;
    while (outbox === this.#outbox && outbox.count > 0) {
      const length = outbox.headLength;
      let sent = true;
      try {
        await socket.send(outbox.head);
      } catch {
        sent = false;
      }
      // Whoever has closed the tunnel meanwhile has counted the rest of the queue.
      if (outbox !== this.#outbox) return;
      outbox.drop();
      if (sent) {
        this.stats.txFrames++;
        this.stats.txBytes += length;
      } else {
        this.stats.txRefused++;
        this.stats.txDropped++;
      }
      if (this.#blocked && outbox.count <= this.#queue >> 1) {
        this.#blocked = false;
        this.#ifp?.wake();
      }
    }
    if (outbox === this.#outbox) this.#sending = false;
  }

  #received(bytes: Uint8Array<ArrayBuffer>, host: string, port: number): void {
    if (host !== this.#host || port !== this.#port) {
      if (!this.#known(host, port)) {
        this.stats.rxStrangers++;
        this.stats.rxDropped++;
        return;
      }
    }
    if (this.#inbox.put(bytes)) this.#waker.arrived(this.#inbox.filling);
  }

  /** True if this is the peer, however the host writes it, or becomes it. */
  #known(host: string, port: number): boolean {
    const peer = this.#peer;
    if (!peer) {
      if (host === "") return false;
      this.#aim("path" in this.#local ? { path: host } : { hostname: host, port });
    } else {
      const same = "path" in peer
        ? peer.path === host
        : peer.port === port && canonical(peer.hostname) === canonical(host);
      if (!same) return false;
    }
    this.#host = host;
    this.#port = port;
    return true;
  }

  #aim(peer: TunnelAddress): void {
    this.#peer = peer;
    this.#socket?.aim(peer);
  }

  #failed(error: unknown): void {
    const address = addressWords(this.#local);
    this.#close().catch(() => {});
    this.#ifp?.down(`the socket at ${address} was lost: ${hostWords(error)}`);
  }
}

function anyLocal(peer: TunnelAddress | undefined): TunnelAddress {
  if (peer && "path" in peer) throw new RangeError("a tunnel over a socket file has one itself");
  return { hostname: peer?.hostname.includes(":") ? "::" : "0.0.0.0", port: 0 };
}

function mtuFor(medium: Medium, address: TunnelAddress): number {
  if ("path" in address) return OUTER_MTU;
  const ip = address.hostname.includes(":") ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES;
  const link = medium === "ethernet" ? ETHERNET_HEADER_BYTES : 0;
  return OUTER_MTU - ip - UDP_HEADER_BYTES - link;
}

/** Datagrams tell the sender's number, not a name: only numbers can be compared. */
function checkAddress(address: TunnelAddress, portMin: number): void {
  if ("path" in address) {
    if (address.path === "") throw new RangeError("the path of a socket file is empty");
    return;
  }
  wholeInRange("port", address.port, portMin, 65535);
  if (canonical(address.hostname) === undefined) {
    throw new RangeError(`${JSON.stringify(address.hostname)} is a name, not an IP address`);
  }
}

/** One way to write an IP address; undefined for what is none. */
function canonical(hostname: string): string | undefined {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(hostname)) {
    return hostname.split(".").every((part) => Number(part) <= 255) ? hostname : undefined;
  }
  // A zone (RFC 4007 section 11) is no part of the address as URL has it.
  const [address] = hostname.split("%");
  if (!address.includes(":")) return undefined;
  const url = URL.parse(`http://[${address}]/`);
  return url?.hostname;
}
