/**
 * A socket of the Linux host that no program of Deno can have by itself, with memory that it shares
 * with the kernel: what the AF_PACKET and the AF_XDP driver are made of.
 *
 * @module
 */

import { SocketError } from "../runtime/errors.ts";
import { Errno } from "../assembly/abi/errno.ts";
import { HostErrno } from "./host_errno.ts";
import { addressOf, hostError, openLibc } from "./libc.ts";

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  bind: { parameters: ["i32", "u64", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "u64", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "u64", "u64"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "u64"], result: "i32" },
  mmap: { parameters: ["u64", "u64", "i32", "i32", "i32", "u64"], result: "u64" },
  munmap: { parameters: ["u64", "u64"], result: "i32" },
  ppoll: { parameters: ["u64", "u64", "u64", "u64"], result: "i32" },
  sendmmsg: { parameters: ["i32", "u64", "u32", "i32"], result: "i32" },
  sendto: { parameters: ["i32", "u64", "u64", "i32", "u64", "u32"], result: "i32" },
  syscall: { parameters: ["i64", "u64", "u64", "u64"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

type LibraryCalls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Offsets in the scratch memory of the structures that calls take. */
const POLLFD_AT = 0;
const POLLFD_BYTES = 8;
const TIMESPEC_AT = 16;
const LENGTH_AT = 32;
const IFREQ_AT = 64;
const IFREQ_BYTES = 40;
const IFREQ_NAME_BYTES = 16;
const VALUE_AT = 256;
const SCRATCH_BYTES = 4096;

const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_SNDBUF = 7;
const SO_SNDBUFFORCE = 32;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_ANONYMOUS = 0x20;
const MAP_FAILED = 0xffffffffffffffffn;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
const POLL_FAILED = 0x38; // POLLERR, POLLHUP, POLLNVAL
const SIOCGIFNAME = 0x8910;
const SIOCGIFMTU = 0x8921;
const SIOCGIFHWADDR = 0x8927;
const SIOCGIFINDEX = 0x8933;
const ARPHRD_ETHER = 1;
const SYS_BPF: Readonly<Record<string, bigint>> = { x86_64: 321n, aarch64: 280n };

/** One wait never lasts longer, whatever is asked for. */
const POLL_US_MAX = 1_000_000;

/** What `HostSocket.poll` found. */
export type Readiness = "readable" | "nothing" | "failed";

/** Memory that the kernel sees too. */
export interface Mapping {
  /** Address of its first byte. */
  readonly base: bigint;
  /** The memory; not to be touched once the socket is closed. */
  readonly buffer: ArrayBuffer;
}

/** An Ethernet interface of the host. */
export interface HostInterface {
  /** Its index. */
  readonly index: number;
  /** Largest IP packet, in bytes. */
  readonly mtu: number;
  /** Its hardware address, 6 bytes. */
  readonly hwaddr: Uint8Array<ArrayBuffer>;
}

/** A raw socket. Calls answer -1 or undefined for failure; `errno` then says why. */
export class HostSocket {
  /** The descriptor. */
  readonly fd: number;
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #calls: LibraryCalls;
  readonly #errno: Deno.UnsafePointerView;
  /** In a buffer of its own: a small typed array may be moved by the garbage collector. */
  readonly #scratch = new DataView(new ArrayBuffer(SCRATCH_BYTES));
  readonly #scratchBase: bigint;
  readonly #mappings: { base: bigint; bytes: number }[] = [];
  readonly #more: number[] = [];

  private constructor(library: Deno.DynamicLibrary<typeof SYMBOLS>, family: number) {
    this.#library = library;
    this.#calls = library.symbols;
    const errno = this.#calls.__errno_location();
    if (errno === null) throw new SocketError(Errno.EIO, "dlopen", "the C library has no errno");
    this.#errno = new Deno.UnsafePointerView(errno);
    this.#scratchBase = addressOf(new Uint8Array(this.#scratch.buffer));
    this.fd = this.#calls.socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  }

  /**
   * Makes a raw socket of a family.
   *
   * @param what what it is for, for messages: `AF_PACKET`
   * @throws SocketError EPERM without the privilege; see also `openLibc`
   */
  static open(family: number, what: string): HostSocket {
    const library = openLibc(SYMBOLS, `an ${what} socket`);
    const socket = new HostSocket(library, family);
    if (socket.fd >= 0) return socket;
    const { errno } = socket;
    library.close();
    if (errno === HostErrno.EPERM || errno === HostErrno.EACCES) {
      const why = `not permitted to make an ${what} socket: run as root, or with CAP_NET_RAW, as ` +
        "by: sudo setcap cap_net_raw=ep $(which deno)";
      throw hostError(errno, "socket", why);
    }
    throw hostError(errno, "socket", `this kernel gives no ${what} socket`);
  }

  /** Error number of the host for the last call that failed. */
  get errno(): number {
    return this.#errno.getInt32();
  }

  /** Takes the error off that waits on the socket; 0 if there is none. */
  takeError(): number {
    return this.option(SOL_SOCKET, SO_ERROR, 4)?.getInt32(0, true) ?? this.errno;
  }

  /**
   * Looks an interface up.
   *
   * @throws SocketError ENODEV (ENXIO here) if there is none of the name, EOPNOTSUPP if it is not
   * an Ethernet
   */
  lookUp(name: string): HostInterface {
    const index = this.#ifreq(SIOCGIFINDEX, name)?.getInt32(IFREQ_NAME_BYTES, true);
    if (index === undefined) {
      throw hostError(this.errno, "ioctl", `there is no interface ${name}: ip link shows them`);
    }
    const mtu = this.#ifreq(SIOCGIFMTU, name)?.getInt32(IFREQ_NAME_BYTES, true);
    const address = this.#ifreq(SIOCGIFHWADDR, name);
    if (mtu === undefined || address === undefined) {
      throw hostError(this.errno, "ioctl", `the interface ${name} went away`);
    }
    if (address.getUint16(IFREQ_NAME_BYTES, true) !== ARPHRD_ETHER) {
      const why = `${name} is not an Ethernet interface; this driver can use no other`;
      throw new SocketError(Errno.EOPNOTSUPP, "ioctl", why);
    }
    const from = IFREQ_AT + IFREQ_NAME_BYTES + 2;
    return { index, mtu, hwaddr: new Uint8Array(this.#scratch.buffer.slice(from, from + 6)) };
  }

  /** False if the interface of an index is gone. */
  exists(index: number): boolean {
    return this.#ifreq(SIOCGIFNAME, "", index) !== undefined;
  }

  /** Sets an option to 32-bit words; false if it failed. */
  setOption(level: number, option: number, ...words: number[]): boolean {
    words.forEach((word, i) => this.#scratch.setInt32(VALUE_AT + 4 * i, word | 0, true));
    const at = this.#scratchBase + BigInt(VALUE_AT);
    return this.#calls.setsockopt(this.fd, level, option, at, 4 * words.length) >= 0;
  }

  /** Reads an option of `bytes` bytes; valid until the next call. */
  option(level: number, option: number, bytes: number): DataView | undefined {
    this.#scratch.setUint32(LENGTH_AT, bytes, true);
    const at = this.#scratchBase + BigInt(VALUE_AT);
    const lengthAt = this.#scratchBase + BigInt(LENGTH_AT);
    if (this.#calls.getsockopt(this.fd, level, option, at, lengthAt) < 0) return undefined;
    return new DataView(this.#scratch.buffer, VALUE_AT, bytes);
  }

  /** Lets so many bytes wait to be sent, more than the host's limit if we may. */
  setSendBuffer(bytes: number): void {
    if (!this.setOption(SOL_SOCKET, SO_SNDBUFFORCE, bytes)) {
      this.setOption(SOL_SOCKET, SO_SNDBUF, bytes);
    }
  }

  /** Binds to an address as the kernel has it; false if it failed. */
  bind(address: Uint8Array): boolean {
    new Uint8Array(this.#scratch.buffer, VALUE_AT).set(address);
    const at = this.#scratchBase + BigInt(VALUE_AT);
    return this.#calls.bind(this.fd, at, address.length) >= 0;
  }

  /** Maps memory of the socket; undefined if it failed. */
  map(bytes: number, offset: number): Mapping | undefined {
    return this.#map(bytes, MAP_SHARED, this.fd, BigInt(offset));
  }

  /** Maps memory of its own. */
  mapAnonymous(bytes: number): Mapping | undefined {
    return this.#map(bytes, MAP_SHARED | MAP_ANONYMOUS, -1, 0n);
  }

  /** Sends messages described at an address; how many, or -1. Never waits. */
  sendMany(messages: bigint, count: number): number {
    return this.#calls.sendmmsg(this.fd, messages, count, MSG_DONTWAIT);
  }

  /** Tells the kernel to look at what is to be sent; 0, or -1. */
  kick(): number {
    return this.#calls.sendto(this.fd, 0n, 0n, MSG_DONTWAIT, 0n, 0);
  }

  /** Calls bpf(2) with attributes; its result, or -1. Descriptors are closed with the socket. */
  bpf(command: number, attributes: Uint8Array<ArrayBuffer>, makesDescriptor: boolean): number {
    new Uint8Array(this.#scratch.buffer, VALUE_AT).set(attributes);
    const at = this.#scratchBase + BigInt(VALUE_AT);
    const number = SYS_BPF[Deno.build.arch];
    const got = this.#calls.syscall(number, BigInt(command), at, BigInt(attributes.length));
    if (makesDescriptor && got >= 0) this.#more.push(got);
    return got;
  }

  /**
   * Waits on this thread, at most a second, until there is something to read on this socket or on
   * another; `failed` if there is an error on this one and nothing to read.
   */
  poll(timeout_us: number, other?: HostSocket): Readiness {
    const s = this.#scratch;
    const bounded_us = timeout_us > 0 ? Math.min(timeout_us, POLL_US_MAX) : 0;
    this.#pollfd(POLLFD_AT, this.fd);
    if (other) this.#pollfd(POLLFD_AT + POLLFD_BYTES, other.fd);
    const seconds = Math.floor(bounded_us / 1e6);
    s.setBigInt64(TIMESPEC_AT, BigInt(seconds), true);
    s.setBigInt64(TIMESPEC_AT + 8, BigInt(Math.floor((bounded_us - seconds * 1e6) * 1000)), true);
    const base = this.#scratchBase;
    const ready = this.#calls.ppoll(
      base + BigInt(POLLFD_AT),
      other ? 2n : 1n,
      base + BigInt(TIMESPEC_AT),
      0n,
    );
    if (ready <= 0) return "nothing";
    const events = s.getInt16(POLLFD_AT + 6, true);
    const others = other ? s.getInt16(POLLFD_AT + POLLFD_BYTES + 6, true) : 0;
    if (((events | others) & POLLIN) !== 0) return "readable";
    return (events & POLL_FAILED) !== 0 ? "failed" : "nothing";
  }

  /** Unmaps everything and closes the socket. */
  close(): void {
    for (const { base, bytes } of this.#mappings) this.#calls.munmap(base, BigInt(bytes));
    for (const fd of this.#more.toReversed()) this.#calls.close(fd);
    this.#calls.close(this.fd);
    this.#library.close();
  }

  #pollfd(at: number, fd: number): void {
    this.#scratch.setInt32(at, fd, true);
    this.#scratch.setInt16(at + 4, POLLIN, true);
    this.#scratch.setInt16(at + 6, 0, true);
  }

  #map(bytes: number, flags: number, fd: number, offset: bigint): Mapping | undefined {
    const base = this.#calls.mmap(0n, BigInt(bytes), PROT_READ_WRITE, flags, fd, offset);
    const pointer = base === MAP_FAILED ? null : Deno.UnsafePointer.create(base);
    if (pointer === null) return undefined;
    this.#mappings.push({ base, bytes });
    return { base, buffer: Deno.UnsafePointerView.getArrayBuffer(pointer, bytes) };
  }

  /** An ioctl with a `struct ifreq`, which it answers, valid until the next call. */
  #ifreq(request: number, name: string, value = 0): DataView | undefined {
    const bytes = new Uint8Array(this.#scratch.buffer, IFREQ_AT, IFREQ_BYTES);
    bytes.fill(0);
    bytes.set(new TextEncoder().encode(name));
    this.#scratch.setInt32(IFREQ_AT + IFREQ_NAME_BYTES, value, true);
    const at = this.#scratchBase + BigInt(IFREQ_AT);
    if (this.#calls.ioctl(this.fd, BigInt(request), at) < 0) return undefined;
    return new DataView(this.#scratch.buffer, IFREQ_AT, IFREQ_BYTES);
  }
}
