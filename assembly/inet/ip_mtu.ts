/**
 * Path MTUs (RFC 1191): what "fragmentation needed" messages have taught of destinations. A small
 * direct-mapped table; what was learned is forgotten after a while (RFC 1191 6.3).
 */
import * as clock from "../sys/clock";
import { N } from "../sys/net_settings";
import { Rtentry } from "../net/route_t";

/** A place of the table. */
@unmanaged
@final
export class Learned {
  until: i64;
  dst: u32;
  mtu: u32;
}

/** State of the module. */
@unmanaged
@final
export class MtuState {
  until: i64; // when the last of them is forgotten
}

const PLACES_LOG2: u32 = 6;
const S: MtuState = changetype<MtuState>(memory.data(offsetof<MtuState>(), 16));
const TABLE: usize = memory.data(1024, 16); // 64 places of 16 bytes

const MTU_MIN: u32 = 68; // RFC 791 3.2

function at(dst: u32): Learned {
  const i = (dst * 0x9e3779b1) >> (32 - PLACES_LOG2);
  return changetype<Learned>(TABLE + (usize(i) << 4));
}

/**
 * The path to `dst` takes packets of at most `mtu` bytes. To be called by a protocol that has seen
 * that the message which says so is about a packet it sent (RFC 5927 7).
 */
export function lower(dst: u32, mtu: u32): void {
  const place = at(dst);
  place.dst = dst;
  place.mtu = max(mtu, MTU_MIN);
  place.until = clock.now() + i64(N.pmtu_life_s) * 1_000_000;
  S.until = place.until;
}

/** Largest packet that can be sent along `rt` in one piece, whatever becomes of it. */
export function mtuOf(rt: Rtentry): u32 {
  return rt.mtu ? min(rt.mtu, rt.ifp.mtu) : rt.ifp.mtu;
}

/** Largest packet that goes to `dst` along `rt` in one piece. */
export function mtuFor(dst: u32, rt: Rtentry): u32 {
  const mtu = mtuOf(rt);
  const now = clock.now();
  if (now >= S.until) return mtu;
  const place = at(dst);
  return place.dst == dst && now < place.until ? min(mtu, place.mtu) : mtu;
}
