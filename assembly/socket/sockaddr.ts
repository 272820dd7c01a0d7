/**
 * An internet address and port as the engine stores them, for both families: IPv4 addresses are
 * kept as ::ffff:a.b.c.d, and the unspecified address of either family is all zeros. The program
 * that calls the engine fills one in with the same layout.
 */
@unmanaged
@final
export class SockAddr {
  addr_hi: u64; // the 16 address bytes, in network order, as they lie in memory
  addr_lo: u64;
  scope: u32; // interface index of a scoped address, else 0
  family: u16; // Af
  port: u16; // in host order
}
