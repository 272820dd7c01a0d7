/**
 * The mbuf: the unit in which the stack stores and passes data.
 *
 * ```
 *   one mbuf = 64 bytes of header + storage of one of two sizes
 *   +--------+------------------------------------------+
 *   | header | leading room |  data .. data+len  | tail  |
 *   +--------+------------------------------------------+
 *            ^ buf          ^ data                       ^ buf+cap
 * ```
 *
 * `next` links the mbufs of one packet or record, `nextpkt` the packets of a queue. The fields from
 * `pktlen` on mean something only in the first mbuf of a packet (`Mf.PKTHDR`).
 *
 * Ownership: a function that takes an mbuf owns the whole chain and frees it on every path, unless
 * its comment says otherwise.
 */
@unmanaged
@final
export class Mbuf {
  next: Mbuf; // next in this chain
  nextpkt: Mbuf; // next packet or record in a queue
  data: usize; // address of the first byte of data
  len: u32; // bytes of data in this mbuf
  buf: usize; // address of the storage
  cap: u32; // bytes of storage
  type: u8; // Mt
  cls: u8; // 0 small, 1 cluster: the pool it came from
  flags: u16; // Mf
  pktlen: u32; // bytes in the whole chain
  rcvif: u16; // index of the interface it came in by, 0 if made here
  l3off: u16; // offset of the network header from data at input, for captures
  aux: u32; // for the present owner: checksum to fill in, address family, ...
  aux2: u32;
  segs: u16; // wire segments that this packet stands for; 0: it is just one
  seg_size: u16; // then, bytes of payload of each but the last
  tstamp: i64; // when it came in, microseconds
}
