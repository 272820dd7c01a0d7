/** How addresses look in messages: sockaddr_in and sockaddr_dl, each at a multiple of 4 bytes. */
import { Iff, Medium } from "../../../assembly/abi/ifnet";
import { Ift } from "../../../assembly/abi/route";
import { Af } from "../../../assembly/abi/socket";
import { Ifnet } from "../../../assembly/net/ifnet_t";

/** Bytes of a sockaddr_in. */
const IN_LENGTH: u32 = 16;
/** Bytes of a sockaddr_dl without its data, and of the least there is. */
const DL_DATA: u32 = 8;
const DL_LENGTH: u32 = 20;
/** Bytes of a name and of an Ethernet address. */
const NAME_MAX: u32 = 15;
const HWADDR: u32 = 6;

/** Bytes that an address takes whose length field says `len`. */
export function room(len: u32): u32 {
  return len ? (len + 3) & ~3 : 4;
}

/** Writes an address (host order) at `p`; where the next one goes. */
export function putIn(p: usize, ip: u32): usize {
  memory.fill(p, 0, IN_LENGTH);
  store<u8>(p, u8(IN_LENGTH));
  store<u8>(p, u8(Af.INET), 1);
  store<u32>(p, bswap(ip), 4);
  return p + IN_LENGTH;
}

/** Writes which interface it is, with name and hardware address; where the next address goes. */
export function putLink(p: usize, ifp: Ifnet): usize {
  const name = changetype<usize>(ifp) + offsetof<Ifnet>("name0");
  let n: u32 = 0;
  while (n < NAME_MAX && load<u8>(name + n)) n++;
  const hw: u32 = ifp.medium == Medium.ETHERNET ? HWADDR : 0;
  const len = max(DL_DATA + n + hw, DL_LENGTH);
  memory.fill(p, 0, room(len));
  store<u8>(p, u8(len));
  store<u8>(p, u8(Af.LINK), 1);
  store<u16>(p, u16(ifp.index), 2);
  store<u8>(p, u8(kindOf(ifp)), 4);
  store<u8>(p, u8(n), 5);
  store<u8>(p, u8(hw), 6);
  memory.copy(p + DL_DATA, name, n);
  if (hw) {
    store<u32>(p + n, ifp.hwaddr_hi, DL_DATA);
    store<u16>(p + n, u16(ifp.hwaddr_lo), DL_DATA + 4);
  }
  return p + room(len);
}

/** What kind of interface it is. */
export function kindOf(ifp: Ifnet): Ift {
  if (ifp.medium == Medium.ETHERNET) return Ift.ETHER;
  if (ifp.flags & Iff.LOOPBACK) return Ift.LOOP;
  return ifp.flags & Iff.POINTOPOINT ? Ift.PPP : Ift.OTHER;
}
