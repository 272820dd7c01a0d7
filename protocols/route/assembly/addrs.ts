/**
 * The addresses of a message from a program. Nothing of it is believed: each length must fit what
 * there is, and be enough for what the address says that it is.
 */
import { Errno } from "../../../assembly/abi/errno";
import { Limits } from "../../../assembly/abi/limits";
import { Rta } from "../../../assembly/abi/route";
import { Af } from "../../../assembly/abi/socket";
import * as if_list from "../../../assembly/net/if_list";
import { Ifnet } from "../../../assembly/net/ifnet_t";
import * as wire from "./wire";

/** What the addresses say. IPv4 addresses are in host order. */
@unmanaged
@final
export class Addrs {
  dst: u32;
  gateway: u32; // 0 if it is an interface
  mask: u32;
  ifindex: u32; // of the gateway, or of IFP
}

/** What read has found. */
export const A: Addrs = changetype<Addrs>(memory.data(offsetof<Addrs>(), 16));

/** Bytes of a sockaddr up to an IPv4 address and with it, and of a sockaddr_dl up to its data. */
const IN_AT: u32 = 4;
const IN_END: u32 = 8;
const DL_DATA: u32 = 8;
/** The addresses there can be. */
const KINDS: u32 = 8;

/**
 * Reads the addresses from `p` to `end` that `bits` (Rta) names. 0; EINVAL for lengths that cannot
 * be; EAFNOSUPPORT for an address of another family; ENXIO no such interface.
 */
export function read(p: usize, end: usize, bits: u32): i32 {
  memory.fill(changetype<usize>(A), 0, offsetof<Addrs>());
  A.mask = 0xffffffff;
  if (bits >> KINDS) return -Errno.EINVAL;
  for (let bit: u32 = 1; bit >> KINDS == 0; bit <<= 1) {
    if (!(bits & bit)) continue;
    // the smallest address, a mask of no bits, takes 4 bytes
    if (end - p < 4) return -Errno.EINVAL;
    const len: u32 = load<u8>(p);
    if (len > u32(end - p)) return -Errno.EINVAL;
    const error = one(p, len, bit);
    if (error) return error;
    p += min(wire.room(len), u32(end - p));
  }
  return 0;
}

/** Reads one address of `len` bytes. */
function one(p: usize, len: u32, bit: u32): i32 {
  if (bit == Rta.NETMASK) {
    A.mask = maskAt(p, len);
    return 0;
  }
  const family: u32 = len < 2 ? 0 : load<u8>(p, 1);
  if (family == Af.LINK && !isLink(p, len)) return -Errno.EINVAL;
  if (bit == Rta.GENMASK || bit == Rta.AUTHOR || bit == Rta.BRD) return 0;
  if (len < 2) return -Errno.EINVAL;
  if (bit == Rta.IFP || (bit == Rta.GATEWAY && family == Af.LINK)) {
    return family == Af.LINK ? link(p) : -Errno.EAFNOSUPPORT;
  }
  if (family != Af.INET) return -Errno.EAFNOSUPPORT;
  if (len < IN_END) return -Errno.EINVAL;
  const ip = bswap(load<u32>(p, IN_AT));
  if (bit == Rta.DST) A.dst = ip;
  else if (bit == Rta.GATEWAY) A.gateway = ip;
  return 0;
}

/** A mask, whose family is not looked at and whose bytes of zero at the end may be left out. */
function maskAt(p: usize, len: u32): u32 {
  let mask: u32 = 0;
  for (let i = IN_AT; i < IN_END; i++) mask = (mask << 8) | (i < len ? load<u8>(p + i) : 0);
  return mask;
}

/** True if name and hardware address are within a sockaddr_dl. */
function isLink(p: usize, len: u32): bool {
  return len >= DL_DATA && DL_DATA + load<u8>(p, 5) + load<u8>(p, 6) <= len;
}

/** An interface by its index, or by its name if that is 0. */
function link(p: usize): i32 {
  const index: u32 = load<u16>(p, 2);
  const n: u32 = load<u8>(p, 5);
  // without either it asks which one it is
  if (!index && !n) return 0;
  A.ifindex = index ? index : named(p + DL_DATA, n);
  return if_list.byIndex(A.ifindex) ? 0 : -Errno.ENXIO;
}

function named(name: usize, n: u32): u32 {
  for (let i: u32 = 1; i <= u32(Limits.INTERFACES); i++) {
    const ifp = if_list.byIndex(i);
    if (!ifp) continue;
    const own = changetype<usize>(ifp) + offsetof<Ifnet>("name0");
    if (n < 16 && memory.compare(own, name, n) == 0 && !load<u8>(own + n)) return i;
  }
  return 0;
}
