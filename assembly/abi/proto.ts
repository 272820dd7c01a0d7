/** Kind of service a protocol gives its sockets (4.4BSD protosw.h). */
export const enum Pr {
  ATOMIC = 1, // whole messages only
  ADDR = 2, // an address comes with each message; needs ATOMIC
  CONNREQUIRED = 4, // a connection is needed; excludes ADDR
  WANTRCVD = 8, // wants PRU_RCVD when the user has taken data
  RIGHTS = 16, // passes access rights
}

/** User requests: what the socket layer asks of a protocol (4.4BSD protosw.h). */
export const enum Pru {
  ATTACH = 0, // make the protocol's part of a socket
  DETACH = 1, // dispose of it
  BIND = 2, // take the local address
  LISTEN = 3, // accept connections
  CONNECT = 4, // connect to, or set, the peer
  ACCEPT = 5, // fill in the peer of an accepted socket
  DISCONNECT = 6, // begin an orderly release
  SHUTDOWN = 7, // no more will be sent
  RCVD = 8, // the user took data, or (arg < 0) threw all away: there is room
  SEND = 9, // send this chain
  ABORT = 10, // drop the connection now
  CONTROL = 11, // ioctl
  SENSE = 12, // stat
  RCVOOB = 13, // read out-of-band data
  SENDOOB = 14, // send out-of-band data
  SOCKADDR = 15, // tell the local address
  PEERADDR = 16, // tell the peer's address
  CONNECT2 = 17, // join two sockets
  FASTTIMO = 18,
  SLOWTIMO = 19,
  PROTORCV = 20,
  PROTOSEND = 21,
  SPACE = 22, // tell how many bytes more may be queued (Sb.LOWAT_UNSENT)
  UNREF = 23, // the last descriptor is closed, but a message that nobody has read holds the socket
}

/** Control input: what lower layers report upward (4.4BSD protosw.h). */
export const enum Prc {
  IFDOWN = 0,
  ROUTEDEAD = 1,
  IFUP = 2,
  QUENCH2 = 3,
  QUENCH = 4,
  MSGSIZE = 5,
  HOSTDEAD = 6,
  HOSTUNREACH = 7,
  UNREACH_NET = 8,
  UNREACH_HOST = 9,
  UNREACH_PROTOCOL = 10,
  UNREACH_PORT = 11,
  SRCFAIL = 13,
  REDIRECT_NET = 14,
  REDIRECT_HOST = 15,
  REDIRECT_TOSNET = 16,
  REDIRECT_TOSHOST = 17,
  TIMXCEED_INTRANS = 18,
  TIMXCEED_REASS = 19,
  PARAMPROB = 20,
}

/** Direction of a control-output call. */
export const enum Prco {
  GETOPT = 0,
  SETOPT = 1,
}

/** Protocol numbers (IANA protocol-numbers). */
export const enum IpProto {
  IP = 0,
  ICMP = 1,
  IGMP = 2,
  TCP = 6,
  UDP = 17,
  IPV6 = 41,
  RAW = 255,
}
