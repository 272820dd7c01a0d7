/**
 * Numbers of calls that are no matter of the engine, in a module that loads nothing else: for
 * programs in other threads.
 *
 * @module
 */

/** Data can be read, the stream has ended, or a connection can be accepted. */
export const POLLIN = 0x0001;
/** Urgent data can be read. */
export const POLLPRI = 0x0004;
/** Data can be written. */
export const POLLOUT = 0x0002;
/** The socket has an error; only in `revents`. */
export const POLLERR = 0x4000;
/** Both directions have ended; only in `revents`. */
export const POLLHUP = 0x2000;
/** The descriptor is no socket; only in `revents`. */
export const POLLNVAL = 0x8000;

/** Command of fcntl: tell the flags. */
export const F_GETFL = 3;
/** Command of fcntl: set the flags. */
export const F_SETFL = 4;
/** Open for reading and writing: what F_GETFL says of every socket. */
export const O_RDWR = 2;
/** Calls answer EAGAIN instead of waiting. */
export const O_NONBLOCK = 4;
