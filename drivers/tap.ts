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
import { addressOf, hostError } from "./libc.ts";
import { checkMtu, frameBytesMax, refuseSecondAttach } from "./options.ts";
import { type DriverStats, newStats } from "./stats.ts";
import type { SocketError } from "../runtime/errors.ts";
import { FdWatcher } from "./fd_watcher.ts";
import { Libc } from "./tap_ffi.ts";

export type { DriverStats } from "./stats.ts";

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
}

const DEVICE_FILE = "/dev/net/tun";
const NAME_BYTES_MAX = 15;
const O_RDWR = 0o2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const TUNSETIFF = 0x400454ca;
const IFF_TUN = 1;
const IFF_TAP = 2;
const IFF_NO_PI = 0x1000;
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCGIFMTU = 0x8921;
const IFF_UP = 1;
const AF_INET = 2;
const SOCK_DGRAM = 2;
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
  /** The end of a watcher, which the descriptor has to outlive. */
  #unwatched: Promise<void> | undefined = undefined;
  #fd = -1;
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
    this.#longest = frameBytesMax(this.caps.medium, this.#mtu);
    this.#device = options.name;
    const bytes = new TextEncoder().encode(options.name);
    if (bytes.length === 0 || bytes.length > NAME_BYTES_MAX || /[\s/\0:]/.test(options.name)) {
      throw new RangeError(
        `a device name has 1 to ${NAME_BYTES_MAX} bytes without space, colon or slash, ` +
          `unlike ${JSON.stringify(options.name)}`,
      );
    }
  }

  /** MTU of the device once attached. */
  get caps(): DriverCaps {
    const tun = this.name === "tun";
    return { mtu: this.#mtu, medium: tun ? "ip" : "ethernet", pointToPoint: tun };
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
    let fd = -1;
    try {
      fd = libc.openFile(DEVICE_FILE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
      if (fd < 0) throw openError(libc.errno);
      const kind = this.name === "tun" ? IFF_TUN : IFF_TAP;
      const set = libc.ioctlIfreq(fd, TUNSETIFF, this.#options.name, kind | IFF_NO_PI, 16);
      if (!set) throw this.#setError(libc.errno);
      this.#device = set.name;
      this.#configure(libc);
    } catch (error) {
      if (fd >= 0) libc.closeFile(fd);
      libc.close();
      throw error;
    }
    this.#libc = libc;
    this.#fd = fd;
    this.#ifp = ifp;
    this.#rebase(ifp.memory);
  }

  /** Writes frames to the device, each in one system call. */
  start(tx: FrameBatch): number {
    const libc = this.#libc;
    if (!libc || this.#fd < 0) return this.#refuse(tx.count);
    if (tx.memory !== this.#memory) this.#rebase(tx.memory);
    const stats = this.stats;
    for (let i = 0; i < tx.count; i++) {
      const length = tx.length(i);
      if (length < 1 || length > this.#longest) {
        stats.txDropped++;
        continue;
      }
      const base = this.#base + BigInt(tx.address(i));
      const written = libc.write(this.#fd, base, this.#bigLength(length));
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

  /** Reads frames from the device until it has no more, each in one system call. */
  rx(free: FrameBatch): number {
    const libc = this.#libc;
    if (!libc || this.#fd < 0) return 0;
    if (free.memory !== this.#memory) this.#rebase(free.memory);
    const stats = this.stats;
    let filled = 0;
    while (filled < free.count) {
      const room = free.length(filled);
      const base = this.#base + BigInt(free.address(filled));
      const got = libc.read(this.#fd, base, this.#bigLength(room));
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
    stats.rxFrames += filled;
    return filled;
  }

  /** Waits on this thread until a frame can be read, at most one second. */
  poll(timeout_us: number): boolean {
    if (!this.#libc || this.#fd < 0) return false;
    const bounded_us = timeout_us > 0 ? Math.min(timeout_us, POLL_US_MAX) : 0;
    const readiness = this.#libc.poll(this.#fd, bounded_us);
    if (readiness === "failed") this.#lost(HostErrno.EBADFD);
    return readiness === "readable";
  }

  /** Has the stack woken when a frame can be read, by a Worker that waits for it. */
  watch(): boolean {
    if (this.#fd < 0) return false;
    this.#watcher ??= new FdWatcher([this.#fd], () => {
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

  /** Reads the MTU if none was asked for, and sets the link up if we may. */
  #configure(libc: Libc): void {
    const socket = libc.socket(AF_INET, SOCK_DGRAM);
    if (socket < 0) return;
    const mtu = libc.ioctlIfreq(socket, SIOCGIFMTU, this.#device, 0, 32);
    if (mtu && this.#options.mtu === undefined) {
      this.#mtu = Math.min(65535, Math.max(68, mtu.value));
      this.#longest = frameBytesMax(this.caps.medium, this.#mtu);
    }
    const flags = libc.ioctlIfreq(socket, SIOCGIFFLAGS, this.#device, 0, 16);
    if (flags && (flags.value & IFF_UP) === 0) {
      // Without the privilege this fails, and the link stays down until its owner sets it up.
      libc.ioctlIfreq(socket, SIOCSIFFLAGS, this.#device, flags.value | IFF_UP, 16);
    }
    libc.closeFile(socket);
  }

  #lost(errno: number): void {
    this.#closeDevice();
    this.#ifp?.down(`the device ${this.#device} was removed (${hostErrnoName(errno)})`);
  }

  #closeDevice(): void {
    const fd = this.#fd;
    const libc = this.#libc;
    this.#fd = -1;
    if (fd < 0 || !libc) return;
    this.#unwatched = this.#watcher?.close().then(() => libc.closeFile(fd));
    this.#watcher = undefined;
    if (!this.#unwatched) libc.closeFile(fd);
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

  #setError(errno: number): SocketError {
    const name = this.#options.name;
    const mode = this.name;
    const setup = `sudo ip tuntap add dev ${name} mode ${mode} user $USER && ` +
      `sudo ip link set ${name} up`;
    let why: string;
    switch (errno) {
      case HostErrno.EPERM:
        why = `not permitted to open ${name}: run as root, or first run: ${setup}`;
        break;
      case HostErrno.EBUSY:
        why = `${name} is in use by another program, or it is a device of another kind`;
        break;
      case HostErrno.EINVAL:
        why = `${name} exists and is not a ${mode} device for one program; to make one, run: ` +
          `sudo ip link del ${name} && ${setup}`;
        break;
      default:
        why = `opening ${name} failed`;
    }
    return hostError(errno, "ioctl", why);
  }
}

function openError(errno: number): SocketError {
  switch (errno) {
    case HostErrno.ENOENT:
    case HostErrno.ENODEV:
    case HostErrno.ENXIO:
      return hostError(
        errno,
        "open",
        `no ${DEVICE_FILE}: run: sudo modprobe tun (in a container, start it with ` +
          `--device ${DEVICE_FILE} --cap-add NET_ADMIN)`,
      );
    case HostErrno.EACCES:
    case HostErrno.EPERM:
      return hostError(
        errno,
        "open",
        `not permitted to open ${DEVICE_FILE}: run as root, or first run: ` +
          `sudo chmod 0666 ${DEVICE_FILE}`,
      );
  }
  return hostError(errno, "open", `opening ${DEVICE_FILE} failed`);
}

function isBusy(errno: number): boolean {
  return errno === HostErrno.EAGAIN || errno === HostErrno.EINTR ||
    errno === HostErrno.ENOBUFS || errno === HostErrno.ENOMEM;
}

function isGone(errno: number): boolean {
  return errno === HostErrno.EBADFD || errno === HostErrno.EBADF || errno === HostErrno.ENODEV ||
    errno === HostErrno.ENXIO;
}
