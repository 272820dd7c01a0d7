/**
 * The errors a program can meet: `SocketError` for what the network or the caller did, and
 * `EnginePanic` for a fault of the stack itself.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { ERRNO_NAMES } from "./wasm/names.gen.ts";

/** The number of EWOULDBLOCK; on AIX it is the same as EAGAIN's, and `code` says `EAGAIN`. */
export const EWOULDBLOCK: number = Errno.EAGAIN;

/** Names that Deno gives the same errors, so that `error.name` can be compared as usual. */
const DENO_NAMES: Readonly<Record<number, string>> = {
  [Errno.EPERM]: "PermissionDenied",
  [Errno.ENOENT]: "NotFound",
  [Errno.EINTR]: "Interrupted",
  [Errno.EBADF]: "BadResource",
  [Errno.EAGAIN]: "WouldBlock",
  [Errno.EACCES]: "PermissionDenied",
  [Errno.EBUSY]: "Busy",
  [Errno.EEXIST]: "AlreadyExists",
  [Errno.EPIPE]: "BrokenPipe",
  [Errno.EOPNOTSUPP]: "NotSupported",
  [Errno.EADDRINUSE]: "AddrInUse",
  [Errno.EADDRNOTAVAIL]: "AddrNotAvailable",
  [Errno.ENETUNREACH]: "NetworkUnreachable",
  [Errno.ECONNABORTED]: "ConnectionAborted",
  [Errno.ECONNRESET]: "ConnectionReset",
  [Errno.ENOTCONN]: "NotConnected",
  [Errno.ESHUTDOWN]: "BrokenPipe",
  [Errno.ETIMEDOUT]: "TimedOut",
  [Errno.ECONNREFUSED]: "ConnectionRefused",
  [Errno.ENOTSUP]: "NotSupported",
};

/** Name of an error number, such as `ECONNREFUSED`; `E` and the number for an unknown one. */
export function errnoName(errno: number): string {
  return ERRNO_NAMES[errno]?.name ?? `E${errno}`;
}

/** What an error number means, in a few words; empty for an unknown one. */
export function errnoNote(errno: number): string {
  return ERRNO_NAMES[errno]?.note ?? "";
}

/**
 * A call to the stack failed. Numbers are those of AIX (network codes are 57 to 81).
 *
 * `name` is what Deno calls the same error where it has a class for it (`ConnectionRefused`,
 * `AddrInUse`, `BadResource`, ...), else `SocketError`; `code` is the name in capitals, as in Node.
 *
 * ```ts
 * import { SocketError } from "@godwit/godwit";
 * const error = new SocketError(79, "connect");
 * // error.code "ECONNREFUSED", error.name "ConnectionRefused", error.syscall "connect"
 * ```
 */
export class SocketError extends Error {
  /** Name of the error number: `ECONNREFUSED`. */
  readonly code: string;
  /** AIX error number: 79. */
  readonly errno: number;
  /** The call that failed: `connect`. */
  readonly syscall: string;

  /**
   * An error with a number.
   *
   * @param errno AIX error number, positive
   * @param syscall name of the call that failed
   * @param message what went wrong, in words; the meaning of the number unless told
   * @param options may carry the cause
   */
  constructor(errno: number, syscall: string, message?: string, options?: ErrorOptions) {
    const code = errnoName(errno);
    const words = message ?? errnoNote(errno);
    super(words === "" ? `${syscall}: ${code}` : `${syscall}: ${code}: ${words}`, options);
    this.name = DENO_NAMES[errno] ?? "SocketError";
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/**
 * The engine met a state that its authors held to be impossible, and stopped. The stack is dead:
 * every later call throws the same panic. This is a bug to report, never the answer to bad input.
 */
export class EnginePanic extends Error {
  /** The kind of error, `EnginePanic`. */
  override name = "EnginePanic";
  /** Line of the source where an assertion failed; 0 if it was another trap. */
  readonly line: number;
  /** Column in that line; 0 if unknown. */
  readonly column: number;

  /**
   * A fault.
   *
   * @param message what is known about the fault
   * @param line line of the engine's source, or 0
   * @param column column of the engine's source, or 0
   * @param cause the WebAssembly trap
   */
  constructor(message: string, line = 0, column = 0, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.line = line;
    this.column = column;
  }
}
