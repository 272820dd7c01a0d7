/**
 * Opens TAP and TUN devices with what was asked for, and says what to run if that fails.
 *
 * @module
 */

import type { SocketError } from "../runtime/errors.ts";
import { HostErrno } from "./host_errno.ts";
import { hostError } from "./libc.ts";
import type { TapOptions } from "./tap.ts";
import type { Libc } from "./tap_ffi.ts";

/** Queues that a device may have (MAX_TAP_QUEUES). */
export const QUEUES_MAX = 256;
/** Bytes of a struct virtio_net_hdr. */
const VNET_HEADER_BYTES = 10;
/** Longest frame of a device with offloads: the header, Ethernet with a tag, an IP packet. */
export const SUPER_FRAME_BYTES_MAX = VNET_HEADER_BYTES + 18 + 65_535;

const DEVICE_FILE = "/dev/net/tun";
const NAME_BYTES_MAX = 15;
const O_RDWR = 0o2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const TUNSETVNETHDRSZ = 0x400454d8;
const IFF_TUN = 1;
const IFF_TAP = 2;
const IFF_MULTI_QUEUE = 0x100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const TUN_F_CSUM = 1;
const TUN_F_TSO4 = 2;
const TUN_F_TSO_ECN = 8;
const TUN_F_USO4 = 0x20;
const TUN_F_USO6 = 0x40;
/** What is asked of the kernel, from the most. USO came with 6.2, for both families at once. */
const OFFLOADS = [
  TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN | TUN_F_USO4 | TUN_F_USO6,
  TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN,
  TUN_F_CSUM | TUN_F_TSO4,
  TUN_F_CSUM,
];
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCGIFMTU = 0x8921;
const IFF_UP = 1;
const AF_INET = 2;
const SOCK_DGRAM = 2;

/** A device that was opened. */
export interface OpenedTap {
  /** A descriptor for each queue. */
  readonly fds: readonly number[];
  /** The name that the kernel gave it. */
  readonly device: string;
  /** Its MTU, if the kernel told. */
  readonly mtu: number | undefined;
}

/** Refuses, with a `RangeError`, a name that no device can have. */
export function checkDeviceName(name: string): void {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length === 0 || bytes.length > NAME_BYTES_MAX || /[\s/\0:]/.test(name)) {
    throw new RangeError(
      `a device name has 1 to ${NAME_BYTES_MAX} bytes without space, colon or slash, ` +
        `unlike ${JSON.stringify(name)}`,
    );
  }
}

/** Opens all queues of a device, and sets its link up if it is down and that is permitted. */
export function openTap(libc: Libc, options: TapOptions): OpenedTap {
  const fds: number[] = [];
  let device = options.name;
  try {
    for (let i = 0; i < (options.queues ?? 1); i++) {
      const fd = libc.openFile(DEVICE_FILE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
      if (fd < 0) throw openError(libc.errno);
      fds.push(fd);
      const set = libc.ioctlIfreq(fd, TUNSETIFF, device, flagsOf(options), 16);
      if (!set) throw setError(libc.errno, options);
      device = set.name;
      if (options.offload) setOffload(libc, fd);
    }
    return { fds, device, mtu: configure(libc, device) };
  } catch (error) {
    for (const fd of fds) libc.closeFile(fd);
    throw error;
  }
}

function flagsOf({ tun, offload, queues }: TapOptions): number {
  return (tun ? IFF_TUN : IFF_TAP) | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0) |
    (queues === undefined ? 0 : IFF_MULTI_QUEUE);
}

/** Frames begin with a header of 10 bytes, and may leave to us what the kernel offers to. */
function setOffload(libc: Libc, fd: number): void {
  if (!libc.ioctlInt(fd, TUNSETVNETHDRSZ, VNET_HEADER_BYTES)) {
    throw hostError(libc.errno, "ioctl", "the kernel refuses a virtio_net_hdr of 10 bytes");
  }
  for (const offload of OFFLOADS) if (libc.ioctlValue(fd, TUNSETOFFLOAD, offload)) return;
}

/** Answers the MTU, and sets the link up if we may. */
function configure(libc: Libc, device: string): number | undefined {
  const socket = libc.socket(AF_INET, SOCK_DGRAM);
  if (socket < 0) return undefined;
  const mtu = libc.ioctlIfreq(socket, SIOCGIFMTU, device, 0, 32);
  const flags = libc.ioctlIfreq(socket, SIOCGIFFLAGS, device, 0, 16);
  if (flags && (flags.value & IFF_UP) === 0) {
    // Without the privilege this fails, and the link stays down until its owner sets it up.
    libc.ioctlIfreq(socket, SIOCSIFFLAGS, device, flags.value | IFF_UP, 16);
  }
  libc.closeFile(socket);
  return mtu && Math.min(65535, Math.max(68, mtu.value));
}

function setError(errno: number, options: TapOptions): SocketError {
  const { name } = options;
  const mode = options.tun ? "tun" : "tap";
  const several = options.queues === undefined ? "" : " multi_queue";
  const setup = `sudo ip tuntap add dev ${name} mode ${mode}${several} user $USER && ` +
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
      why = `${name} exists and is not a ${mode} device for ` +
        `${several ? "several queues" : "one program"}; to make one, run: ` +
        `sudo ip link del ${name} && ${setup}`;
      break;
    default:
      why = `opening ${name} failed`;
  }
  return hostError(errno, "ioctl", why);
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
