/**
 * What the host's own sockets throw, as the stack's errors.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { SocketError } from "../runtime/errors.ts";

/** Names of Deno's errors and codes of Node's, and the stack's numbers for them. */
const NUMBERS: Readonly<Record<string, Errno>> = {
  NotCapable: Errno.EACCES,
  PermissionDenied: Errno.EACCES,
  EACCES: Errno.EACCES,
  EPERM: Errno.EACCES,
  AddrInUse: Errno.EADDRINUSE,
  EADDRINUSE: Errno.EADDRINUSE,
  AddrNotAvailable: Errno.EADDRNOTAVAIL,
  EADDRNOTAVAIL: Errno.EADDRNOTAVAIL,
  ConnectionRefused: Errno.ECONNREFUSED,
  ECONNREFUSED: Errno.ECONNREFUSED,
  ConnectionReset: Errno.ECONNRESET,
  ECONNRESET: Errno.ECONNRESET,
  BrokenPipe: Errno.EPIPE,
  EPIPE: Errno.EPIPE,
  NotFound: Errno.ENOENT,
  ENOENT: Errno.ENOENT,
  TimedOut: Errno.ETIMEDOUT,
  ETIMEDOUT: Errno.ETIMEDOUT,
  NetworkUnreachable: Errno.ENETUNREACH,
  ENETUNREACH: Errno.ENETUNREACH,
  HostUnreachable: Errno.EHOSTUNREACH,
  EHOSTUNREACH: Errno.EHOSTUNREACH,
};

/** What to do about a permission that is missing. */
const PERMIT = "run with --allow-net, and for a socket file also --allow-read and --allow-write";

/** The error of the host in a few words. */
export function hostWords(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

/** A `SocketError` for what a socket of the host threw; one of the stack stays as it is. */
export function fromHostError(error: unknown, syscall: string, what: string): SocketError {
  if (error instanceof SocketError) return error;
  const { name, code } = error as { name?: string; code?: string };
  const errno = NUMBERS[code ?? ""] ?? NUMBERS[name ?? ""] ?? Errno.EIO;
  const help = name === "NotCapable" ? ` (${PERMIT})` : "";
  return new SocketError(errno, syscall, `${what}: ${hostWords(error)}${help}`, { cause: error });
}
