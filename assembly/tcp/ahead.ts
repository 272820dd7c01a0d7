/**
 * Looking ahead. Among very many connections a segment's control block, its parked state and its
 * socket stand in memory that no cache holds, and to follow the pointers from one to the next takes
 * the time of several accesses to memory, one after the other. For a batch of frames those of all
 * of them are made at once, which processors do side by side: a step for all frames, then the next.
 *
 * Nothing is decided here. What is read may be anything; nil, where a step leads nowhere, is
 * memory as well, and all zero.
 */
import { Limits } from "../abi/limits";
import { MbufSize } from "../abi/mbuf";
import { IpProto } from "../abi/proto";
import { Inpcb } from "../inet/in_pcb_t";
import { Ifnet } from "../net/ifnet_t";
import { Mbuf } from "../sys/mbuf_t";
import * as rand from "../sys/rand";
import * as ip4 from "../wire/ip4";
import { INFO } from "./info";

/** State of the module. */
@unmanaged
@final
export class AheadState {
  sink: u32; // something of all that was read, so that it is
}

/** Below so many connections the caches hold what is needed. */
const WORTH: u32 = 4096;
/** Frames in a batch for which it is worth the while. */
const BATCH: u32 = 4;
/** Bytes of a line of the caches. */
const LINE: usize = 64;
/** Lines of a block that is not parked, and of a socket. */
const BLOCK_LINES: usize = 15;
const SOCKET_LINES: usize = 3;
/** Pieces that a parked record has, and hardly more. */
const PIECES: u32 = 6;
/** A TCP header's ports, behind an IPv4 header without options. */
const PORTS: usize = 20;

const S: AheadState = changetype<AheadState>(memory.data(offsetof<AheadState>(), 16));
/** For each frame: where it stands on its way, and its ports as an Inpcb has them. */
const AT: usize = memory.data(Limits.RING << 3, 64);

/** Before the first `n` frames that a driver has put into what `ifp` lent it are taken in. */
export function look(ifp: Ifnet, n: u32): void {
  if (INFO.conns < WORTH || n < BATCH || ifp.slots) return;
  const end = chains(ifp, min(n, ifp.rx_lent));
  for (let at = AT; at < end; at += 8) store<usize>(at, load<usize>(load<usize>(at)));
  let sink: u32 = 0;
  for (let at = AT; at < end; at += 8) {
    const inp = load<Inpcb>(at);
    const other = load<u32>(changetype<usize>(inp), offsetof<Inpcb>("lport")) != load<u32>(at, 4);
    store<Inpcb>(at, other ? inp.conn_next : inp);
  }
  for (let at = AT; at < end; at += 8) {
    const inp = load<Inpcb>(at);
    sink ^= touch(changetype<usize>(inp.so), SOCKET_LINES);
    const block = inp.ppcb;
    if (block & 1) store<usize>(at, load<usize>(block - 1));
    else {
      sink ^= touch(block, BLOCK_LINES);
      store<usize>(at, 0);
    }
  }
  for (let i: u32 = 1; i < PIECES; i++) {
    for (let at = AT; at < end; at += 8) store<usize>(at, load<usize>(load<usize>(at)));
  }
  for (let at = AT; at < end; at += 8) sink ^= load<u32>(at);
  S.sink = sink;
}

/** Where the chains begin of the TCP segments among the frames; answers the end of the list. */
function chains(ifp: Ifnet, n: u32): usize {
  let at = AT;
  for (let i: u32 = 0; i < n; i++) {
    // Not where the descriptor says: that is the driver's to write.
    const p = load<Mbuf>(ifp.rxmbuf + (i << 2)).buf + MbufSize.MAX_LINKHDR;
    if (load<u8>(p) != ip4.VERSION_IHL || ip4.protocol(p) != IpProto.TCP) continue;
    const ports = bswap<u32>(load<u32>(p, PORTS));
    const h = rand.hash3(mapped(p + 16), mapped(p + 12), u64(rotl<u32>(ports, 16)));
    store<usize>(at, INFO.conn + (u32(h) & INFO.mask) * sizeof<usize>());
    store<u32>(at, ports, 4);
    at += 8;
  }
  return at;
}

/** The lower half of the IPv4 address at `p` as an Inpcb has it: ::ffff:a.b.c.d. */
function mapped(p: usize): u64 {
  return (u64(load<u32>(p)) << 32) | 0xffff0000;
}

function touch(p: usize, lines: usize): u32 {
  let sink: u32 = 0;
  const end = p + lines * LINE;
  for (; p < end; p += LINE) sink ^= load<u32>(p);
  return sink;
}
