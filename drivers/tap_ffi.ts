/**
 * The few calls to the C library that the TAP driver makes.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { SocketError } from "../runtime/errors.ts";
import { addressOf, openLibc } from "./libc.ts";

const SYMBOLS = {
  open: { parameters: ["u64", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "u64"], result: "i32" },
  read: { parameters: ["i32", "u64", "u64"], result: "i32" },
  write: { parameters: ["i32", "u64", "u64"], result: "i32" },
  ppoll: { parameters: ["u64", "u64", "u64", "u64"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

type LibraryCalls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** Offsets in the scratch memory of the structures that calls take. */
const TIMESPEC_AT = 0;
const INT_AT = 16;
const IFREQ_AT = 64;
const IFREQ_BYTES = 40;
const PATH_AT = 256;
const POLLFDS_AT = 1024;
const POLLFD_BYTES = 8;
const SCRATCH_BYTES = 4096;

const POLLIN = 1;
const POLL_FAILED = 0x38; // POLLERR, POLLHUP, POLLNVAL

/** What `Libc.poll` found. */
export type Readiness = "readable" | "nothing" | "failed";

/** The C library of a Linux host, opened. Calls answer -1 for failure; `errno` then says why. */
export class Libc {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS>;
  readonly #calls: LibraryCalls;
  readonly #errno: Deno.UnsafePointerView;
  /** In a buffer of its own: a small typed array may be moved by the garbage collector. */
  readonly #scratch = new DataView(new ArrayBuffer(SCRATCH_BYTES));
  readonly #scratchBase: bigint;

  private constructor(library: Deno.DynamicLibrary<typeof SYMBOLS>) {
    this.#library = library;
    this.#calls = library.symbols;
    const errno = this.#calls.__errno_location();
    if (errno === null) throw new SocketError(Errno.EIO, "dlopen", "the C library has no errno");
    this.#errno = new Deno.UnsafePointerView(errno);
    this.#scratchBase = addressOf(new Uint8Array(this.#scratch.buffer));
  }

  /** Opens the library; `SocketError` EOPNOTSUPP off Linux, EACCES without the permission. */
  static open(): Libc {
    return new Libc(openLibc(SYMBOLS, "a TAP device"));
  }

  /** Error number of the host for the last call that failed. */
  get errno(): number {
    return this.#errno.getInt32();
  }

  /** Opens a file; a descriptor, or -1. */
  openFile(path: string, flags: number): number {
    const bytes = new TextEncoder().encode(path);
    new Uint8Array(this.#scratch.buffer, PATH_AT).set([...bytes, 0]);
    return this.#calls.open(this.#scratchBase + BigInt(PATH_AT), flags);
  }

  /** Closes a descriptor. */
  closeFile(fd: number): void {
    this.#calls.close(fd);
  }

  /** Makes a socket; a descriptor, or -1. */
  socket(family: number, type: number): number {
    return this.#calls.socket(family, type, 0);
  }

  /** Reads up to `bytes` bytes to `address`; how many, or -1. */
  read(fd: number, address: bigint, bytes: bigint): number {
    return this.#calls.read(fd, address, bytes);
  }

  /** Writes `bytes` bytes from `address`; how many, or -1. */
  write(fd: number, address: bigint, bytes: bigint): number {
    return this.#calls.write(fd, address, bytes);
  }

  /**
   * An ioctl with a `struct ifreq`: the name, and a value of 16 or 32 bits after it.
   *
   * @returns the name and value afterwards, or undefined if the call failed.
   */
  ioctlIfreq(
    fd: number,
    request: number,
    name: string,
    value: number,
    bits: 16 | 32,
  ): { name: string; value: number } | undefined {
    const ifreq = new Uint8Array(this.#scratch.buffer, IFREQ_AT, IFREQ_BYTES);
    ifreq.fill(0);
    ifreq.set(new TextEncoder().encode(name));
    const at = IFREQ_AT + 16;
    if (bits === 16) this.#scratch.setUint16(at, value, true);
    else this.#scratch.setInt32(at, value, true);
    const base = this.#scratchBase + BigInt(IFREQ_AT);
    if (this.#calls.ioctl(fd, BigInt(request), base) < 0) return undefined;
    const end = ifreq.indexOf(0);
    return {
      name: new TextDecoder().decode(ifreq.subarray(0, end)),
      value: bits === 16 ? this.#scratch.getUint16(at, true) : this.#scratch.getInt32(at, true),
    };
  }

  /** An ioctl with the address of an int; false if it failed. */
  ioctlInt(fd: number, request: number, value: number): boolean {
    this.#scratch.setInt32(INT_AT, value, true);
    return this.#calls.ioctl(fd, BigInt(request), this.#scratchBase + BigInt(INT_AT)) >= 0;
  }

  /** An ioctl with a value; false if it failed. */
  ioctlValue(fd: number, request: number, value: number): boolean {
    return this.#calls.ioctl(fd, BigInt(request), BigInt(value)) >= 0;
  }

  /**
   * Waits on this thread until one of at most 256 descriptors can be read, for `timeout_us`
   * microseconds at most.
   */
  poll(fds: readonly number[], timeout_us: number): Readiness {
    const s = this.#scratch;
    for (let i = 0; i < fds.length; i++) {
      const at = POLLFDS_AT + i * POLLFD_BYTES;
      s.setInt32(at, fds[i], true);
      s.setInt32(at + 4, POLLIN, true);
    }
    const seconds = Math.floor(timeout_us / 1e6);
    s.setBigInt64(TIMESPEC_AT, BigInt(seconds), true);
    s.setBigInt64(TIMESPEC_AT + 8, BigInt(Math.floor((timeout_us - seconds * 1e6) * 1000)), true);
    const base = this.#scratchBase;
    const ready = this.#calls.ppoll(
      base + BigInt(POLLFDS_AT),
      BigInt(fds.length),
      base + BigInt(TIMESPEC_AT),
      0n,
    );
    if (ready <= 0) return "nothing";
    let events = 0;
    for (let i = 0; i < fds.length; i++) {
      events |= s.getInt16(POLLFDS_AT + i * POLLFD_BYTES + 6, true);
    }
    if ((events & POLLIN) !== 0) return "readable";
    return (events & POLL_FAILED) !== 0 ? "failed" : "nothing";
  }

  /** Closes the library. */
  close(): void {
    this.#library.close();
  }
}
