/**
 * The engine's exports, typed, and the guard around them that turns a trap into an `EnginePanic`.
 *
 * @module
 */

/**
 * The exports of the engine. Pointers are byte offsets into its memory, `so` is the address of a
 * struct Socket, and an `i32` answer is a result `>= 0` or a negated error number.
 */
export interface EngineCalls {
  /** Seeds the public and the secret random stream from 16 bytes each at `ptr`; before `boot`. */
  seed(ptr: number): void;
  /** Sets the stack up as the struct BootConfig at `cfg` says; once. */
  boot(cfg: number): number;
  /** Runs timers, delayed output and loopback at `now_us`; answers the work done. */
  poll(now_us: number): number;
  /** Sets the engine's clock to `now_us`, before calls that may send. */
  set_clock(now_us: number): void;
  /** When `poll` is wanted next, in microseconds; `Infinity` if only after input. */
  nextDeadline(): number;

  /** Attaches an interface as the struct IfConfig says; answers its index. */
  if_attach(cfg: number): number;
  /** Takes interface `i` away. */
  if_detach(i: number): number;
  /** Writes up to `max` descriptors of empty frames; answers how many. */
  if_rx_prepare(i: number, max: number): number;
  /** Takes in the first `n` of those descriptors, filled. */
  if_input(i: number, n: number, now_us: number): number;
  /** Writes up to `max` descriptors of frames to send; answers how many. */
  if_tx_prepare(i: number, max: number): number;
  /** Says that the first `n` of those were sent. */
  if_txdone(i: number, n: number): number;
  /** Interface, address, neighbour and route requests; `ptr` is an IfReq or RtReq. */
  if_ioctl(cmd: number, ptr: number, len: number): number;
  /** Address of struct Ifnet, 0 if there is no such interface. */
  if_ptr(i: number): number;

  /** Makes a socket; answers its address. */
  so_create(domain: number, type: number, protocol: number): number;
  /** Binds to the struct SockAddr at `nam`. */
  so_bind(so: number, nam: number): number;
  /** Begins to accept connections. */
  so_listen(so: number, backlog: number): number;
  /** Takes a connection from the queue; answers its socket, and its peer at `nam`. */
  so_accept(so: number, nam: number): number;
  /** Joins two sockets with each other. */
  so_connect2(so: number, other: number): number;
  /** Begins to connect; 0, or EINPROGRESS negated. */
  so_connect(so: number, nam: number): number;
  /** Sends `len` bytes at `ptr`, to `nam` if that is not 0; answers the bytes taken. */
  so_send(so: number, ptr: number, len: number, flags: number, nam: number): number;
  /** Receives up to `len` bytes to `ptr`, the sender at `nam` if that is not 0. */
  so_recv(so: number, ptr: number, len: number, flags: number, nam: number): number;
  /** Shows the first bytes of a stream; answers how many, RecvInfo.data tells where. */
  so_peek(so: number, flags: number): number;
  /** Gives back the first `n` of the bytes shown. */
  so_release(so: number, n: number): number;
  /** Lends room for up to `len` bytes to send; answers how much, RecvInfo.data tells where. */
  so_reserve(so: number, len: number): number;
  /** Sends the first `n` bytes of the room lent. */
  so_commit(so: number, n: number, flags: number): number;
  /** Sends `n` messages at `ptr`, as the BatchRecords at `table` say; answers how many. */
  so_sendmmsg(so: number, table: number, n: number, ptr: number, flags: number): number;
  /** Receives up to `most` messages into `room` bytes at `ptr`; answers how many. */
  so_recvmmsg(
    so: number,
    table: number,
    most: number,
    ptr: number,
    room: number,
    flags: number,
  ): number;
  /** Ends one or both directions; `how` is a Shut. */
  so_shutdown(so: number, how: number): number;
  /** Gives the socket up; it may linger in the engine. */
  so_close(so: number): number;
  /** Begins the orderly end of a connection, or forgets the peer of a datagram socket. */
  so_disconnect(so: number): number;
  /** Ends a connection at once, with a reset. */
  so_abort(so: number): number;
  /** Reads an option; answers its length. */
  so_getopt(so: number, level: number, name: number, ptr: number, len: number): number;
  /** Sets an option. */
  so_setopt(so: number, level: number, name: number, ptr: number, len: number): number;
  /** Writes the local address to `nam`. */
  so_sockname(so: number, nam: number): number;
  /** Writes the peer's address to `nam`. */
  so_peername(so: number, nam: number): number;
  /** Requests on a socket: FIONREAD, ATMARK; answers the value. */
  so_ioctl(so: number, cmd: number, ptr: number, len: number): number;
  /** Which of the events Ev hold now. */
  so_ready(so: number): number;
  /** Asks to be told once of the events in `mask`. */
  so_want(so: number, mask: number): void;
  /** Writes up to `max` pairs (socket, events) to `ptr`; answers how many. */
  ev_drain(ptr: number, max: number): number;
  /** Address of struct WheelState; `sooner` is 1 when `nextDeadline` has an earlier answer. */
  timer_state(): number;
  /** Address of struct EventList; its word `first` is 0 while there is nothing to drain. */
  ev_list(): number;

  /** Area of `Limits.STAGING` bytes through which user data passes. */
  staging(): number;
  /** Area of 4 KiB for addresses and requests. */
  scratch(): number;
  /** Address of struct RecvInfo, about the last `so_recv`. */
  recv_info(): number;
  /** Address of struct LocalInfo; sockets and a path stand behind it. */
  local_info(): number;
  /** Table of 256 unsigned 64-bit counters, by Fate. */
  fates(): number;
  /** Table of `Stat.COUNT` unsigned 64-bit counters. */
  counters(): number;
  /** Fate of the last frame. */
  last_fate(): number;
  /** Writes the state of the mbuf pools to `ptr`. */
  pool_stats(ptr: number): void;
  /** Address of the `i`-th place for a socket, used or not. */
  so_at(i: number): number;
  /** How many places for sockets there are. */
  so_limit(): number;
  /** Writes the `i`-th route to `ptr`, a struct RtReq; negative when there are no more. */
  rt_walk(i: number, ptr: number): number;
  /** Writes the `i`-th neighbour to `ptr`, a struct IfReq; negative when there are no more. */
  arp_walk(i: number, ptr: number): number;
  /** Address of struct Tcb of a socket, 0 if it has none. */
  tcb_of(so: number): number;
  /** Address of struct TcpSettings; what is changed holds for sockets made afterwards. */
  tcp_settings(): number;
  /** Address of struct NetSettings. */
  net_settings(): number;
  /** Address of struct Metric of the `i`-th destination remembered; 0 when there are no more. */
  tcp_metrics(i: number): number;
  /** Sets the stack's Fast Open keys, 16 or 32 bytes at `ptr`. */
  tcp_fastopen_key(ptr: number, length: number): number;
  /** Forgets what is remembered of destinations. */
  tcp_metrics_flush(): void;
  /** How many TCP connections are in TcpState `state`, those without a socket included. */
  tcp_count(state: number): number;
  /** Where `panic` leaves line and column. */
  panic_info(): number;
  /** Switches IPv4 forwarding on (1) or off (0). */
  ip_forwarding(on: number): void;
}

type Call = (...args: number[]) => number;

/**
 * Wraps every call so that a trap goes through `fault`, which answers the error to throw. `live` is
 * looked into at each call, so a dead engine can have its calls replaced.
 */
export function guardCalls(live: EngineCalls, fault: (trap: unknown) => Error): EngineCalls {
  const table = live as unknown as Record<string, Call>;
  const guarded: Record<string, Call> = {};
  for (const name of Object.keys(table)) {
    if (typeof table[name] !== "function") continue;
    guarded[name] = (...args) => {
      try {
        return table[name](...args);
      } catch (trap) {
        throw fault(trap);
      }
    };
  }
  return { ...guarded as unknown as EngineCalls, ...hotCalls(live, fault) };
}

/** The calls of packets, data and connections, each written out so that V8 can inline it. */
function hotCalls(live: EngineCalls, fault: (trap: unknown) => Error): Partial<EngineCalls> {
  return {
    poll(now_us) {
      try {
        return live.poll(now_us);
      } catch (trap) {
        throw fault(trap);
      }
    },
    set_clock(now_us) {
      try {
        live.set_clock(now_us);
      } catch (trap) {
        throw fault(trap);
      }
    },
    nextDeadline() {
      try {
        return live.nextDeadline();
      } catch (trap) {
        throw fault(trap);
      }
    },
    so_send(so, ptr, len, flags, nam) {
      try {
        return live.so_send(so, ptr, len, flags, nam);
      } catch (trap) {
        throw fault(trap);
      }
    },
    so_recv(so, ptr, len, flags, nam) {
      try {
        return live.so_recv(so, ptr, len, flags, nam);
      } catch (trap) {
        throw fault(trap);
      }
    },
    so_want(so, mask) {
      try {
        live.so_want(so, mask);
      } catch (trap) {
        throw fault(trap);
      }
    },
    ev_drain(ptr, max) {
      try {
        return live.ev_drain(ptr, max);
      } catch (trap) {
        throw fault(trap);
      }
    },
    ...hotConnectionCalls(live, fault),
    ...hotDeviceCalls(live, fault),
  };
}

function hotConnectionCalls(
  live: EngineCalls,
  fault: (trap: unknown) => Error,
): Partial<EngineCalls> {
  return {
    so_create(domain, type, protocol) {
      try {
        return live.so_create(domain, type, protocol);
      } catch (trap) {
        throw fault(trap);
      }
    },
    so_accept(so, nam) {
      try {
        return live.so_accept(so, nam);
      } catch (trap) {
        throw fault(trap);
      }
    },
    so_connect(so, nam) {
      try {
        return live.so_connect(so, nam);
      } catch (trap) {
        throw fault(trap);
      }
    },
    so_close(so) {
      try {
        return live.so_close(so);
      } catch (trap) {
        throw fault(trap);
      }
    },
  };
}

function hotDeviceCalls(live: EngineCalls, fault: (trap: unknown) => Error): Partial<EngineCalls> {
  return {
    if_rx_prepare(i, max) {
      try {
        return live.if_rx_prepare(i, max);
      } catch (trap) {
        throw fault(trap);
      }
    },
    if_input(i, n, now_us) {
      try {
        return live.if_input(i, n, now_us);
      } catch (trap) {
        throw fault(trap);
      }
    },
    if_tx_prepare(i, max) {
      try {
        return live.if_tx_prepare(i, max);
      } catch (trap) {
        throw fault(trap);
      }
    },
    if_txdone(i, n) {
      try {
        return live.if_txdone(i, n);
      } catch (trap) {
        throw fault(trap);
      }
    },
  };
}
