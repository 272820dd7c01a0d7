/**
 * The interfaces of the stack as loaded protocols see them.
 *
 * @module
 */

import { Iff, Medium } from "../../assembly/abi/ifnet.ts";
import type { Engine } from "../engine.ts";
import * as field from "../layout.ts";
import { ifIndices } from "../socket/ioctl.ts";
import * as layout from "../wasm/layout.gen.ts";

/** An interface. */
export interface KernelInterface {
  /** Its index, from 1. */
  readonly index: number;
  /** Its name, such as `eth0`. */
  readonly name: string;
  /** Whether it takes part. */
  readonly up: boolean;
  /** Whether it carries Ethernet frames; otherwise bare IP packets. */
  readonly ethernet: boolean;
  /** Largest IP packet, bytes. */
  readonly mtu: number;
  /** Hardware address; zeros on a medium without one. */
  readonly hwaddr: Uint8Array<ArrayBuffer>;
  /** Its IPv4 addresses, numbers in host order. */
  readonly addresses: readonly number[];
}

/** True if the interface with an index is there and carries Ethernet frames. */
export function isEthernet(engine: Engine, index: number): boolean {
  const ifp = engine.calls.if_ptr(index);
  return ifp !== 0 && field.getU32(engine, ifp, layout.Ifnet.medium) === Medium.ETHERNET;
}

/** All interfaces, by index. */
export function listInterfaces(engine: Engine): KernelInterface[] {
  const { Ifnet, Ifaddr } = layout;
  return ifIndices(engine).map((index) => {
    const ifp = engine.calls.if_ptr(index);
    const flags = field.getU32(engine, ifp, Ifnet.flags);
    const addresses: number[] = [];
    let ifa = field.getU32(engine, ifp, Ifnet.addrs);
    for (; ifa !== 0; ifa = field.getU32(engine, ifa, Ifaddr.next)) {
      addresses.push(field.getU32(engine, ifa, Ifaddr.addr));
    }
    return {
      index,
      name: field.getName(engine, ifp, Ifnet.name0),
      up: (flags & Iff.UP) !== 0,
      ethernet: field.getU32(engine, ifp, Ifnet.medium) === Medium.ETHERNET,
      mtu: field.getU32(engine, ifp, Ifnet.mtu),
      hwaddr: field.getHwaddr(engine, ifp, Ifnet.hwaddr_hi),
      addresses,
    };
  });
}
