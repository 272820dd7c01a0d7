/**
 * What the engine is told about an interface and its device.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { IfCap, Iff, Medium, Sioc } from "../../assembly/abi/ifnet.ts";
import type { Engine } from "../engine.ts";
import { SocketError } from "../errors.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import { isPointToPoint } from "./capability.ts";
import type { DriverCaps } from "./driver.ts";

/** An interface as it is to be. */
export interface IfSetup {
  /** Its name. */
  readonly name: string;
  /** What its driver can do. */
  readonly caps: DriverCaps;
  /** Its hardware address; zeros for one without. */
  readonly hwaddr: Uint8Array;
  /** The interface that gets another device; a new one is made unless told. */
  readonly index?: number;
  /** Takes an interface that was down up again. */
  readonly up?: boolean;
}

/**
 * Makes an interface, or gives one another device; answers its index.
 *
 * @throws SocketError EEXIST for a name in use; ENOBUFS when there are too many interfaces, or no
 * memory for large frames; EINVAL for another kind of link than the interface had
 */
export function attachInterface(engine: Engine, setup: IfSetup): number {
  const { calls, scratch } = engine;
  const { IfConfig } = layout;
  const { caps } = setup;
  const medium = caps.medium === "ethernet" ? Medium.ETHERNET : Medium.IP;
  field.clear(engine, scratch, IfConfig.size);
  field.setName(engine, scratch, IfConfig.name0, setup.name);
  field.setU32(engine, scratch, IfConfig.medium, medium);
  field.setU32(engine, scratch, IfConfig.mtu, caps.mtu);
  field.setU32(engine, scratch, IfConfig.caps, capBits(caps));
  field.setU32(engine, scratch, IfConfig.flags, linkFlags(caps) | (setup.up ? Iff.UP : 0));
  field.setHwaddr(engine, scratch, IfConfig.hwaddr_hi, setup.hwaddr);
  field.setU32(engine, scratch, IfConfig.ifindex, setup.index ?? 0);
  const index = calls.if_attach(scratch);
  if (index >= 0) return index;
  throw new SocketError(-index, "if_attach", attachWords(-index, setup));
}

/** `SocketError` EINVAL unless the device is like the one that interface `ifnet` had. */
export function mustBeAlike(engine: Engine, ifnet: number, name: string, caps: DriverCaps): void {
  const { Ifnet } = layout;
  const medium = caps.medium === "ethernet" ? Medium.ETHERNET : Medium.IP;
  const same = ifnet !== 0 && field.getU32(engine, ifnet, Ifnet.medium) === medium &&
    field.getU32(engine, ifnet, Ifnet.mtu) <= caps.mtu &&
    field.getU32(engine, ifnet, Ifnet.caps) === capBits(caps);
  if (same) return;
  const words = `the driver of ${name} has another medium, a smaller MTU or other capabilities ` +
    "than the snapshot";
  throw new SocketError(Errno.EINVAL, "if_attach", words);
}

/** Sets or clears IFF_UP of an interface; a dead engine has none left to take down. */
export function setUp(engine: Engine, index: number, up: boolean): void {
  if (engine.panic !== undefined) return;
  const { calls, scratch } = engine;
  const { IfReq } = layout;
  field.clear(engine, scratch, IfReq.size);
  field.setU32(engine, scratch, IfReq.ifindex, index);
  calls.if_ioctl(Sioc.GIFFLAGS, scratch, IfReq.size);
  const had = field.getU32(engine, scratch, IfReq.flags);
  const flags = up ? had | Iff.UP : had & ~Iff.UP;
  field.setU32(engine, scratch, IfReq.flags, flags);
  calls.if_ioctl(Sioc.SIFFLAGS, scratch, IfReq.size);
}

/**
 * Gives interface `setup.index` another device, and with it its MTU; one that somebody has set
 * below the `most` of the old device stays.
 */
export function exchangeDevice(
  engine: Engine,
  setup: IfSetup & { readonly index: number },
  most: number,
): void {
  const { calls, scratch } = engine;
  const { index } = setup;
  const { Ifnet, IfReq } = layout;
  const mtu = field.getU32(engine, calls.if_ptr(index), Ifnet.mtu);
  attachInterface(engine, setup);
  if (mtu >= most || mtu >= setup.caps.mtu) return;
  field.clear(engine, scratch, IfReq.size);
  field.setU32(engine, scratch, IfReq.ifindex, index);
  field.setU32(engine, scratch, IfReq.mtu, mtu);
  calls.if_ioctl(Sioc.SIFMTU, scratch, IfReq.size);
}

function capBits(caps: DriverCaps): number {
  return (caps.rxChecksum ? IfCap.RXCSUM : 0) | (caps.txChecksum ? IfCap.TXCSUM : 0) |
    (caps.vnetHeader ? IfCap.VNET_HDR : 0);
}

function linkFlags(caps: DriverCaps): number {
  const base = Iff.RUNNING | Iff.SIMPLEX | Iff.MULTICAST;
  return base | (isPointToPoint(caps) ? Iff.POINTOPOINT | Iff.NOARP : Iff.BROADCAST);
}

function attachWords(errno: number, { name, caps, index }: IfSetup): string | undefined {
  if (errno === Errno.EEXIST) return `there is an interface ${name} already`;
  if (errno === Errno.ENOBUFS && index !== undefined) {
    return `there is no memory left for the large frames of the new driver of ${name}`;
  }
  if (errno === Errno.ENOBUFS) return "there are too many interfaces, or the memory is used up";
  if (errno === Errno.EINVAL) return `a device with an MTU of ${caps.mtu} cannot be ${name}`;
}
