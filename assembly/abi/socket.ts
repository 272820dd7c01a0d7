/** Address families (AIX numbers). */
export const enum Af {
  UNSPEC = 0,
  UNIX = 1,
  INET = 2,
  ROUTE = 17,
  LINK = 18,
  NDD = 23,
  INET6 = 24,
}

/** Socket types (AIX numbers). */
export const enum Sock {
  STREAM = 1,
  DGRAM = 2,
  RAW = 3,
  RDM = 4,
  SEQPACKET = 5,
  CONN_DGRAM = 6,
}

/** Option levels; protocols use their protocol number. */
export const enum Sol {
  LOCAL = 0, // of AF_UNIX sockets
  PACKET = 263, // of packet sockets
  SOCKET = 0xffff,
}

/** Socket-level options (AIX numbers). The flags up to 0x8000 are also the bits of so_options. */
export const enum So {
  DEBUG = 0x0001,
  ACCEPTCONN = 0x0002,
  REUSEADDR = 0x0004,
  KEEPALIVE = 0x0008,
  DONTROUTE = 0x0010,
  BROADCAST = 0x0020,
  USELOOPBACK = 0x0040,
  LINGER = 0x0080,
  OOBINLINE = 0x0100,
  REUSEPORT = 0x0200,
  USE_IFBUFS = 0x0400,
  CKSUMRECV = 0x0800,
  NOREUSEADDR = 0x1000,
  KERNACCEPT = 0x2000,
  NOMULTIPATH = 0x4000,
  SNDBUF = 0x1001,
  RCVBUF = 0x1002,
  SNDLOWAT = 0x1003,
  RCVLOWAT = 0x1004,
  SNDTIMEO = 0x1005,
  RCVTIMEO = 0x1006,
  ERROR = 0x1007,
  TYPE = 0x1008,
  PEERID = 0x1009,
  TIMESTAMPNS = 0x100a,
  MAX_PACING_RATE = 0x100b, // bytes a second, this stack's own
  ATTACH_FILTER = 0x100c, // a program of classic BPF, 8 bytes an instruction; this stack's own
  DETACH_FILTER = 0x100d,
  LOCK_FILTER = 0x100e, // the filter can no longer be changed or taken away
}

/** Flags of send and receive calls (AIX numbers; DONTWAIT is AIX's MSG_NONBLOCK). */
export const enum Msg {
  OOB = 0x1,
  PEEK = 0x2,
  DONTROUTE = 0x4,
  EOR = 0x8,
  TRUNC = 0x10,
  CTRUNC = 0x20,
  WAITALL = 0x40,
  NOSIGNAL = 0x100,
  WAITFORONE = 0x200,
  MORE = 0x8000, // more follows at once: hold a partial segment (this stack's own)
  FASTOPEN = 0x10000, // connect and send with the SYN (RFC 7413; this stack's own)
  DONTWAIT = 0x4000,
}

/** State bits of a socket, so_state (4.4BSD socketvar.h). */
export const enum Ss {
  NOFDREF = 0x001, // no descriptor refers to it
  ISCONNECTED = 0x002,
  ISCONNECTING = 0x004,
  ISDISCONNECTING = 0x008,
  CANTSENDMORE = 0x010,
  CANTRCVMORE = 0x020,
  RCVATMARK = 0x040,
  PRIV = 0x080,
  NBIO = 0x100,
  ASYNC = 0x200,
  ISCONFIRMING = 0x400,
  DEFERRED = 0x800, // connecting begins with the first data (RFC 7413; this stack's own)
  OPENING = 0x1000, // data has begun to connect it: more data waits (this stack's own)
  INFLIGHT = 0x2000, // a message that nobody has read holds it (this stack's own)
}

/** How much of a connection shutdown(2) closes. */
export const enum Shut {
  RD = 0,
  WR = 1,
  RDWR = 2,
}

/** Options at level IPPROTO_TCP: 1 to 0x14 are AIX's; from 0x100 on they are this stack's own. */
export const enum TcpOpt {
  NODELAY = 0x01,
  MAXSEG = 0x02,
  RFC1323 = 0x04,
  STDURG = 0x10,
  KEEPIDLE = 0x11, // seconds
  KEEPINTVL = 0x12, // seconds
  KEEPCNT = 0x13,
  NODELAYACK = 0x14,
  INFO = 0x100, // struct TcpInfo
  USER_TIMEOUT = 0x101, // milliseconds
  CONGESTION = 0x102, // index of the algorithm
  CORK = 0x103,
  QUICKACK = 0x104,
  NOTSENT_LOWAT = 0x105, // bytes
  SYNCNT = 0x106,
  LINGER2 = 0x107, // seconds
  DEFER_ACCEPT = 0x108, // seconds
  WINDOW_CLAMP = 0x109, // bytes
  FASTOPEN = 0x10a, // a listener's queue of Fast Open connections (RFC 7413)
  FASTOPEN_CONNECT = 0x10b,
  FASTOPEN_KEY = 0x10c, // 16 or 32 bytes
  FASTOPEN_NO_COOKIE = 0x10d,
  MTU_PROBE = 0x10e, // 1: search the path MTU on this connection (RFC 8899)
  KEEPINIT = 0x10f, // seconds that a connection attempt may last, 0: as TCP_SYNCNT says
}

/** Options at level IPPROTO_IP (4.4BSD in.h). */
export const enum IpOpt {
  OPTIONS = 1,
  HDRINCL = 2,
  TOS = 3,
  TTL = 4,
  RECVDSTADDR = 7,
  MULTICAST_IF = 9,
  MULTICAST_TTL = 10,
  MULTICAST_LOOP = 11,
  ADD_MEMBERSHIP = 12,
  DROP_MEMBERSHIP = 13,
  ADD_SOURCE_MEMBERSHIP = 70, // to 73: FreeBSD's numbers (RFC 3678 4.1)
  DROP_SOURCE_MEMBERSHIP = 71,
  BLOCK_SOURCE = 72,
  UNBLOCK_SOURCE = 73,
  MTU_DISCOVER = 0x100, // Pmtud (this stack's own number)
  MTU = 0x101, // the path MTU of a connected socket, as far as it is known
}

/** Options at level IPPROTO_RAW (Linux's number, whose SOL_RAW is the same). */
export const enum RawOpt {
  ICMP_FILTER = 1, // a bit for each ICMP type of 0 to 31 that is not wanted
}

/** Values of IP_MTU_DISCOVER: whether packets may be fragmented on their way (RFC 1191). */
export const enum Pmtud {
  DONT = 0, // they may
  WANT = 1, // not those that the path takes whole, as far as it is known; larger ones are cut here
  DO = 2, // never: what the path does not take is refused with EMSGSIZE
  PROBE = 3, // never, and what is known of the path does not count
}

/** Socket-buffer flags. */
export const enum Sb {
  NOINTR = 0x40,
  LOWAT_UNSENT = 0x80, // the protocol limits what is not sent yet: ask it by PRU_SPACE
  RECORDS = 0x200, // MSG_EOR has ended a record in this stream
  ENDS = 0x400, // what is there is to be read alone: it will not become more
  AUTOSIZE = 0x100, // sized by the protocol; cleared when the user sets SO_SNDBUF or SO_RCVBUF
}

/** Options at level SOL_LOCAL: of AF_UNIX sockets (FreeBSD's names; the last two are our own). */
export const enum LocalOpt {
  PEERCRED = 1, // process, user and group of the peer when it connected, three i32
  CREDS = 2, // the sender's come with each message
  CRED = 3, // the socket's own
  UNLINK = 4, // takes the path name away that is the value
}

/** Types of control messages at level SOL_SOCKET. */
export const enum Scm {
  RIGHTS = 1, // descriptors
  CREDS = 2, // process, user and group of the sender, three i32
}

/** Limits of AF_UNIX sockets. */
export const enum LocalLimit {
  PATH = 108, // bytes of a name
  RIGHTS = 253, // descriptors in one message
  GIVEN = 0x7fffffff, // Socket.fd of one that was received, until it has a descriptor
}
