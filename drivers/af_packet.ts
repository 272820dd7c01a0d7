/**
 * Interfaces of a Linux host through AF_PACKET sockets: a stack sends and receives on a network
 * card, or on one end of a veth pair, beside the kernel. Frames come through a ring that is shared
 * with the kernel and go out in batches, straight from the engine's memory.
 *
 * ```ts
 * import { AfPacketDriver } from "@godwit/godwit/drivers/af_packet";
 * const driver = new AfPacketDriver({ interface: "eth1" });
 * ```
 *
 * Needs `--allow-ffi` and CAP_NET_RAW. The kernel goes on receiving the same frames: give the stack
 * an address that the host does not have. What the host itself sends on the interface does not come
 * in here, so the two cannot talk to each other through it; a TAP device is for that.
 *
 * Frames are copied once between the ring and the engine's memory. To map the ring into that memory
 * would spare the copy, but the interface to drivers has the stack lend frames to fill at addresses
 * of its own choice, which then pass up to the sockets and live as long as the data is unread: the
 * kernel would need its ring back long before. So the ring stays where the kernel maps it.
 *
 * See the kernel's Documentation/networking/packet_mmap.rst.
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../runtime/device/driver.ts";
import { finishChecksum, fullLength, isSuperFrame, takeFrame } from "./af_packet_frames.ts";
import {
  type AfPacketOptions,
  checkAfPacketOptions,
  PacketOption,
  SOL_PACKET,
  SUPER_FRAME_BYTES_MAX,
} from "./af_packet_options.ts";
import { type ReceiveRing, VNET_HEADER_BYTES } from "./af_packet_ring.ts";
import { type AfPacketSocket, BATCH_MAX, openAfPacket } from "./af_packet_setup.ts";
import { SendVector } from "./af_packet_send.ts";
import { FdWatcher } from "./fd_watcher.ts";
import { HostErrno } from "./host_errno.ts";
import type { HostSocket } from "./host_socket.ts";
import { checkHwaddr, checkMtu, frameBytesMax, refuseSecondAttach } from "./options.ts";
import { type DriverStats, newStats } from "./stats.ts";

export type { AfPacketOptions, Fanout, FanoutMode } from "./af_packet_options.ts";
export type { DriverStats } from "./stats.ts";

export { AfPacketDriver as default };

/** Frames looked at in one call: a flood of those that are dropped must not hold up the rest. */
const SEEN_MAX = 1024;

/** An interface of the host. */
export class AfPacketDriver implements NetDriver {
  /** `af_packet` */
  readonly name = "af_packet";
  readonly #options: AfPacketOptions;
  readonly #stats = newStats();
  readonly #offload: boolean;
  #socket: HostSocket | undefined = undefined;
  #ring: ReceiveRing | undefined = undefined;
  #arp: AfPacketSocket["arp"] = undefined;
  #watcher: FdWatcher | undefined = undefined;
  /** The end of a watcher, which the sockets have to outlive. */
  #unwatched: Promise<void> | undefined = undefined;
  #vector: SendVector | undefined = undefined;
  #ifp: Ifnet | undefined = undefined;
  #ifindex = 0;
  #mtu: number;
  #longest: number;
  #hwaddr: Uint8Array<ArrayBuffer> | undefined = undefined;

  /** Opens nothing yet; `RangeError` for options that nothing can have. */
  constructor(options: AfPacketOptions) {
    checkAfPacketOptions(options);
    this.#options = options;
    this.#offload = options.offload ?? true;
    this.#mtu = checkMtu(options.mtu ?? 1500);
    this.#longest = this.#longestFrame();
    this.#hwaddr = checkHwaddr(options.hwaddr);
  }

  /** MTU and hardware address of the interface once attached. */
  get caps(): DriverCaps {
    const hwaddr = this.#hwaddr;
    return {
      mtu: this.#mtu,
      medium: "ethernet",
      ...(hwaddr && { hwaddr: Uint8Array.from(hwaddr) }),
      ...(this.#offload && { vnetHeader: true }),
    };
  }

  /** Name of the interface. */
  get device(): string {
    return this.#options.interface;
  }

  /**
   * What went through. Frames that the kernel dropped because the ring was full are in `rxDropped`
   * as soon as this is read, as are those too long for an empty frame.
   */
  get stats(): DriverStats {
    this.#countKernelDrops();
    return this.#stats;
  }

  /**
   * Opens the socket, maps its ring and binds it.
   *
   * @throws SocketError whose message says what to do: EPERM without the privilege, ENXIO if there
   * is no such interface, EINVAL for a fan-out group of another kind, EOPNOTSUPP off Linux
   */
  attach(ifp: Ifnet): void {
    refuseSecondAttach(this.name, this.#ifp);
    const opened = openAfPacket(this.#options);
    this.#socket = opened.socket;
    this.#ring = opened.ring;
    this.#arp = opened.arp;
    this.#ifindex = opened.index;
    this.#vector = new SendVector(BATCH_MAX, this.#offload);
    if (this.#options.mtu === undefined) this.#mtu = opened.mtu;
    this.#longest = this.#longestFrame();
    if ((this.#options.hwaddr ?? "interface") === "interface") this.#hwaddr = opened.hwaddr;
    this.#ifp = ifp;
  }

  /** Sends frames, up to 64 in one system call. */
  start(tx: FrameBatch): number {
    const socket = this.#socket;
    const vector = this.#vector;
    if (!socket || !vector) return this.#refuse(tx.count);
    let taken = 0;
    while (taken < tx.count && this.#socket) {
      const end = Math.min(tx.count, taken + BATCH_MAX);
      vector.begin(tx.memory);
      for (let i = taken; i < end; i++) {
        const length = tx.length(i);
        if (length >= 1 && length <= this.#longest) vector.add(i, tx.address(i), length);
      }
      const before = this.#stats.txFrames;
      const done = this.#send(socket, vector);
      const reached = done < vector.count ? vector.origin[done] : end;
      this.#stats.txDropped += reached - taken - (this.#stats.txFrames - before);
      taken = reached;
      if (done < vector.count) {
        this.#stats.txBusy++;
        return taken;
      }
    }
    return taken + this.#refuse(tx.count - taken);
  }

  /** Copies frames out of the ring until it has no more. */
  rx(free: FrameBatch): number {
    let filled = 0;
    if (this.#arp) filled = this.#takeFrom(this.#arp.ring, free, filled);
    if (this.#ring) filled = this.#takeFrom(this.#ring, free, filled);
    this.#stats.rxFrames += filled;
    return filled;
  }

  /** Waits on this thread until a frame can be read, at most one second. */
  poll(timeout_us: number): boolean {
    const socket = this.#socket;
    if (!socket) return false;
    if (this.#ready) return true;
    const readiness = socket.poll(timeout_us, this.#arp?.socket);
    if (readiness === "failed") this.#checkInterface(socket);
    return this.#ready;
  }

  /** Has the stack woken when a frame can be read, by a Worker that waits for it. */
  watch(): boolean {
    const socket = this.#socket;
    if (!socket) return false;
    const fds = this.#arp ? [socket.fd, this.#arp.socket.fd] : [socket.fd];
    this.#watcher ??= new FdWatcher(fds, () => {
      // An interface that is gone, or down, counts as readable until its error is taken.
      this.poll(0);
      this.#ifp?.wake();
    });
    return this.#watcher.arm();
  }

  /** Closes the socket and unmaps its ring. */
  async detach(): Promise<void> {
    this.#ifp = undefined;
    this.#close();
    await this.#unwatched;
  }

  get #ready(): boolean {
    return (this.#ring?.ready || this.#arp?.ring.ready) ?? false;
  }

  /** Fills empty frames from `filled` on; answers how many are filled then. */
  #takeFrom(ring: ReceiveRing, free: FrameBatch, filled: number): number {
    const stats = this.#stats;
    const offload = this.#offload;
    const { memory, count } = free;
    for (let seen = 0; seen < SEEN_MAX && filled < count && ring.next(); seen++) {
      const length = fullLength(ring, offload);
      const whole = ring.length === ring.wireLength && ring.length > 0;
      if (!whole || length > free.length(filled) || (!offload && isSuperFrame(ring))) {
        stats.rxDropped++;
      } else {
        if (!offload) finishChecksum(ring);
        takeFrame(ring, memory, free.address(filled), offload);
        free.setLength(filled, length);
        stats.rxBytes += length;
        filled++;
      }
      ring.release();
    }
    return filled;
  }

  /** Answers how many of the vector's messages are done with: sent, or refused for good. */
  #send(socket: HostSocket, vector: SendVector): number {
    const stats = this.#stats;
    let done = 0;
    while (done < vector.count) {
      const sent = socket.sendMany(vector.address(done), vector.count - done);
      for (let i = 0; i < sent; i++) stats.txBytes += vector.lengths[done + i];
      if (sent > 0) {
        stats.txFrames += sent;
        done += sent;
        continue;
      }
      const { errno } = socket;
      if (isBusy(errno)) return done;
      if (mayBeGone(errno) && !this.#checkInterface(socket)) return vector.count;
      // ENETDOWN while the link is down, EINVAL and EMSGSIZE for a frame that nobody can send.
      done++;
    }
    return done;
  }

  /** Takes our interface down if that of the host is gone; true if it is there. */
  #checkInterface(socket: HostSocket): boolean {
    // A link that went down leaves an error on the socket, and comes back all the same.
    const errno = socket.takeError();
    if (socket.exists(this.#ifindex)) return true;
    this.#close();
    const reason = errno === HostErrno.ENETDOWN || errno === 0 ? "ENODEV" : `error ${errno}`;
    this.#ifp?.down(`the interface ${this.device} was removed (${reason})`);
    return false;
  }

  #close(): void {
    this.#countKernelDrops();
    const sockets = [this.#socket, this.#arp?.socket];
    const close = () => sockets.forEach((socket) => socket?.close());
    this.#socket = undefined;
    this.#arp = undefined;
    this.#ring = undefined;
    this.#vector = undefined;
    if (this.#watcher) this.#unwatched = this.#watcher.close().then(close);
    else close();
    this.#watcher = undefined;
  }

  /** Adds what the kernel has dropped since it was last asked (struct tpacket_stats). */
  #countKernelDrops(): void {
    const statistics = this.#socket?.option(SOL_PACKET, PacketOption.STATISTICS, 12);
    if (statistics) this.#stats.rxDropped += statistics.getUint32(4, true);
  }

  #longestFrame(): number {
    return this.#offload
      ? VNET_HEADER_BYTES + SUPER_FRAME_BYTES_MAX
      : frameBytesMax("ethernet", this.#mtu);
  }

  #refuse(count: number): number {
    this.#stats.txDropped += count;
    return count;
  }
}

function isBusy(errno: number): boolean {
  return errno === HostErrno.EAGAIN || errno === HostErrno.EINTR ||
    errno === HostErrno.ENOBUFS || errno === HostErrno.ENOMEM;
}

function mayBeGone(errno: number): boolean {
  return errno === HostErrno.ENXIO || errno === HostErrno.ENODEV || errno === HostErrno.ENETDOWN;
}
