import { Protosw } from "../protocol/protosw";
import { Mbuf } from "../sys/mbuf_t";

/**
 * A socket buffer: a queue of mbufs with its limits. For a stream it is one chain; for messages
 * (PR_ATOMIC) each record is a chain and records hang together by `nextpkt`. In a record of a
 * PR_ADDR protocol the first mbuf has type MT_SONAME and holds the sender's SockAddr; MT_CONTROL
 * mbufs may follow.
 */
@unmanaged
@final
export class Sockbuf {
  cc: u32; // bytes of data
  hiwat: u32; // most bytes it may hold
  mbcnt: u32; // bytes of mbuf storage in use
  mbmax: u32; // most bytes of mbuf storage
  lowat: u32; // bytes that make it readable or writable
  flags: u32; // Sb
  mb: Mbuf; // first mbuf of the first record
  mbtail: Mbuf; // last mbuf of the last record
  lastrecord: Mbuf; // first mbuf of the last record
  sndptr: Mbuf; // where the last copy from a stream ended: the mbuf ...
  sndoff: u32; // ... and the offset in the stream at which that mbuf starts
  filter: usize; // of a receive buffer: its filter, see so_filter; 0 for none
}

/**
 * A socket: what the socket layer knows of an endpoint. Its protocol's part hangs at `pcb`. It
 * lives until no descriptor refers to it (NOFDREF) and the protocol has let go of it (pcb is 0).
 */
@unmanaged
@final
export class Socket {
  sndtimeo_us: f64; // SO_SNDTIMEO, 0 for none; the runtime enforces it
  rcvtimeo_us: f64; // SO_RCVTIMEO, 0 for none
  rcv_cc: u32; // so_rcv, laid out as a Sockbuf; see rcv()
  rcv_1: u32;
  rcv_2: u32;
  rcv_3: u32;
  rcv_4: u32;
  rcv_5: u32;
  rcv_6: u32;
  rcv_7: u32;
  rcv_8: u32;
  rcv_9: u32;
  rcv_10: u32;
  rcv_11: u32;
  snd_cc: u32; // so_snd, laid out as a Sockbuf; see snd()
  snd_1: u32;
  snd_2: u32;
  snd_3: u32;
  snd_4: u32;
  snd_5: u32;
  snd_6: u32;
  snd_7: u32;
  snd_8: u32;
  snd_9: u32;
  snd_10: u32;
  snd_11: u32;
  proto: Protosw; // the row of the protocol switch
  pcb: usize; // the protocol's control block, 0 when detached
  options: u32; // So flags
  state: u32; // Ss
  linger_s: i32; // SO_LINGER time, seconds; -1 when off
  error: i32; // pending error (positive Errno), taken by the next call
  head: Socket; // the listener whose queue this socket is on
  q0: Socket; // listener: first half-open connection
  q0tail: Socket;
  q: Socket; // listener: first completed connection
  qtail: Socket;
  qnext: Socket; // next on the listener's queue
  q0len: u32;
  qlen: u32;
  qlimit: u32; // backlog asked for by listen
  oobmark: u32; // bytes from the start of so_rcv to the urgent mark, 0 for none
  evnext: Socket; // next socket with events to report
  evpending: u16; // Ev bits to report; on the event list while not 0
  evwant: u16; // Ev bits that somebody waits for
  fd: i32; // descriptor in the runtime, -1 for none
  type: u16; // Sock
  family: u16; // Af
  inuse: u32; // 1 while allocated, for walking the table
  reserved: Mbuf; // room lent to the user by so_reserve, to be filled and committed

  /** The receive buffer. */
  @inline
  get rcv(): Sockbuf {
    return changetype<Sockbuf>(changetype<usize>(this) + offsetof<Socket>("rcv_cc"));
  }
  /** The send buffer. */
  @inline
  get snd(): Sockbuf {
    return changetype<Sockbuf>(changetype<usize>(this) + offsetof<Socket>("snd_cc"));
  }
}
