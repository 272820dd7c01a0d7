/**
 * The C library of a Linux host, opened through Deno's foreign function interface with the calls
 * that a driver needs. Addresses go as BigInt: V8 calls C directly with those, while a plain number
 * takes a slow path some twenty times as long.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { SocketError } from "../runtime/errors.ts";
import { fromHostErrno, hostErrnoName } from "./host_errno.ts";

/** Absolute paths first: a permission for one library can only be given by its whole path. */
const LIBC_PATHS: Readonly<Record<string, readonly string[]>> = {
  x86_64: [
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/lib64/libc.so.6",
    "/usr/lib/libc.so.6",
    "/lib/ld-musl-x86_64.so.1",
    "libc.so.6",
  ],
  aarch64: [
    "/lib/aarch64-linux-gnu/libc.so.6",
    "/lib64/libc.so.6",
    "/usr/lib/libc.so.6",
    "/lib/ld-musl-aarch64.so.1",
    "libc.so.6",
  ],
};

/**
 * Opens the library with these symbols.
 *
 * @param device what is reached through it, for messages: `a TAP device`
 * @throws SocketError EOPNOTSUPP off Linux, EACCES without the permission of Deno
 */
export function openLibc<const S extends Deno.ForeignLibraryInterface>(
  symbols: S,
  device: string,
): Deno.DynamicLibrary<S> {
  if (typeof Deno === "undefined" || typeof Deno.dlopen !== "function") {
    throw new SocketError(
      Errno.EOPNOTSUPP,
      "dlopen",
      `${device} needs Deno on Linux; here, use the pipe or the capture driver`,
    );
  }
  const { os, arch } = Deno.build;
  if (os !== "linux" || !LIBC_PATHS[arch]) {
    throw new SocketError(
      Errno.EOPNOTSUPP,
      "dlopen",
      `${device} needs Linux on x86_64 or aarch64, and this is ${os} on ${arch}; ` +
        "use the pipe or the capture driver",
    );
  }
  let last: unknown;
  for (const path of LIBC_PATHS[arch]) {
    try {
      return Deno.dlopen(path, symbols);
    } catch (error) {
      // Permission for one path may have been given, so the others are tried all the same.
      if (!(last instanceof Deno.errors.NotCapable)) last = error;
    }
  }
  if (last instanceof Deno.errors.NotCapable) {
    throw new SocketError(
      Errno.EACCES,
      "dlopen",
      `${device} is reached through the C library: run with --allow-ffi, or only ` +
        `--allow-ffi=${LIBC_PATHS[arch][0]}`,
    );
  }
  throw new SocketError(
    Errno.ENOENT,
    "dlopen",
    `no C library found at ${LIBC_PATHS[arch].join(", ")}: ${last}`,
  );
}

/** Where the library may be on this machine, in the order in which it is looked for. */
export function libcPaths(): readonly string[] {
  return LIBC_PATHS[Deno.build.arch] ?? [];
}

/** Address of the first byte of `memory`, whose buffer must never move or shrink. */
export function addressOf(memory: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(memory));
}

/** The error of a system call of the host that failed, with what to do about it. */
export function hostError(errno: number, syscall: string, why: string): SocketError {
  return new SocketError(fromHostErrno(errno), syscall, `${why} (${hostErrnoName(errno)})`);
}
