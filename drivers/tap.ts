/**
 * TAP and TUN devices of a Linux host: a stack on one of them talks to the kernel, and through it
 * to the machine's own programs and networks. Frames are read and written directly in the engine's
 * memory.
 *
 * ```sh
 * sudo ip tuntap add dev godwit0 mode tap user $USER
 * sudo ip addr add 10.9.0.1/24 dev godwit0
 * sudo ip link set godwit0 up
 * ```
 * ```ts
 * import { TapDriver } from "@godwit/godwit/drivers/tap";
 * const tap = new TapDriver({ name: "godwit0" });
 * ```
 *
 * Needs `--allow-ffi`. See the kernel's Documentation/networking/tuntap.rst.
 *
 * @module
 */

import type { DriverCaps, FrameBatch, Ifnet, NetDriver } from "../runtime/device/driver.ts";
import { HostErrno, hostErrnoName } from "./host_errno.ts";
import { addressOf } from "./libc.ts";
import { checkMtu, frameBytesMax, refuseSecondAttach, wholeInRange } from "./options.ts";
import { type DriverStats, newStats } from "./stats.ts";
import { FdWatcher } from "./fd_watcher.ts";
import { Libc } from "./tap_ffi.ts";
import { checkDeviceName, openTap, QUEUES_MAX, SUPER_FRAME_BYTES_MAX } from "./tap_setup.ts";

export type { DriverStats } from "./stats.ts";

export { TapDriver as default };

/** Which device. */
export interface TapOptions {
  /**
   * Name of the device, up to 15 bytes. One that does not exist is made, which needs CAP_NET_ADMIN,
   * and goes away with the driver; `%d` in it lets the kernel choose a number.
   */
  readonly name: string;
  /** Open a TUN device, which carries bare IP packets; false unless told. */
  readonly tun?: boolean;
  /** Largest IP packet in bytes; that of the device unless told. */
  readonly mtu?: number;
  /**
   * Leave checksums to the other side, and let one frame stand for many segments, up to 64 KiB, in
   * both directions (IFF_VNET_HDR): bulk transfers are several times as fast. False unless told.
   */
  readonly offload?: boolean;
  /**
   * Queues of a device with several (IFF_MULTI_QUEUE) that this driver opens, 1 to 256. Drivers of
   * several stacks may share one device, with as many queues each as they are told; the kernel
   * keeps each flow on the queue that it was last seen on. Unless told, the device has one.
   */
  readonly queues?: number;
}

const LENGTHS_CACHED = 65_600;
/** One wait never lasts longer, whatever is asked for. */
const POLL_US_MAX = 1_000_000;

/** A TAP (Ethernet) or TUN (IP) device. */
export class TapDriver implements NetDriver {
  /** `tap` or `tun` */
  readonly name: "tap" | "tun";
  /** Frames that the kernel refused, as while the link is down, are in `txDropped`. */
  readonly stats: DriverStats = newStats();
  readonly #options: TapOptions;
  /** BigInts of lengths already used; allocated whole, because a sparse array would be slow. */
  readonly #lengths: (bigint | undefined)[] = new Array(LENGTHS_CACHED);
  #libc: Libc | undefined = undefined;
  #ifp: Ifnet | undefined = undefined;
  #watcher: FdWatcher | undefined = undefined;
  /** The end of a watcher, which the descriptors have to outlive. */
  #unwatched: Promise<void> | undefined = undefined;
  /** Of each queue one; empty while the device is closed. */
  #fds: readonly number[] = [];
  /** Queue that is read first, so that none starves. */
  #first = 0;
  #device: string;
  #mtu: number;
  #longest: number;
  #memory: Uint8Array<ArrayBuffer> | undefined = undefined;
  #base = 0n;

  /** Opens nothing yet; `RangeError` for an MTU or a name that no device can have. */
  constructor(options: TapOptions) {
    this.#options = options;
    this.name = options.tun ? "tun" : "tap";
    this.#mtu = checkMtu(options.mtu ?? 1500);
    this.#longest = this.#longestFrame();
    this.#device = options.name;
    wholeInRange("queues", options.queues ?? 1, 1, QUEUES_MAX);
    checkDeviceName(options.name);
  }

  /** MTU of the device once attached. */
  get caps(): DriverCaps {
    const tun = this.name === "tun";
    return {
      mtu: this.#mtu,
      medium: tun ? "ip" : "ethernet",
      pointToPoint: tun,
      ...(this.#options.offload && { vnetHeader: true }),
    };
  }

  /** Name of the device; once attached, the one that the kernel gave it. */
  get device(): string {
    return this.#device;
  }

  /**
   * Opens the device, and sets its link up if it is down and that is permitted.
   *
   * @throws SocketError whose message says what to run: EACCES or EPERM without the privilege,
   * ENOENT without the kernel module, EBUSY if another program has the device, EOPNOTSUPP off
   * Linux.
   */
  attach(ifp: Ifnet): void {
    refuseSecondAttach(this.name, this.#ifp);
    const libc = Libc.open();
    try {
      const { fds, device, mtu } = openTap(libc, this.#options);
      this.#fds = fds;
      this.#device = device;
      if (this.#options.mtu === undefined && mtu !== undefined) this.#mtu = mtu;
    } catch (error) {
      libc.close();
      throw error;
    }
    this.#longest = this.#longestFrame();
    this.#libc = libc;
    this.#ifp = ifp;
    this.#rebase(ifp.memory);
  }

  /** Writes frames to the device, each in one system call. */
  start(tx: FrameBatch): number {
    const libc = this.#libc;
    const fd = this.#fds[0];
    if (!libc || fd === undefined) return this.#refuse(tx.count);
    if (tx.memory !== this.#memory) this.#rebase(tx.memory);
    const stats = this.stats;
    for (let i = 0; i < tx.count; i++) {
      const length = tx.length(i);
      if (length < 1 || length > this.#longest) {
        stats.txDropped++;
        continue;
      }
      const base = this.#base + BigInt(tx.address(i));
      const written = libc.write(fd, base, this.#bigLength(length));
      if (written === length) {
        stats.txFrames++;
        stats.txBytes += length;
        continue;
      }
      const errno = written < 0 ? libc.errno : HostErrno.EAGAIN;
      if (isBusy(errno)) {
        stats.txBusy++;
        return i;
      }
      if (isGone(errno)) {
        this.#lost(errno);
        return i + this.#refuse(tx.count - i);
      }
      // EIO while the link is down, EINVAL for a frame that the kernel does not like.
      stats.txDropped++;
    }
    return tx.count;
  }

  /** Reads frames from the queues until they have no more, each in one system call. */
  rx(free: FrameBatch): number {
    if (!this.#libc) return 0;
    if (free.memory !== this.#memory) this.#rebase(free.memory);
    const queues = this.#fds.length;
    let filled = 0;
    for (let i = 0; i < queues && filled < free.count; i++) {
      filled = this.#readQueue(this.#fds[(this.#first + i) % queues], free, filled);
    }
    if (queues > 1) this.#first = (this.#first + 1) % queues;
    this.stats.rxFrames += filled;
    return filled;
  }

  /** Reads one queue; answers how many frames of the batch are filled then. */
  #readQueue(fd: number | undefined, free: FrameBatch, from: number): number {
    const libc = this.#libc;
    if (!libc || fd === undefined) return from;
    const stats = this.stats;
    let filled = from;
    while (filled < free.count) {
      const room = free.length(filled);
      const base = this.#base + BigInt(free.address(filled));
      const got = libc.read(fd, base, this.#bigLength(room));
      if (got <= 0) {
        const errno = got < 0 ? libc.errno : HostErrno.EAGAIN;
        if (isGone(errno)) this.#lost(errno);
        break;
      }
      // The kernel cuts a frame to the room without a word, so a full room means a cut frame,
      // unless the longest frame that there can be fits exactly.
      if (got === room && room !== this.#longest) {
        stats.rxDropped++;
        continue;
      }
      free.setLength(filled, got);
      stats.rxBytes += got;
      filled++;
    }
    return filled;
  }

  /** Waits on this thread until a frame can be read, at most one second. */
  poll(timeout_us: number): boolean {
    if (!this.#libc || this.#fds.length === 0) return false;
    const bounded_us = timeout_us > 0 ? Math.min(timeout_us, POLL_US_MAX) : 0;
    const readiness = this.#libc.poll(this.#fds, bounded_us);
    if (readiness === "failed") this.#lost(HostErrno.EBADFD);
    return readiness === "readable";
  }

  /** Has the stack woken when a frame can be read, by a Worker that waits for it. */
  watch(): boolean {
    if (this.#fds.length === 0) return false;
    this.#watcher ??= new FdWatcher(this.#fds, () => {
      // A device that is gone counts as readable for ever.
      this.poll(0);
      this.#ifp?.wake();
    });
    return this.#watcher.arm();
  }

  /** Closes the device; one that the driver made goes away. */
  async detach(): Promise<void> {
    this.#ifp = undefined;
    this.#closeDevice();
    await this.#unwatched;
    this.#libc?.close();
    this.#libc = undefined;
    this.#memory = undefined;
  }

  #lost(errno: number): void {
    this.#closeDevice();
    this.#ifp?.down(`the device ${this.#device} was removed (${hostErrnoName(errno)})`);
  }

  #closeDevice(): void {
    const fds = this.#fds;
    const libc = this.#libc;
    this.#fds = [];
    if (fds.length === 0 || !libc) return;
    const close = () => fds.forEach((fd) => libc.closeFile(fd));
    this.#unwatched = this.#watcher?.close().then(close);
    this.#watcher = undefined;
    if (!this.#unwatched) close();
  }

  #longestFrame(): number {
    return this.#options.offload
      ? SUPER_FRAME_BYTES_MAX
      : frameBytesMax(this.caps.medium, this.#mtu);
  }

  #refuse(count: number): number {
    this.stats.txDropped += count;
    return count;
  }

  #rebase(memory: Uint8Array<ArrayBuffer>): void {
    this.#memory = memory;
    this.#base = addressOf(memory);
  }

  /** Lengths come from a small set, and a BigInt costs an allocation. */
  #bigLength(length: number): bigint {
    return this.#lengths[length] ??= BigInt(length);
  }
}

function isBusy(errno: number): boolean {
  return errno === HostErrno.EAGAIN || errno === HostErrno.EINTR ||
    errno === HostErrno.ENOBUFS || errno === HostErrno.ENOMEM;
}

function isGone(errno: number): boolean {
  return errno === HostErrno.EBADFD || errno === HostErrno.EBADF || errno === HostErrno.ENODEV ||
    errno === HostErrno.ENXIO;
}
