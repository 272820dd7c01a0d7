/**
 * Error numbers of the Linux host, and the stack's numbers for them. The two differ from 35 up, and
 * some numbers of one mean something else in the other, so a host number never goes further than
 * the driver that met it.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";

/** Linux numbers (asm-generic, as on x86-64 and arm64) that the drivers act on. */
export const enum HostErrno {
  EPERM = 1,
  ENOENT = 2,
  EINTR = 4,
  EIO = 5,
  ENXIO = 6,
  EBADF = 9,
  EAGAIN = 11,
  ENOMEM = 12,
  EACCES = 13,
  EBUSY = 16,
  EEXIST = 17,
  ENODEV = 19,
  EINVAL = 22,
  EBADFD = 77,
  EMSGSIZE = 90,
  EOPNOTSUPP = 95,
  ENETDOWN = 100,
  ENOBUFS = 105,
}

/** Linux number, its name, and the number here. */
const HOST_ERRNO: readonly (readonly [number, string, Errno])[] = [
  [1, "EPERM", Errno.EPERM],
  [2, "ENOENT", Errno.ENOENT],
  [3, "ESRCH", Errno.ESRCH],
  [4, "EINTR", Errno.EINTR],
  [5, "EIO", Errno.EIO],
  [6, "ENXIO", Errno.ENXIO],
  [9, "EBADF", Errno.EBADF],
  [11, "EAGAIN", Errno.EAGAIN],
  [12, "ENOMEM", Errno.ENOMEM],
  [13, "EACCES", Errno.EACCES],
  [14, "EFAULT", Errno.EFAULT],
  [16, "EBUSY", Errno.EBUSY],
  [17, "EEXIST", Errno.EEXIST],
  [19, "ENODEV", Errno.ENODEV],
  [22, "EINVAL", Errno.EINVAL],
  [23, "ENFILE", Errno.EMFILE],
  [24, "EMFILE", Errno.EMFILE],
  [32, "EPIPE", Errno.EPIPE],
  [77, "EBADFD", Errno.ENXIO],
  [88, "ENOTSOCK", Errno.ENOTSOCK],
  [89, "EDESTADDRREQ", Errno.EDESTADDRREQ],
  [90, "EMSGSIZE", Errno.EMSGSIZE],
  [91, "EPROTOTYPE", Errno.EPROTOTYPE],
  [92, "ENOPROTOOPT", Errno.ENOPROTOOPT],
  [93, "EPROTONOSUPPORT", Errno.EPROTONOSUPPORT],
  [94, "ESOCKTNOSUPPORT", Errno.ESOCKTNOSUPPORT],
  [95, "EOPNOTSUPP", Errno.EOPNOTSUPP],
  [96, "EPFNOSUPPORT", Errno.EPFNOSUPPORT],
  [97, "EAFNOSUPPORT", Errno.EAFNOSUPPORT],
  [98, "EADDRINUSE", Errno.EADDRINUSE],
  [99, "EADDRNOTAVAIL", Errno.EADDRNOTAVAIL],
  [100, "ENETDOWN", Errno.ENETDOWN],
  [101, "ENETUNREACH", Errno.ENETUNREACH],
  [102, "ENETRESET", Errno.ENETRESET],
  [103, "ECONNABORTED", Errno.ECONNABORTED],
  [104, "ECONNRESET", Errno.ECONNRESET],
  [105, "ENOBUFS", Errno.ENOBUFS],
  [106, "EISCONN", Errno.EISCONN],
  [107, "ENOTCONN", Errno.ENOTCONN],
  [108, "ESHUTDOWN", Errno.ESHUTDOWN],
  [110, "ETIMEDOUT", Errno.ETIMEDOUT],
  [111, "ECONNREFUSED", Errno.ECONNREFUSED],
  [112, "EHOSTDOWN", Errno.EHOSTDOWN],
  [113, "EHOSTUNREACH", Errno.EHOSTUNREACH],
  [114, "EALREADY", Errno.EALREADY],
  [115, "EINPROGRESS", Errno.EINPROGRESS],
];

const BY_HOST = new Map(HOST_ERRNO.map((row) => [row[0], row]));

/** The stack's number for a Linux number; EIO for one that has no counterpart. */
export function fromHostErrno(host: number): number {
  return BY_HOST.get(host)?.[2] ?? Errno.EIO;
}

/** Name of a Linux error number, or `errno N` for one that is not in the table. */
export function hostErrnoName(host: number): string {
  return BY_HOST.get(host)?.[1] ?? `errno ${host}`;
}
