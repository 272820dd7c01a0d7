/**
 * Where the arguments of a call stand among its numbers: for both sides.
 *
 * @module
 */

/** Arguments; which of them a call has is a matter of the call. */
export const enum Arg {
  FD = 0,
  FAMILY = 1,
  PORT = 2,
  /** Which parts of an address were given, `Named` bits. */
  NAMED = 3,
  FLAGS = 4,
  /** Backlog, direction, level of an option, command of ioctl, time of poll, bytes of a message. */
  OTHER = 5,
  /** Name of an option, bytes in all of a send in parts, bytes of room. */
  MORE = 6,
  /** Index of the interface in an address. */
  INTERFACE = 7,
}

/** What of an address was given. */
export const enum Named {
  /** There is an address. */
  GIVEN = 1,
  FAMILY = 2,
  PORT = 4,
  TEXT = 8,
  INTERFACE = 16,
  /** The interface by its name, which is the first line of the text. */
  IFNAME = 32,
  /** The text is the path of a local socket. */
  PATH = 64,
}

/** Bytes of an entry of poll and select: descriptor, events, revents. */
export const ENTRY_BYTES = 12;

/** What Op.AWAIT waits for. */
export const enum Until {
  READ = 1,
  WRITE = 2,
}

/** Which name Op.SETNAME sets. */
export const enum Name {
  HOST = 0,
  DOMAIN = 1,
  HOSTID = 2,
}
