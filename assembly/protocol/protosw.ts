/**
 * A row of the protocol switch: the only way from the socket layer into a protocol, and from the
 * internet layer up to it. Entries are indices into the module's function table; 0 means that the
 * protocol does not have that entry.
 *
 * ```
 * input(m: usize, off: u32): void          a packet for it; m.data is the network header, off the
 *                                          offset of the transport header; owns m; decides its fate
 * ctlinput(cmd: i32, quote: usize): void   Prc; quote: the packet quoted by an ICMP error, a
 *                                          CtlQuote, or 0
 * ctloutput(op: i32, so: usize, level: i32, name: i32, ptr: usize, len: i32): i32
 *                                          Prco; reads or writes at most len bytes at ptr; answers
 *                                          the length or -errno
 * usrreq(so: usize, req: i32, m: usize, nam: usize, arg: i32): i32
 *                                          Pru; frees m in every case, errors included; the caller
 *                                          keeps nam (a SockAddr); answers >= 0 or -errno
 * init(): void   drain(): void   fasttimo(): void (200 ms)   slowtimo(): void (500 ms)
 * ```
 */
@unmanaged
@final
export class Protosw {
  next: Protosw; // next row of the domain
  family: u16; // Af of its domain
  type: u16; // Sock, 0 for a protocol without sockets
  protocol: u16; // IpProto, 0 for the raw wildcard
  flags: u16; // Pr
  input: u32;
  ctlinput: u32;
  ctloutput: u32;
  usrreq: u32;
  init: u32;
  fasttimo: u32;
  slowtimo: u32;
  drain: u32;
  sockets: u32; // sockets that use it; unloading is refused while there are any
  slot: u32; // who loaded it: 0 for the engine itself
}
