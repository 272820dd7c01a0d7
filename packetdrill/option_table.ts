/**
 * Socket options that the engine does not have: those that scripts may set all the same, because
 * nothing of them is seen on the wire, and those that the interpreter answers.
 *
 * @module
 */

/** What the interpreter does with an option. */
export interface KeptOption {
  /** What it is before anybody sets it. */
  readonly initial: number;
  /** Values that it may be set to; any, unless told. */
  readonly accepts?: readonly number[];
}

const ANY: KeptOption = { initial: 0 };

/** By name. */
export const KEPT_OPTIONS: Readonly<Record<string, KeptOption>> = {
  SO_PRIORITY: ANY,
  SO_MARK: ANY,
  SO_RXQ_OVFL: ANY,
  SO_BUSY_POLL: ANY,
  SO_PREFER_BUSY_POLL: ANY,
  SO_BUSY_POLL_BUDGET: ANY,
  SO_INCOMING_CPU: { initial: -1 },
  SO_PASSCRED: ANY,
  SO_ZEROCOPY: { initial: 0, accepts: [0, 1] },
  SO_TIMESTAMPING: ANY,
  SO_NOSIGPIPE: ANY,
  SO_TXREHASH: { initial: 1 },
  IP_FREEBIND: ANY,
  IP_BIND_ADDRESS_NO_PORT: ANY,
  IP_DONTFRAG: { initial: 1, accepts: [1] },
  IP_RECVERR: ANY,
  IP_RECVTOS: { initial: 0, accepts: [0] },
  IP_RECVTTL: { initial: 0, accepts: [0] },
  IP_PKTINFO: { initial: 0, accepts: [0] },
  TCP_INQ: { initial: 0, accepts: [0, 1] },
  TCP_THIN_LINEAR_TIMEOUTS: { initial: 0, accepts: [0] },
  TCP_THIN_DUPACK: { initial: 0, accepts: [0] },
  TCP_SAVE_SYN: { initial: 0, accepts: [0] },
  TCP_TX_DELAY: { initial: 0, accepts: [0] },
  TCP_LOG: ANY,
  TCP_REUSPORT_LB_NUMA: ANY,
};

/** Options by the names that other kernels have for them. */
export const SAME_OPTIONS: Readonly<Record<string, string>> = {
  SO_SNDBUFFORCE: "SO_SNDBUF",
  SO_RCVBUFFORCE: "SO_RCVBUF",
  TCP_NOPUSH: "TCP_CORK",
};
