/**
 * The control blocks of UDP-Lite, and what a socket says of the coverage of checksums: `Inpcb.ppcb`
 * holds the coverage that it sends with in its lower and the least that it takes in its upper half.
 */
import { InpcbInfo } from "../../../assembly/inet/in_pcb_hash";
import { Inpcb } from "../../../assembly/inet/in_pcb_t";

/** Its protocol number (RFC 3828 7). */
export const PROTOCOL: u32 = 136;
/** Least coverage: the header (RFC 3828 3.1). */
export const COVERAGE_MIN: u32 = 8;
/** Flag of an Inpcb: it takes only datagrams with the coverage it asks for. */
export const RECV_COVERAGE: u32 = 0x10000;

/** Tables and list of the control blocks. */
export const INFO: InpcbInfo = changetype<InpcbInfo>(memory.data(offsetof<InpcbInfo>(), 16));

/** What has happened, in the order of `counters` of mod.ts. */
@unmanaged
@final
export class UdpliteState {
  in: u64; // delivered to a socket, for each that got one
  out: u64; // handed to IP
  in_partial: u64; // of those delivered, with a checksum over a part
  short: u64; // shorter than its header
  coverage: u64; // coverage of 1 to 7 bytes, or of more than there are
  checksum: u64; // wrong, or none
  no_port: u64; // no socket has that port
  full: u64; // the socket's receive buffer is full
  below: u64; // less coverage than the socket asks for
}

export const S: UdpliteState = changetype<UdpliteState>(
  memory.data(offsetof<UdpliteState>(), 16),
);

/** Bytes that the checksum of what is sent covers; 0: all. */
export function sendCoverage(inp: Inpcb): u32 {
  return u32(inp.ppcb) & 0xffff;
}

/** Bytes that the checksum of what is taken must cover; 0: all. */
export function recvCoverage(inp: Inpcb): u32 {
  return u32(inp.ppcb) >> 16;
}

/** Sets both. */
export function setCoverage(inp: Inpcb, send: u32, recv: u32): void {
  inp.ppcb = usize(send | (recv << 16));
}
