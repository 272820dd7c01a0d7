/**
 * Error numbers of the sockets kernel. 57 to 81 are the network codes of AIX, contiguous and in its
 * order; the rest are the general codes that socket calls also answer. The engine returns them
 * negated; `runtime/errors.ts` turns them into `SocketError`.
 */
export const enum Errno {
  OK = 0,
  EPERM = 1, // the caller may not do that
  ENOENT = 2, // no such entry
  ESRCH = 3, // no such route
  EINTR = 4, // the wait was cancelled
  EIO = 5, // the device failed
  ENXIO = 6, // no such interface
  EBADF = 9, // not an open descriptor
  EAGAIN = 11, // would block; EWOULDBLOCK is the same number
  ENOMEM = 12, // out of memory
  EACCES = 13, // permission denied
  EFAULT = 14, // bad address
  EBUSY = 16, // in use
  EEXIST = 17, // already there
  ENODEV = 19, // no such device
  EINVAL = 22, // invalid argument
  EMFILE = 24, // too many open descriptors
  EPIPE = 32, // the sending side is shut down
  EINPROGRESS = 55, // the connection attempt has begun
  EALREADY = 56, // a connection attempt is already under way
  ENOTSOCK = 57, // the descriptor is not a socket
  EDESTADDRREQ = 58, // no destination given and none set
  EMSGSIZE = 59, // message too long to send in one piece
  EPROTOTYPE = 60, // protocol exists but not for this socket type
  ENOPROTOOPT = 61, // no such option at this level
  EPROTONOSUPPORT = 62, // no such protocol in this domain
  ESOCKTNOSUPPORT = 63, // socket type not supported
  EOPNOTSUPP = 64, // operation makes no sense on this socket
  EPFNOSUPPORT = 65, // protocol family not configured
  EAFNOSUPPORT = 66, // address family cannot be used with this protocol
  EADDRINUSE = 67, // local address already taken
  EADDRNOTAVAIL = 68, // that address is not ours
  ENETDOWN = 69, // interface or network is down
  ENETUNREACH = 70, // no route to the network
  ENETRESET = 71, // network dropped the connection
  ECONNABORTED = 72, // we aborted the connection
  ECONNRESET = 73, // the peer reset it
  ENOBUFS = 74, // no mbufs, or a queue is full
  EISCONN = 75, // already connected
  ENOTCONN = 76, // not connected
  ESHUTDOWN = 77, // sending side already shut down
  ETIMEDOUT = 78, // the peer did not answer in time
  ECONNREFUSED = 79, // nobody listens there
  EHOSTDOWN = 80, // the next hop does not answer
  EHOSTUNREACH = 81, // no route to the host
  ELOOP = 85, // the way leads back to where it began
  ENOTSUP = 124, // not supported
}
