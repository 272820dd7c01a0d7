/**
 * The engine's functions for loaded protocols (assembly/kernel/), as far as the runtime calls them.
 *
 * @module
 */

import type { Engine } from "../engine.ts";

/** What the engine offers to loaded protocols, as far as the runtime calls it for them. */
export interface KernelCalls {
  /** What follows is done by loaded module `slot`; 0 is the engine. */
  module_enter(slot: number): void;
  /** Memory for the present module, 0 if there is none. */
  module_alloc(bytes: number): number;
  /** Ends what `module_enter` began; EEXIST if packets of a row go to another. */
  module_leave(): number;
  /** Sockets that use a module's rows. */
  module_busy(slot: number): number;
  /** Bytes that a module has. */
  module_held(slot: number): number;
  /** Takes away what a module has left; `first` and `last` bound its places in the table. */
  module_release(slot: number, first: number, last: number): number;
  /** Takes a module's types, tunnels and timers away. */
  module_reset(first: number, last: number): number;
  /** Address of struct HostQueue. */
  host_queue(): number;
  /** Adds a domain. */
  domain_addDomain(family: number): number;
  /** Adds a row; answers the address of struct Protosw, or 0. */
  domain_addRow(family: number, type: number, protocol: number, flags: number): number;
  /** Gives a function the frames of an ethertype. */
  input_type_add(type: number, fn: number): number;
  /** Takes an ethertype away. */
  input_type_del(type: number): number;
  /** Hands the datagrams of a UDP socket to a function; 0 ends that. */
  udp_tunnel_set(so: number, fn: number): number;
  /** Sends a datagram from the struct Inpcb to the struct SockAddr at `nam`; owns `m`. */
  udp_output_output(inp: number, m: number, nam: number): number;
  /** Sends a packet by IP; owns `m`; see assembly/inet/ip_output.ts. */
  ip_output_output(
    m: number,
    src: number,
    dst: number,
    protocol: number,
    ttl: number,
    tos: number,
    flags: number,
    rt: number,
  ): number;
  /** Appends a frame to the queue of an interface; owns `m`. */
  if_queue_enqueue(ifp: number, m: number): number;
  /** Takes in a frame that came inside of a packet; owns `m`; ENXIO if there is no interface. */
  if_carried(index: number, m: number, more: number): number;
  /** Struct Rtentry of the best route, or 0. */
  route_lookup(dst: number): number;
  /** Largest packet that goes to `dst` along a struct Rtentry in one piece. */
  ip_mtu_mtuFor(dst: number, rt: number): number;
  /** The path to `dst` takes packets of at most `mtu` bytes. */
  ip_mtu_lower(dst: number, mtu: number): void;
  /** Adds bytes of a chain to a sum of words as they lie in memory. */
  checksum_chain(m: number, off: number, len: number, acc: number): number;
  /** Copies plain memory over bytes of a chain. */
  mbuf_copy_copyback(m: number, off: number, len: number, src: number): number;
  /** A packet of `len` bytes, its first mbuf with `lead` bytes free in front of its data. */
  mbuf_copy_packet(len: number, lead: number, type: number): number;
  /** Copies bytes out of a chain; answers how many. */
  mbuf_copy_copydata(m: number, off: number, len: number, dst: number): number;
  /** Frees a chain. */
  mbuf_freem(m: number): void;
  /** Takes bytes off the front, or with a negative number off the end. */
  mbuf_ops_adj(m: number, n: number): void;
  /** Makes the first `len` bytes contiguous; answers the chain, or 0 having freed it. */
  mbuf_ops_pullup(m: number, len: number): number;
  /** Makes room for `len` bytes in front; answers the chain, or 0 having freed it. */
  mbuf_ops_prepend(m: number, len: number): number;
  /** Sets the size of a socket buffer. */
  sockbuf_reserve(sb: number, hiwat: number): number;
  /** Appends to a stream; owns `m`. */
  sockbuf_append(sb: number, m: number): void;
  /** Appends a record; owns `m`. */
  sockbuf_appendRecord(sb: number, m: number): void;
  /** Appends a record with its sender; 0 if there is no room, and `m` stays the caller's. */
  sockbuf_appendAddr(sb: number, from: number, m: number, control: number): number;
  /** Takes bytes off the front of a stream. */
  sockbuf_drop(sb: number, n: number): void;
  /** The socket's connection is being made. */
  so_event_isConnecting(so: number): void;
  /** It is made. */
  so_event_isConnected(so: number): void;
  /** It is being ended. */
  so_event_isDisconnecting(so: number): void;
  /** It is gone; the socket may be, too. */
  so_event_isDisconnected(so: number): void;
  /** A socket for a connection that came in to a listener, or 0. */
  so_event_newconn(head: number, state: number): number;
  /** The user may send no more. */
  so_event_cantSendMore(so: number): void;
  /** Nothing more will come. */
  so_event_cantRcvMore(so: number): void;
  /** There is something to read. */
  so_event_rwakeup(so: number): void;
  /** There is room to send. */
  so_event_wwakeup(so: number): void;
  /** The next call on the socket answers this error. */
  so_event_error(so: number, errno: number): void;
  /** Switches a timer on; `when` in microseconds. */
  timer_arm(timer: number, when: bigint): void;
  /** Switches a timer off. */
  timer_cancel(timer: number): void;
}

/** These functions of an engine. */
export function kernelCalls(engine: Engine): KernelCalls {
  return engine.calls as unknown as KernelCalls;
}
