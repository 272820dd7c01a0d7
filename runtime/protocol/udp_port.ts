/**
 * UDP ports of loaded protocols: sockets that the protocol's receiver gets the datagrams of.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Af, IpOpt, Sock as SockType } from "../../assembly/abi/socket.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import { parseIpv4 } from "../socket/inet_addr.ts";
import { ifIndexBy } from "../socket/ioctl.ts";
import { type SockAddrInit, writeSockAddr } from "../socket/sockaddr.ts";
import * as layout from "../wasm/layout.gen.ts";
import { kernelCalls } from "./kernel_calls.ts";
import type { Packet } from "./packet.ts";

/** A UDP port whose datagrams go to a protocol. */
export interface UdpPort {
  /** The port. */
  readonly port: number;
  /** Sends a datagram from the port; owns the packet. `SocketError` as for sendto. */
  send(packet: Packet, to: SockAddrInit): void;
  /**
   * Takes datagrams to a group too, of the interface with a name, address or index; of the one that
   * the route to the group leads to unless told. `SocketError` as for IP_ADD_MEMBERSHIP.
   */
  join(group: string, on?: string | number): void;
  /** Ends that. `SocketError` EADDRNOTAVAIL if it was not a member. */
  leave(group: string, on?: string | number): void;
  /** Gives the port back. */
  close(): void;
}

/** What a port needs of the kernel that has it. */
export interface PortHost {
  /** The engine. */
  readonly engine: Engine;
  /** Room for a struct SockAddr. */
  readonly place: number;
  /** Place in the function table of what takes datagrams. */
  readonly receiver: number;
  /** Something was sent: takes a turn soon, and throws a `SocketError` for a negated Errno. */
  sent(result: number, call: string): void;
  /** The port is given back. */
  closed(port: OpenPort): void;
}

/** A port that is open. */
export class OpenPort implements UdpPort {
  /** Address of its struct Socket. */
  readonly so: number;
  /** The port. */
  readonly port: number;
  readonly #host: PortHost;
  readonly #inp: number;
  #open = true;

  /** Takes a port of all addresses, or of one. `SocketError` EADDRINUSE, EADDRNOTAVAIL, ... */
  constructor(host: PortHost, port: number, address: string | undefined) {
    const { engine, place } = host;
    const { calls } = engine;
    const so = calls.so_create(Af.INET, SockType.DGRAM, 0);
    if (so < 0) throw new SocketError(-so, "socket");
    writeSockAddr(engine, place, { address, port }, "bind");
    const bound = calls.so_bind(so, place);
    if (bound < 0) {
      calls.so_close(so);
      throw new SocketError(-bound, "bind", `UDP port ${port}`);
    }
    kernelCalls(engine).udp_tunnel_set(so, host.receiver);
    this.so = so;
    this.#host = host;
    this.#inp = field.getU32(engine, so, layout.Socket.pcb);
    this.port = field.getU16(engine, this.#inp, layout.Inpcb.lport);
  }

  /** Sends a datagram. */
  send(packet: Packet, to: SockAddrInit): void {
    this.#mustBeOpen("sendto");
    const { engine, place } = this.#host;
    writeSockAddr(engine, place, to, "sendto");
    const result = kernelCalls(engine).udp_output_output(this.#inp, packet.take(), place);
    this.#host.sent(result, "sendto");
  }

  /** Becomes a member of a group. */
  join(group: string, on: string | number = 0): void {
    this.#membership(IpOpt.ADD_MEMBERSHIP, group, on);
  }

  /** Is one no longer. */
  leave(group: string, on: string | number = 0): void {
    this.#membership(IpOpt.DROP_MEMBERSHIP, group, on);
  }

  /** Gives the port back. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#host.closed(this);
    const { engine } = this.#host;
    if (engine.panic === undefined) engine.calls.so_close(this.so);
  }

  #membership(option: IpOpt, group: string, on: string | number): void {
    this.#mustBeOpen("setsockopt");
    const { engine, sent } = this.#host;
    const address = parseIpv4(group);
    if (address === undefined) {
      throw new SocketError(Errno.EINVAL, "setsockopt", `"${group}" is not an IPv4 address`);
    }
    const { calls, scratch } = engine;
    const index = ifIndexBy(engine, on);
    field.setU32(engine, scratch, 0, address);
    field.setU32(engine, scratch, 4, index);
    sent(calls.so_setopt(this.so, IpProto.IP, option, scratch, 8), "setsockopt");
  }

  #mustBeOpen(call: string): void {
    if (!this.#open) throw new SocketError(Errno.EBADF, call);
  }
}
