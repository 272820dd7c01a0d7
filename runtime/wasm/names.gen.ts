// Written by build.ts from the enums of assembly/abi/; do not edit.

/** Name of a constant, and what assembly/abi/ says about it. */
export interface ConstantName {
  readonly name: string;
  readonly note: string;
}

/** Names by value. */
export type ConstantNames = Readonly<Record<number, ConstantName>>;

/** `BpfCode` of assembly/abi/bpf.ts. */
export const BPF_CODE_NAMES: ConstantNames = {
  0: { name: "LD_IMM", note: "A = k" },
  32: { name: "LD_W_ABS", note: "A = 4 bytes at k" },
  40: { name: "LD_H_ABS", note: "A = 2 bytes at k" },
  48: { name: "LD_B_ABS", note: "A = the byte at k" },
  64: { name: "LD_W_IND", note: "A = 4 bytes at x + k" },
  72: { name: "LD_H_IND", note: "A = 2 bytes at x + k" },
  80: { name: "LD_B_IND", note: "A = the byte at x + k" },
  96: { name: "LD_MEM", note: "A = M[k]" },
  128: { name: "LD_LEN", note: "A = length on the wire" },
  1: { name: "LDX_IMM", note: "X = k" },
  97: { name: "LDX_MEM", note: "X = M[k]" },
  129: { name: "LDX_LEN", note: "X = length on the wire" },
  177: { name: "LDX_MSH", note: "X = 4 * (the byte at k & 0xf): length of an IPv4 header" },
  2: { name: "ST", note: "M[k] = A" },
  3: { name: "STX", note: "M[k] = X" },
  4: { name: "ADD_K", note: "A += k" },
  20: { name: "SUB_K", note: "A -= k" },
  36: { name: "MUL_K", note: "A *= k" },
  52: { name: "DIV_K", note: "A /= k, unsigned" },
  68: { name: "OR_K", note: "A |= k" },
  84: { name: "AND_K", note: "A &= k" },
  100: { name: "LSH_K", note: "A <<= k" },
  116: { name: "RSH_K", note: "A >>= k" },
  132: { name: "NEG", note: "A = -A" },
  148: { name: "MOD_K", note: "A %= k" },
  164: { name: "XOR_K", note: "A ^= k" },
  12: { name: "ADD_X", note: "A += X" },
  28: { name: "SUB_X", note: "A -= X" },
  44: { name: "MUL_X", note: "A *= X" },
  60: { name: "DIV_X", note: "A /= X; X = 0 rejects the packet" },
  76: { name: "OR_X", note: "A |= X" },
  92: { name: "AND_X", note: "A &= X" },
  108: { name: "LSH_X", note: "A <<= X; 0 from X = 32 on" },
  124: { name: "RSH_X", note: "A >>= X; 0 from X = 32 on" },
  156: { name: "MOD_X", note: "A %= X; X = 0 rejects the packet" },
  172: { name: "XOR_X", note: "A ^= X" },
  5: { name: "JA", note: "skips k instructions" },
  21: { name: "JEQ_K", note: "A == k: skips jt instructions, else jf" },
  37: { name: "JGT_K", note: "A > k" },
  53: { name: "JGE_K", note: "A >= k" },
  69: { name: "JSET_K", note: "A & k" },
  29: { name: "JEQ_X", note: "A == X" },
  45: { name: "JGT_X", note: "A > X" },
  61: { name: "JGE_X", note: "A >= X" },
  77: { name: "JSET_X", note: "A & X" },
  6: { name: "RET_K", note: "answers k: bytes of the packet to keep, 0 to reject it" },
  22: { name: "RET_A", note: "answers A" },
  7: { name: "TAX", note: "X = A" },
  135: { name: "TXA", note: "A = X" },
};

/** `BpfLimit` of assembly/abi/bpf.ts. */
export const BPF_LIMIT_NAMES: ConstantNames = {
  4096: { name: "INSNS", note: "instructions of a program (BPF_MAXINSNS)" },
  16: { name: "MEMWORDS", note: "words of scratch memory" },
  8: { name: "INSN_BYTES", note: "bytes of an instruction" },
};

/** `BpfAd` of assembly/abi/bpf.ts. */
export const BPF_AD_NAMES: ConstantNames = {
  [-4096]: { name: "PROTOCOL", note: "ethertype of the packet" },
  [-4092]: { name: "PKTTYPE", note: "for whom it was: the packet type of a packet socket's address" },
  [-4088]: { name: "IFINDEX", note: "index of the interface; without one the packet is rejected" },
  [-4068]: { name: "HATYPE", note: "hardware type of the interface" },
  [-4056]: { name: "XOR_X", note: "A ^= X: nothing is loaded" },
  [-4052]: { name: "VLAN_TAG", note: "tag that was taken out of the frame, 0 if there was none" },
  [-4048]: { name: "VLAN_TAG_PRESENT", note: "1 if a tag was taken out" },
  [-4036]: { name: "VLAN_TPID", note: "ethertype of that tag" },
  [-1048576]: { name: "NET_OFF", note: "SKF_NET_OFF: relative to the network header" },
  [-2097152]: { name: "LL_OFF", note: "SKF_LL_OFF: relative to the link header" },
};

/** `BpfFault` of assembly/abi/bpf.ts. */
export const BPF_FAULT_NAMES: ConstantNames = {
  0: { name: "NONE", note: "the program is sound" },
  1: { name: "EMPTY", note: "no instructions" },
  2: { name: "LONG", note: "more than 4096 instructions" },
  3: { name: "CODE", note: "no such instruction" },
  4: { name: "JUMP", note: "a jump out of the program" },
  5: { name: "SCRATCH", note: "scratch memory has 16 words" },
  6: { name: "UNSET", note: "scratch memory is read that may not have been written" },
  7: { name: "DIVISION", note: "a division by the constant 0" },
  8: { name: "SHIFT", note: "a shift by more than 31" },
  9: { name: "EXTENSION", note: "a load from an extension that does not exist" },
  10: { name: "END", note: "the last instruction does not return" },
};

/** `Errno` of assembly/abi/errno.ts. */
export const ERRNO_NAMES: ConstantNames = {
  0: { name: "OK", note: "" },
  1: { name: "EPERM", note: "the caller may not do that" },
  2: { name: "ENOENT", note: "no such entry" },
  3: { name: "ESRCH", note: "no such route" },
  4: { name: "EINTR", note: "the wait was cancelled" },
  5: { name: "EIO", note: "the device failed" },
  6: { name: "ENXIO", note: "no such interface" },
  9: { name: "EBADF", note: "not an open descriptor" },
  11: { name: "EAGAIN", note: "would block; EWOULDBLOCK is the same number" },
  12: { name: "ENOMEM", note: "out of memory" },
  13: { name: "EACCES", note: "permission denied" },
  14: { name: "EFAULT", note: "bad address" },
  16: { name: "EBUSY", note: "in use" },
  17: { name: "EEXIST", note: "already there" },
  19: { name: "ENODEV", note: "no such device" },
  22: { name: "EINVAL", note: "invalid argument" },
  24: { name: "EMFILE", note: "too many open descriptors" },
  32: { name: "EPIPE", note: "the sending side is shut down" },
  55: { name: "EINPROGRESS", note: "the connection attempt has begun" },
  56: { name: "EALREADY", note: "a connection attempt is already under way" },
  57: { name: "ENOTSOCK", note: "the descriptor is not a socket" },
  58: { name: "EDESTADDRREQ", note: "no destination given and none set" },
  59: { name: "EMSGSIZE", note: "message too long to send in one piece" },
  60: { name: "EPROTOTYPE", note: "protocol exists but not for this socket type" },
  61: { name: "ENOPROTOOPT", note: "no such option at this level" },
  62: { name: "EPROTONOSUPPORT", note: "no such protocol in this domain" },
  63: { name: "ESOCKTNOSUPPORT", note: "socket type not supported" },
  64: { name: "EOPNOTSUPP", note: "operation makes no sense on this socket" },
  65: { name: "EPFNOSUPPORT", note: "protocol family not configured" },
  66: { name: "EAFNOSUPPORT", note: "address family cannot be used with this protocol" },
  67: { name: "EADDRINUSE", note: "local address already taken" },
  68: { name: "EADDRNOTAVAIL", note: "that address is not ours" },
  69: { name: "ENETDOWN", note: "interface or network is down" },
  70: { name: "ENETUNREACH", note: "no route to the network" },
  71: { name: "ENETRESET", note: "network dropped the connection" },
  72: { name: "ECONNABORTED", note: "we aborted the connection" },
  73: { name: "ECONNRESET", note: "the peer reset it" },
  74: { name: "ENOBUFS", note: "no mbufs, or a queue is full" },
  75: { name: "EISCONN", note: "already connected" },
  76: { name: "ENOTCONN", note: "not connected" },
  77: { name: "ESHUTDOWN", note: "sending side already shut down" },
  78: { name: "ETIMEDOUT", note: "the peer did not answer in time" },
  79: { name: "ECONNREFUSED", note: "nobody listens there" },
  80: { name: "EHOSTDOWN", note: "the next hop does not answer" },
  81: { name: "EHOSTUNREACH", note: "no route to the host" },
  85: { name: "ELOOP", note: "the way leads back to where it began" },
  124: { name: "ENOTSUP", note: "not supported" },
};

/** `Ev` of assembly/abi/event.ts. */
export const EV_NAMES: ConstantNames = {
  1: { name: "READ", note: "readable: data, end of stream, a connection to accept, or an error" },
  2: { name: "WRITE", note: "writable, or writing fails at once" },
  4: { name: "STATE", note: "connected, disconnected or failed" },
  8: { name: "OOB", note: "urgent data or mark arrived" },
  16: { name: "HUP", note: "both directions are finished" },
  32: { name: "ERROR", note: "so_error is set" },
};

/** `Fate` of assembly/abi/fate.ts. */
export const FATE_NAMES: ConstantNames = {
  0: { name: "NONE", note: "not decided yet" },
  1: { name: "ARP_ANSWERED", note: "a request for our address, answered (RFC 826)" },
  2: { name: "ARP_LEARNED", note: "a neighbour's address was learned or refreshed (RFC 826)" },
  3: { name: "ARP_IGNORED", note: "valid, but not for us and nothing to refresh" },
  4: { name: "IP_FORWARDED", note: "sent on toward its destination (RFC 1812 5.2)" },
  5: { name: "IP_FRAGMENT_HELD", note: "kept until the datagram is whole (RFC 791 3.2)" },
  8: { name: "ICMP_ECHO_ANSWERED", note: "an echo request, answered (RFC 792)" },
  9: { name: "ICMP_DELIVERED", note: "an error or reply, handed to a protocol or a raw socket" },
  10: { name: "IGMP_ACCEPTED", note: "a query or report, used (RFC 2236)" },
  12: { name: "UDP_DELIVERED", note: "put into a socket's receive buffer" },
  13: { name: "RAW_DELIVERED", note: "put into the receive buffer of a raw socket" },
  16: { name: "TCP_ACCEPTED", note: "acceptable, processed by a connection (RFC 9293 3.10.7.4)" },
  17: { name: "TCP_SYN_ACCEPTED", note: "a SYN for a listener, answered with SYN-ACK" },
  18: { name: "TCP_CONNECTION_MADE", note: "the ACK that completes a handshake" },
  19: { name: "TCP_TIME_WAIT", note: "taken by a connection in TIME-WAIT" },
  24: { name: "HOST_PROTOCOL", note: "queued for a protocol in the runtime" },
  25: { name: "INPUT_TYPE", note: "handed to a registered input type" },
  64: { name: "IF_DOWN", note: "the interface is down" },
  65: { name: "ETHER_SHORT", note: "shorter than an Ethernet header" },
  66: { name: "ETHER_NOT_OURS", note: "unicast to another station" },
  67: { name: "ETHER_TYPE_UNKNOWN", note: "no protocol takes this ethertype" },
  68: { name: "ETHER_SOURCE_MULTICAST", note: "the source is a group address (IEEE 802.3)" },
  69: { name: "FRAME_TOO_LONG", note: "longer than the interface's MTU" },
  70: { name: "VNET_INVALID", note: "its virtio_net_hdr makes no sense (virtio 1.2, 5.1.6.4)" },
  72: { name: "ARP_MALFORMED", note: "header types or lengths are not Ethernet and IPv4 (RFC 826)" },
  73: { name: "ARP_SOURCE_INVALID", note: "the sender claims a multicast, broadcast or our own hardware address" },
  74: { name: "ARP_CONFLICT", note: "another station claims our address (RFC 5227 2.4)" },
  80: { name: "IP_SHORT", note: "shorter than its header or its total length (RFC 1122 3.2.1.1)" },
  81: { name: "IP_VERSION", note: "the version is not 4 (RFC 1122 3.2.1.1)" },
  82: { name: "IP_HEADER_LENGTH", note: "IHL below 5 words or beyond the packet (RFC 791 3.1)" },
  83: { name: "IP_CHECKSUM", note: "the header checksum is wrong (RFC 1122 3.2.1.2)" },
  84: { name: "IP_SOURCE_INVALID", note: "source is no other host, or elsewhere (RFC 1122 3.2.1.3, 3704)" },
  85: { name: "IP_OPTIONS", note: "malformed options, or a source route (RFC 7126)" },
  86: { name: "IP_NOT_OURS", note: "for another host, and forwarding is off (RFC 1122 3.3.4.2)" },
  87: { name: "IP_TTL_EXCEEDED", note: "TTL ran out while forwarding (RFC 1812 5.3.1)" },
  88: { name: "IP_NO_ROUTE", note: "no route to forward it along (RFC 1812 5.2.7.1)" },
  89: { name: "IP_MUST_FRAGMENT", note: "too large to forward and DF is set (RFC 1191)" },
  90: { name: "IP_PROTOCOL_UNKNOWN", note: "no protocol with that number (RFC 1122 3.2.2.1)" },
  91: { name: "IP_FRAGMENT_INVALID", note: "length not a multiple of 8, or beyond 65,535 bytes (RFC 791)" },
  92: { name: "IP_FRAGMENT_OVERLAP", note: "overlaps another fragment (RFC 5722 applied to IPv4)" },
  93: { name: "IP_FRAGMENT_LIMIT", note: "too many datagrams or bytes wait for fragments" },
  94: { name: "IP_MULTICAST_NOT_MEMBER", note: "a group this interface has not joined (RFC 1112)" },
  95: { name: "IP_LOOPBACK_OUTSIDE", note: "a 127/8 destination from outside (RFC 1122 3.2.1.3)" },
  100: { name: "ICMP_SHORT", note: "shorter than its header (RFC 792)" },
  101: { name: "ICMP_CHECKSUM", note: "wrong checksum (RFC 792)" },
  102: { name: "ICMP_TYPE_UNKNOWN", note: "unknown type, silently discarded (RFC 1122 3.2.2)" },
  103: { name: "ICMP_BROADCAST", note: "echo to a broadcast or multicast address (RFC 1122 3.2.2.6)" },
  104: { name: "ICMP_QUOTE_INVALID", note: "the packet quoted in an error makes no sense (RFC 5927)" },
  105: { name: "ICMP_RATE_LIMITED", note: "an echo reply beyond the rate limit" },
  106: { name: "IGMP_INVALID", note: "short, wrong checksum or unknown type (RFC 2236)" },
  110: { name: "UDP_SHORT", note: "length field below 8 or beyond the packet (RFC 768)" },
  111: { name: "UDP_CHECKSUM", note: "wrong checksum (RFC 1122 4.1.3.4)" },
  112: { name: "UDP_NO_PORT", note: "no socket has that port (RFC 1122 4.1.3.1)" },
  113: { name: "UDP_NO_PORT_BROADCAST", note: "the same, for a broadcast: no ICMP (RFC 1122 3.2.2)" },
  114: { name: "UDP_BUFFER_FULL", note: "the socket's receive buffer is full" },
  115: { name: "UDP_FILTERED", note: "the socket's filter rejects it" },
  120: { name: "TCP_SHORT", note: "shorter than its header, or data offset below 5 words (RFC 9293 3.1)" },
  121: { name: "TCP_CHECKSUM", note: "wrong checksum (RFC 9293 3.1, MUST-3)" },
  122: { name: "TCP_NO_CONNECTION", note: "no connection or listener: answered with RST (RFC 9293 3.10.7.1)" },
  123: { name: "TCP_NO_CONNECTION_RST", note: "a RST for no connection: no answer (RFC 9293 3.10.7.1)" },
  124: { name: "TCP_BROADCAST", note: "addressed to a broadcast or multicast address (RFC 9293 MUST-57)" },
  125: { name: "TCP_LISTEN_INVALID", note: "not a SYN to a listener (RFC 9293 3.10.7.2)" },
  126: { name: "TCP_BACKLOG_FULL", note: "the listener's backlog is full" },
  127: { name: "TCP_SYN_SENT_INVALID", note: "not acceptable in SYN-SENT (RFC 9293 3.10.7.3)" },
  128: { name: "TCP_OUT_OF_WINDOW", note: "sequence number not acceptable: ACK sent (RFC 9293 3.10.7.4)" },
  129: { name: "TCP_PAWS", note: "timestamp older than the last (RFC 7323 5.3)" },
  130: { name: "TCP_TIMESTAMP_MISSING", note: "no timestamp where one was agreed (RFC 7323 3.2)" },
  131: { name: "TCP_RST_OUT_OF_WINDOW", note: "RST outside the window (RFC 5961 3.2)" },
  132: { name: "TCP_RST_CHALLENGED", note: "RST in the window, not at RCV.NXT: challenge ACK (RFC 5961 3.2)" },
  133: { name: "TCP_SYN_CHALLENGED", note: "SYN in a synchronized state: challenge ACK (RFC 5961 4.2)" },
  134: { name: "TCP_NO_ACK", note: "no ACK bit (RFC 9293 3.10.7.4)" },
  135: { name: "TCP_ACK_INVALID", note: "acknowledges what was never sent, or is too old (RFC 5961 5.2)" },
  136: { name: "TCP_AFTER_CLOSE", note: "data after the user closed: answered with RST (RFC 9293 3.6.1)" },
  137: { name: "TCP_REASSEMBLY_LIMIT", note: "too much out-of-order data waits" },
  138: { name: "TCP_SYN_FIN", note: "SYN and FIN at once, and the setting drop_synfin" },
  140: { name: "RAW_BUFFER_FULL", note: "the raw socket's receive buffer is full" },
  141: { name: "RAW_FILTERED", note: "the raw socket's filter rejects it" },
  150: { name: "NO_BUFFERS", note: "the mbuf pool is exhausted" },
  151: { name: "HOST_QUEUE_FULL", note: "the queue to a protocol in the runtime is full" },
};

/** `Iff` of assembly/abi/ifnet.ts. */
export const IFF_NAMES: ConstantNames = {
  1: { name: "UP", note: "" },
  2: { name: "BROADCAST", note: "" },
  4: { name: "DEBUG", note: "" },
  8: { name: "LOOPBACK", note: "" },
  16: { name: "POINTOPOINT", note: "" },
  32: { name: "NOTRAILERS", note: "" },
  64: { name: "RUNNING", note: "" },
  128: { name: "NOARP", note: "" },
  256: { name: "PROMISC", note: "" },
  512: { name: "ALLMULTI", note: "" },
  1024: { name: "OACTIVE", note: "" },
  2048: { name: "SIMPLEX", note: "" },
  524288: { name: "MULTICAST", note: "" },
};

/** `Medium` of assembly/abi/ifnet.ts. */
export const MEDIUM_NAMES: ConstantNames = {
  1: { name: "ETHERNET", note: "" },
  2: { name: "IP", note: "bare IP packets (TUN, tunnels, loopback)" },
};

/** `IfCap` of assembly/abi/ifnet.ts. */
export const IF_CAP_NAMES: ConstantNames = {
  1: { name: "RXCSUM", note: "every frame handed in has verified checksums" },
  2: { name: "TXCSUM", note: "the device fills in transport checksums" },
  4: { name: "VNET_HDR", note: "frames in both directions begin with a virtio_net_hdr, and may be super-frames" },
};

/** `Sioc` of assembly/abi/ifnet.ts. */
export const SIOC_NAMES: ConstantNames = {
  1: { name: "FIONREAD", note: "bytes ready to read" },
  2: { name: "FIONBIO", note: "set or clear non-blocking" },
  3: { name: "ATMARK", note: "at the urgent mark?" },
  4: { name: "OUTQ", note: "bytes queued and not acknowledged" },
  5: { name: "OUTQNSD", note: "bytes queued and not sent" },
  10: { name: "GIFCONF", note: "list interface indices" },
  11: { name: "GIFFLAGS", note: "" },
  12: { name: "SIFFLAGS", note: "" },
  13: { name: "GIFADDR", note: "" },
  14: { name: "AIFADDR", note: "add an address" },
  15: { name: "DIFADDR", note: "delete an address" },
  16: { name: "GIFMTU", note: "" },
  17: { name: "SIFMTU", note: "" },
  18: { name: "GIFHWADDR", note: "" },
  19: { name: "GIFSTATS", note: "" },
  20: { name: "ADDRT", note: "add a route" },
  21: { name: "DELRT", note: "delete a route" },
  22: { name: "GETRT", note: "look a route up" },
  23: { name: "CHGRT", note: "change a route" },
  30: { name: "SARP", note: "set a static neighbour" },
  31: { name: "GARP", note: "" },
  32: { name: "DARP", note: "" },
};

/** `EtherType` of assembly/abi/ifnet.ts. */
export const ETHER_TYPE_NAMES: ConstantNames = {
  2048: { name: "IP", note: "" },
  2054: { name: "ARP", note: "" },
  33024: { name: "VLAN", note: "" },
  34525: { name: "IPV6", note: "" },
};

/** `Limits` of assembly/abi/limits.ts. */
export const LIMITS_NAMES: ConstantNames = {
  64: { name: "INTERFACES", note: "interfaces of one stack" },
  16: { name: "SLOTS", note: "most frames in one batch if they can be larger than an mbuf; a power of two" },
  65600: { name: "SLOT_BYTES", note: "room of each: a virtio_net_hdr, a link header and an IP packet" },
  1024: { name: "IF_SNDQ", note: "frames waiting in an interface's send queue; a power of two" },
  134217728: { name: "SB_MAX", note: "largest socket buffer, bytes" },
  256: { name: "EVENT_BATCH", note: "events taken by one call" },
  65536: { name: "STAGING", note: "bytes of the area through which user data passes" },
};

/** `Mt` of assembly/abi/mbuf.ts. */
export const MT_NAMES: ConstantNames = {
  0: { name: "FREE", note: "" },
  1: { name: "DATA", note: "" },
  2: { name: "HEADER", note: "" },
  3: { name: "SOCKET", note: "" },
  4: { name: "PCB", note: "" },
  5: { name: "RTABLE", note: "" },
  8: { name: "SONAME", note: "" },
  10: { name: "SOOPTS", note: "" },
  11: { name: "FTABLE", note: "" },
  12: { name: "RIGHTS", note: "" },
  13: { name: "IFADDR", note: "" },
  14: { name: "CONTROL", note: "" },
  15: { name: "OOBDATA", note: "" },
};

/** `Mf` of assembly/abi/mbuf.ts. */
export const MF_NAMES: ConstantNames = {
  1: { name: "EXT", note: "holds a cluster" },
  2: { name: "PKTHDR", note: "first mbuf of a packet" },
  4: { name: "EOR", note: "last mbuf of a record" },
  256: { name: "BCAST", note: "came in as, or goes out to, a link-level broadcast" },
  512: { name: "MCAST", note: "the same for multicast" },
  1024: { name: "LOOP", note: "crossed the loopback interface" },
  4096: { name: "CSUM_IP_OK", note: "the device verified the IP header" },
  16384: { name: "CSUM_PARTIAL", note: "the transport checksum field holds the sum of the pseudo-header alone" },
  8192: { name: "CSUM_L4_OK", note: "the device, or this memory, vouches for the transport checksum" },
  32768: { name: "MERGED", note: "TCP segments put together: each mbuf is one, its own headers before its data" },
};

/** `MbufSize` of assembly/abi/mbuf.ts. */
export const MBUF_SIZE_NAMES: ConstantNames = {
  64: { name: "HEADER", note: "struct Mbuf" },
  192: { name: "MLEN", note: "data bytes of a small mbuf" },
  2048: { name: "MCLBYTES", note: "data bytes of a cluster mbuf" },
  256: { name: "MSIZE", note: "a small mbuf with its header" },
  2112: { name: "MCLSIZE", note: "a cluster mbuf with its header" },
  16: { name: "MAX_LINKHDR", note: "room kept for a link header" },
  144: { name: "MAX_HDR", note: "room kept for link, network and transport headers with options" },
};

/** `HostKind` of assembly/abi/module.ts. */
export const HOST_KIND_NAMES: ConstantNames = {
  0: { name: "PACKET", note: "by protocol number: the IP header is at the mbuf's data" },
  1: { name: "FRAME", note: "by ethertype, which is the key" },
  2: { name: "DATAGRAM", note: "by UDP port: the payload is at the mbuf's data, the key is the tunnel's socket" },
};

/** `ModuleLimit` of assembly/abi/module.ts. */
export const MODULE_LIMIT_NAMES: ConstantNames = {
  32: { name: "SLOTS", note: "modules at a time" },
  1024: { name: "ENTRIES", note: "places of the function table that one may have" },
  16777216: { name: "BYTES", note: "memory that one may have for its variables" },
};

/** `PacketType` of assembly/abi/packet.ts. */
export const PACKET_TYPE_NAMES: ConstantNames = {
  0: { name: "HOST", note: "this host" },
  1: { name: "BROADCAST", note: "" },
  2: { name: "MULTICAST", note: "" },
  3: { name: "OTHERHOST", note: "another one: seen in promiscuous mode only" },
  4: { name: "OUTGOING", note: "sent by this host" },
};

/** `EthP` of assembly/abi/packet.ts. */
export const ETH_P_NAMES: ConstantNames = {
  0: { name: "NONE", note: "nothing" },
  3: { name: "ALL", note: "every frame, and those that are sent" },
  4: { name: "LLC", note: "frames with a length in place of a type (IEEE 802.3)" },
};

/** `PacketOpt` of assembly/abi/packet.ts. */
export const PACKET_OPT_NAMES: ConstantNames = {
  1: { name: "ADD_MEMBERSHIP", note: "two i32: interface, PacketMr" },
  2: { name: "DROP_MEMBERSHIP", note: "" },
  6: { name: "STATISTICS", note: "two u32: frames taken, and of them those dropped; reading sets both to 0" },
};

/** `PacketMr` of assembly/abi/packet.ts. */
export const PACKET_MR_NAMES: ConstantNames = {
  1: { name: "PROMISC", note: "frames for others" },
  2: { name: "ALLMULTI", note: "frames for every group" },
};

/** `Pr` of assembly/abi/proto.ts. */
export const PR_NAMES: ConstantNames = {
  1: { name: "ATOMIC", note: "whole messages only" },
  2: { name: "ADDR", note: "an address comes with each message; needs ATOMIC" },
  4: { name: "CONNREQUIRED", note: "a connection is needed; excludes ADDR" },
  8: { name: "WANTRCVD", note: "wants PRU_RCVD when the user has taken data" },
  16: { name: "RIGHTS", note: "passes access rights" },
};

/** `Pru` of assembly/abi/proto.ts. */
export const PRU_NAMES: ConstantNames = {
  0: { name: "ATTACH", note: "make the protocol's part of a socket" },
  1: { name: "DETACH", note: "dispose of it" },
  2: { name: "BIND", note: "take the local address" },
  3: { name: "LISTEN", note: "accept connections" },
  4: { name: "CONNECT", note: "connect to, or set, the peer" },
  5: { name: "ACCEPT", note: "fill in the peer of an accepted socket" },
  6: { name: "DISCONNECT", note: "begin an orderly release" },
  7: { name: "SHUTDOWN", note: "no more will be sent" },
  8: { name: "RCVD", note: "the user took data, or (arg < 0) threw all away: there is room" },
  9: { name: "SEND", note: "send this chain" },
  10: { name: "ABORT", note: "drop the connection now" },
  11: { name: "CONTROL", note: "ioctl" },
  12: { name: "SENSE", note: "stat" },
  13: { name: "RCVOOB", note: "read out-of-band data" },
  14: { name: "SENDOOB", note: "send out-of-band data" },
  15: { name: "SOCKADDR", note: "tell the local address" },
  16: { name: "PEERADDR", note: "tell the peer's address" },
  17: { name: "CONNECT2", note: "join two sockets" },
  18: { name: "FASTTIMO", note: "" },
  19: { name: "SLOWTIMO", note: "" },
  20: { name: "PROTORCV", note: "" },
  21: { name: "PROTOSEND", note: "" },
  22: { name: "SPACE", note: "tell how many bytes more may be queued (Sb.LOWAT_UNSENT)" },
  23: { name: "UNREF", note: "the last descriptor is closed, but a message that nobody has read holds the socket" },
};

/** `Prc` of assembly/abi/proto.ts. */
export const PRC_NAMES: ConstantNames = {
  0: { name: "IFDOWN", note: "" },
  1: { name: "ROUTEDEAD", note: "" },
  2: { name: "IFUP", note: "" },
  3: { name: "QUENCH2", note: "" },
  4: { name: "QUENCH", note: "" },
  5: { name: "MSGSIZE", note: "" },
  6: { name: "HOSTDEAD", note: "" },
  7: { name: "HOSTUNREACH", note: "" },
  8: { name: "UNREACH_NET", note: "" },
  9: { name: "UNREACH_HOST", note: "" },
  10: { name: "UNREACH_PROTOCOL", note: "" },
  11: { name: "UNREACH_PORT", note: "" },
  13: { name: "SRCFAIL", note: "" },
  14: { name: "REDIRECT_NET", note: "" },
  15: { name: "REDIRECT_HOST", note: "" },
  16: { name: "REDIRECT_TOSNET", note: "" },
  17: { name: "REDIRECT_TOSHOST", note: "" },
  18: { name: "TIMXCEED_INTRANS", note: "" },
  19: { name: "TIMXCEED_REASS", note: "" },
  20: { name: "PARAMPROB", note: "" },
};

/** `Prco` of assembly/abi/proto.ts. */
export const PRCO_NAMES: ConstantNames = {
  0: { name: "GETOPT", note: "" },
  1: { name: "SETOPT", note: "" },
};

/** `IpProto` of assembly/abi/proto.ts. */
export const IP_PROTO_NAMES: ConstantNames = {
  0: { name: "IP", note: "" },
  1: { name: "ICMP", note: "" },
  2: { name: "IGMP", note: "" },
  6: { name: "TCP", note: "" },
  17: { name: "UDP", note: "" },
  41: { name: "IPV6", note: "" },
  255: { name: "RAW", note: "" },
};

/** `Rtf` of assembly/abi/route.ts. */
export const RTF_NAMES: ConstantNames = {
  1: { name: "UP", note: "" },
  2: { name: "GATEWAY", note: "" },
  4: { name: "HOST", note: "" },
  8: { name: "REJECT", note: "" },
  16: { name: "DYNAMIC", note: "" },
  32: { name: "MODIFIED", note: "" },
  64: { name: "DONE", note: "" },
  1024: { name: "LLINFO", note: "" },
  2048: { name: "STATIC", note: "" },
  4096: { name: "BLACKHOLE", note: "" },
  2097152: { name: "LOCAL", note: "one of this host's own addresses" },
  4194304: { name: "BROADCAST", note: "a broadcast address of an interface" },
};

/** `Rtm` of assembly/abi/route.ts. */
export const RTM_NAMES: ConstantNames = {
  1: { name: "ADD", note: "" },
  2: { name: "DELETE", note: "" },
  3: { name: "CHANGE", note: "" },
  4: { name: "GET", note: "" },
  5: { name: "LOSING", note: "" },
  6: { name: "REDIRECT", note: "" },
  7: { name: "MISS", note: "" },
  8: { name: "LOCK", note: "" },
  12: { name: "NEWADDR", note: "" },
  13: { name: "DELADDR", note: "" },
  14: { name: "IFINFO", note: "" },
};

/** `RtMsg` of assembly/abi/route.ts. */
export const RT_MSG_NAMES: ConstantNames = {
  0: { name: "LENGTH", note: "of the whole message, u16" },
  2: { name: "VERSION", note: "u8" },
  3: { name: "TYPE", note: "Rtm, u8" },
  4: { name: "INDEX", note: "interface, u16" },
  8: { name: "FLAGS", note: "Rtf, and from here on 32 bits each" },
  12: { name: "ADDRS", note: "Rta" },
  16: { name: "PID", note: "" },
  20: { name: "SEQ", note: "" },
  24: { name: "ERRNO", note: "" },
  28: { name: "USE", note: "" },
  32: { name: "INITS", note: "Rtv: which metrics are given" },
  36: { name: "LOCKS", note: "" },
  40: { name: "MTU", note: "" },
  44: { name: "HOPCOUNT", note: "" },
  48: { name: "EXPIRE", note: "" },
  52: { name: "RECVPIPE", note: "" },
  56: { name: "SENDPIPE", note: "" },
  60: { name: "SSTHRESH", note: "" },
  64: { name: "RTT", note: "" },
  68: { name: "RTTVAR", note: "" },
  72: { name: "PKSENT", note: "" },
  76: { name: "SIZE", note: "of the header: the addresses begin here" },
};

/** `IfMsg` of assembly/abi/route.ts. */
export const IF_MSG_NAMES: ConstantNames = {
  4: { name: "ADDRS", note: "Rta, and from here on 32 bits each but for what is told" },
  8: { name: "FLAGS", note: "Iff" },
  12: { name: "INDEX", note: "u16" },
  16: { name: "IFTYPE", note: "Ift, u8" },
  17: { name: "ADDRLEN", note: "u8" },
  18: { name: "HDRLEN", note: "u8" },
  20: { name: "MTU", note: "" },
  24: { name: "METRIC", note: "" },
  28: { name: "BAUDRATE", note: "" },
  32: { name: "IPACKETS", note: "" },
  36: { name: "IERRORS", note: "" },
  40: { name: "OPACKETS", note: "" },
  44: { name: "OERRORS", note: "" },
  48: { name: "COLLISIONS", note: "" },
  52: { name: "IBYTES", note: "" },
  56: { name: "OBYTES", note: "" },
  60: { name: "IMCASTS", note: "" },
  64: { name: "OMCASTS", note: "" },
  68: { name: "IQDROPS", note: "" },
  72: { name: "NOPROTO", note: "" },
  76: { name: "LASTCHANGE", note: "8 bytes" },
  84: { name: "SIZE", note: "" },
};

/** `IfaMsg` of assembly/abi/route.ts. */
export const IFA_MSG_NAMES: ConstantNames = {
  4: { name: "ADDRS", note: "" },
  8: { name: "FLAGS", note: "" },
  12: { name: "INDEX", note: "u16" },
  16: { name: "METRIC", note: "" },
  20: { name: "SIZE", note: "" },
};

/** `Ift` of assembly/abi/route.ts. */
export const IFT_NAMES: ConstantNames = {
  1: { name: "OTHER", note: "" },
  6: { name: "ETHER", note: "" },
  23: { name: "PPP", note: "" },
  24: { name: "LOOP", note: "" },
};

/** `RtmVersion` of assembly/abi/route.ts. */
export const RTM_VERSION_NAMES: ConstantNames = {
  3: { name: "NOW", note: "" },
};

/** `Rta` of assembly/abi/route.ts. */
export const RTA_NAMES: ConstantNames = {
  1: { name: "DST", note: "" },
  2: { name: "GATEWAY", note: "" },
  4: { name: "NETMASK", note: "" },
  8: { name: "GENMASK", note: "" },
  16: { name: "IFP", note: "" },
  32: { name: "IFA", note: "" },
  64: { name: "AUTHOR", note: "" },
  128: { name: "BRD", note: "" },
};

/** `Rtv` of assembly/abi/route.ts. */
export const RTV_NAMES: ConstantNames = {
  1: { name: "MTU", note: "" },
  2: { name: "HOPCOUNT", note: "" },
  4: { name: "EXPIRE", note: "" },
  8: { name: "RPIPE", note: "" },
  16: { name: "SPIPE", note: "" },
  32: { name: "SSTHRESH", note: "" },
  64: { name: "RTT", note: "" },
  128: { name: "RTTVAR", note: "" },
};

/** `Af` of assembly/abi/socket.ts. */
export const AF_NAMES: ConstantNames = {
  0: { name: "UNSPEC", note: "" },
  1: { name: "UNIX", note: "" },
  2: { name: "INET", note: "" },
  17: { name: "ROUTE", note: "" },
  18: { name: "LINK", note: "" },
  23: { name: "NDD", note: "" },
  24: { name: "INET6", note: "" },
};

/** `Sock` of assembly/abi/socket.ts. */
export const SOCK_NAMES: ConstantNames = {
  1: { name: "STREAM", note: "" },
  2: { name: "DGRAM", note: "" },
  3: { name: "RAW", note: "" },
  4: { name: "RDM", note: "" },
  5: { name: "SEQPACKET", note: "" },
  6: { name: "CONN_DGRAM", note: "" },
};

/** `Sol` of assembly/abi/socket.ts. */
export const SOL_NAMES: ConstantNames = {
  0: { name: "LOCAL", note: "of AF_UNIX sockets" },
  263: { name: "PACKET", note: "of packet sockets" },
  65535: { name: "SOCKET", note: "" },
};

/** `So` of assembly/abi/socket.ts. */
export const SO_NAMES: ConstantNames = {
  1: { name: "DEBUG", note: "" },
  2: { name: "ACCEPTCONN", note: "" },
  4: { name: "REUSEADDR", note: "" },
  8: { name: "KEEPALIVE", note: "" },
  16: { name: "DONTROUTE", note: "" },
  32: { name: "BROADCAST", note: "" },
  64: { name: "USELOOPBACK", note: "" },
  128: { name: "LINGER", note: "" },
  256: { name: "OOBINLINE", note: "" },
  512: { name: "REUSEPORT", note: "" },
  1024: { name: "USE_IFBUFS", note: "" },
  2048: { name: "CKSUMRECV", note: "" },
  4096: { name: "NOREUSEADDR", note: "" },
  8192: { name: "KERNACCEPT", note: "" },
  16384: { name: "NOMULTIPATH", note: "" },
  4097: { name: "SNDBUF", note: "" },
  4098: { name: "RCVBUF", note: "" },
  4099: { name: "SNDLOWAT", note: "" },
  4100: { name: "RCVLOWAT", note: "" },
  4101: { name: "SNDTIMEO", note: "" },
  4102: { name: "RCVTIMEO", note: "" },
  4103: { name: "ERROR", note: "" },
  4104: { name: "TYPE", note: "" },
  4105: { name: "PEERID", note: "" },
  4106: { name: "TIMESTAMPNS", note: "" },
  4107: { name: "MAX_PACING_RATE", note: "bytes a second, this stack's own" },
  4108: { name: "ATTACH_FILTER", note: "a program of classic BPF, 8 bytes an instruction; this stack's own" },
  4109: { name: "DETACH_FILTER", note: "" },
  4110: { name: "LOCK_FILTER", note: "the filter can no longer be changed or taken away" },
};

/** `Msg` of assembly/abi/socket.ts. */
export const MSG_NAMES: ConstantNames = {
  1: { name: "OOB", note: "" },
  2: { name: "PEEK", note: "" },
  4: { name: "DONTROUTE", note: "" },
  8: { name: "EOR", note: "" },
  16: { name: "TRUNC", note: "" },
  32: { name: "CTRUNC", note: "" },
  64: { name: "WAITALL", note: "" },
  256: { name: "NOSIGNAL", note: "" },
  512: { name: "WAITFORONE", note: "" },
  32768: { name: "MORE", note: "more follows at once: hold a partial segment (this stack's own)" },
  65536: { name: "FASTOPEN", note: "connect and send with the SYN (RFC 7413; this stack's own)" },
  16384: { name: "DONTWAIT", note: "" },
};

/** `Ss` of assembly/abi/socket.ts. */
export const SS_NAMES: ConstantNames = {
  1: { name: "NOFDREF", note: "no descriptor refers to it" },
  2: { name: "ISCONNECTED", note: "" },
  4: { name: "ISCONNECTING", note: "" },
  8: { name: "ISDISCONNECTING", note: "" },
  16: { name: "CANTSENDMORE", note: "" },
  32: { name: "CANTRCVMORE", note: "" },
  64: { name: "RCVATMARK", note: "" },
  128: { name: "PRIV", note: "" },
  256: { name: "NBIO", note: "" },
  512: { name: "ASYNC", note: "" },
  1024: { name: "ISCONFIRMING", note: "" },
  2048: { name: "DEFERRED", note: "connecting begins with the first data (RFC 7413; this stack's own)" },
  4096: { name: "OPENING", note: "data has begun to connect it: more data waits (this stack's own)" },
  8192: { name: "INFLIGHT", note: "a message that nobody has read holds it (this stack's own)" },
};

/** `Shut` of assembly/abi/socket.ts. */
export const SHUT_NAMES: ConstantNames = {
  0: { name: "RD", note: "" },
  1: { name: "WR", note: "" },
  2: { name: "RDWR", note: "" },
};

/** `TcpOpt` of assembly/abi/socket.ts. */
export const TCP_OPT_NAMES: ConstantNames = {
  1: { name: "NODELAY", note: "" },
  2: { name: "MAXSEG", note: "" },
  4: { name: "RFC1323", note: "" },
  16: { name: "STDURG", note: "" },
  17: { name: "KEEPIDLE", note: "seconds" },
  18: { name: "KEEPINTVL", note: "seconds" },
  19: { name: "KEEPCNT", note: "" },
  20: { name: "NODELAYACK", note: "" },
  256: { name: "INFO", note: "struct TcpInfo" },
  257: { name: "USER_TIMEOUT", note: "milliseconds" },
  258: { name: "CONGESTION", note: "index of the algorithm" },
  259: { name: "CORK", note: "" },
  260: { name: "QUICKACK", note: "" },
  261: { name: "NOTSENT_LOWAT", note: "bytes" },
  262: { name: "SYNCNT", note: "" },
  263: { name: "LINGER2", note: "seconds" },
  264: { name: "DEFER_ACCEPT", note: "seconds" },
  265: { name: "WINDOW_CLAMP", note: "bytes" },
  266: { name: "FASTOPEN", note: "a listener's queue of Fast Open connections (RFC 7413)" },
  267: { name: "FASTOPEN_CONNECT", note: "" },
  268: { name: "FASTOPEN_KEY", note: "16 or 32 bytes" },
  269: { name: "FASTOPEN_NO_COOKIE", note: "" },
  270: { name: "MTU_PROBE", note: "1: search the path MTU on this connection (RFC 8899)" },
  271: { name: "KEEPINIT", note: "seconds that a connection attempt may last, 0: as TCP_SYNCNT says" },
};

/** `IpOpt` of assembly/abi/socket.ts. */
export const IP_OPT_NAMES: ConstantNames = {
  1: { name: "OPTIONS", note: "" },
  2: { name: "HDRINCL", note: "" },
  3: { name: "TOS", note: "" },
  4: { name: "TTL", note: "" },
  7: { name: "RECVDSTADDR", note: "" },
  9: { name: "MULTICAST_IF", note: "" },
  10: { name: "MULTICAST_TTL", note: "" },
  11: { name: "MULTICAST_LOOP", note: "" },
  12: { name: "ADD_MEMBERSHIP", note: "" },
  13: { name: "DROP_MEMBERSHIP", note: "" },
  70: { name: "ADD_SOURCE_MEMBERSHIP", note: "to 73: FreeBSD's numbers (RFC 3678 4.1)" },
  71: { name: "DROP_SOURCE_MEMBERSHIP", note: "" },
  72: { name: "BLOCK_SOURCE", note: "" },
  73: { name: "UNBLOCK_SOURCE", note: "" },
  256: { name: "MTU_DISCOVER", note: "Pmtud (this stack's own number)" },
  257: { name: "MTU", note: "the path MTU of a connected socket, as far as it is known" },
};

/** `RawOpt` of assembly/abi/socket.ts. */
export const RAW_OPT_NAMES: ConstantNames = {
  1: { name: "ICMP_FILTER", note: "a bit for each ICMP type of 0 to 31 that is not wanted" },
};

/** `Pmtud` of assembly/abi/socket.ts. */
export const PMTUD_NAMES: ConstantNames = {
  0: { name: "DONT", note: "they may" },
  1: { name: "WANT", note: "not those that the path takes whole, as far as it is known; larger ones are cut here" },
  2: { name: "DO", note: "never: what the path does not take is refused with EMSGSIZE" },
  3: { name: "PROBE", note: "never, and what is known of the path does not count" },
};

/** `Sb` of assembly/abi/socket.ts. */
export const SB_NAMES: ConstantNames = {
  64: { name: "NOINTR", note: "" },
  128: { name: "LOWAT_UNSENT", note: "the protocol limits what is not sent yet: ask it by PRU_SPACE" },
  512: { name: "RECORDS", note: "MSG_EOR has ended a record in this stream" },
  1024: { name: "ENDS", note: "what is there is to be read alone: it will not become more" },
  256: { name: "AUTOSIZE", note: "sized by the protocol; cleared when the user sets SO_SNDBUF or SO_RCVBUF" },
};

/** `LocalOpt` of assembly/abi/socket.ts. */
export const LOCAL_OPT_NAMES: ConstantNames = {
  1: { name: "PEERCRED", note: "process, user and group of the peer when it connected, three i32" },
  2: { name: "CREDS", note: "the sender's come with each message" },
  3: { name: "CRED", note: "the socket's own" },
  4: { name: "UNLINK", note: "takes the path name away that is the value" },
};

/** `Scm` of assembly/abi/socket.ts. */
export const SCM_NAMES: ConstantNames = {
  1: { name: "RIGHTS", note: "descriptors" },
  2: { name: "CREDS", note: "process, user and group of the sender, three i32" },
};

/** `LocalLimit` of assembly/abi/socket.ts. */
export const LOCAL_LIMIT_NAMES: ConstantNames = {
  108: { name: "PATH", note: "bytes of a name" },
  253: { name: "RIGHTS", note: "descriptors in one message" },
  2147483647: { name: "GIVEN", note: "Socket.fd of one that was received, until it has a descriptor" },
};

/** `Stat` of assembly/abi/stat.ts. */
export const STAT_NAMES: ConstantNames = {
  0: { name: "MBUF_ALLOCATED", note: "mbufs handed out" },
  1: { name: "MBUF_FREED", note: "mbufs given back" },
  2: { name: "MBUF_DENIED", note: "requests refused because a pool was empty" },
  3: { name: "MBUF_DRAINS", note: "times protocols were asked to free memory" },
  8: { name: "IP_IN", note: "datagrams received" },
  9: { name: "IP_OUT", note: "datagrams sent" },
  10: { name: "IP_FORWARDED", note: "datagrams sent on" },
  11: { name: "IP_FRAGMENTS_OUT", note: "fragments sent" },
  12: { name: "IP_FRAGMENTED", note: "datagrams that were cut into fragments" },
  13: { name: "IP_REASSEMBLED", note: "datagrams made whole" },
  14: { name: "IP_REASSEMBLY_TIMEOUT", note: "datagrams given up: a fragment never came" },
  15: { name: "IP_OUT_NO_ROUTE", note: "sends refused for want of a route" },
  16: { name: "IP_OUT_NO_BUFFERS", note: "sends refused: interface queue or mbuf pool" },
  20: { name: "ICMP_IN", note: "messages received" },
  21: { name: "ICMP_OUT", note: "messages sent" },
  22: { name: "ICMP_ERRORS_LIMITED", note: "errors not sent: rate limit (RFC 1812 4.3.2.8)" },
  23: { name: "ICMP_ERRORS_SUPPRESSED", note: "errors not sent: RFC 1122 3.2.2 forbids it" },
  24: { name: "ICMP_REDIRECTS_OUT", note: "sources told of a nearer router (RFC 1812 5.2.7.2)" },
  25: { name: "IP_REVERSE_PATH", note: "datagrams dropped because their source is elsewhere (RFC 3704)" },
  26: { name: "IGMP_OUT", note: "reports and leaves sent" },
  30: { name: "ARP_REQUESTS_OUT", note: "requests sent" },
  31: { name: "ARP_REPLIES_OUT", note: "replies sent" },
  32: { name: "ARP_CONFLICTS", note: "our address seen elsewhere" },
  33: { name: "ARP_TIMEOUTS", note: "resolutions given up" },
  34: { name: "ARP_PROXIED", note: "requests answered for hosts elsewhere (RFC 1027)" },
  40: { name: "UDP_IN", note: "datagrams delivered" },
  41: { name: "UDP_OUT", note: "datagrams sent" },
  50: { name: "TCP_SEGMENTS_IN", note: "segments received" },
  51: { name: "TCP_SEGMENTS_OUT", note: "segments sent" },
  52: { name: "TCP_BYTES_IN", note: "bytes delivered in order" },
  53: { name: "TCP_BYTES_OUT", note: "bytes sent for the first time" },
  54: { name: "TCP_REXMT_SEGMENTS", note: "segments sent again" },
  55: { name: "TCP_REXMT_BYTES", note: "bytes sent again" },
  56: { name: "TCP_RTO", note: "retransmission timeouts" },
  57: { name: "TCP_FAST_REXMT", note: "entries to fast recovery" },
  58: { name: "TCP_DUPACKS_IN", note: "duplicate ACKs received" },
  59: { name: "TCP_ACKS_OUT", note: "segments sent that carry only an ACK" },
  60: { name: "TCP_ACTIVE_OPENS", note: "connections begun here" },
  61: { name: "TCP_PASSIVE_OPENS", note: "connections accepted" },
  62: { name: "TCP_CONNECTED", note: "handshakes completed" },
  63: { name: "TCP_CLOSED", note: "connections closed" },
  64: { name: "TCP_DROPPED", note: "connections dropped" },
  65: { name: "TCP_RST_OUT", note: "resets sent" },
  66: { name: "TCP_RST_IN", note: "acceptable resets received" },
  67: { name: "TCP_OUT_OF_ORDER", note: "segments that came out of order" },
  68: { name: "TCP_DUPLICATE", note: "segments with nothing new" },
  69: { name: "TCP_PERSIST", note: "window probes sent" },
  70: { name: "TCP_KEEPALIVE", note: "keepalive probes sent" },
  71: { name: "TCP_DELACK", note: "delayed ACKs sent by the timer" },
  72: { name: "TCP_CHALLENGE", note: "challenge ACKs sent (RFC 5961)" },
  73: { name: "TCP_PREDICTED", note: "segments that took the header-prediction path" },
  74: { name: "TCP_SACK_IN", note: "SACK blocks received" },
  75: { name: "TCP_BACKLOG_DROPS", note: "handshakes refused for want of room" },
  76: { name: "TCP_TIME_WAIT", note: "connections that went through TIME-WAIT" },
  77: { name: "TCP_CHALLENGE_LIMITED", note: "challenge ACKs withheld by the limit" },
  78: { name: "TCP_DSACK_IN", note: "reports of duplicates received (RFC 2883)" },
  79: { name: "TCP_DSACK_OUT", note: "reports of duplicates sent" },
  80: { name: "TCP_LOSS_PROBES", note: "tail loss probes sent (RFC 8985 7)" },
  81: { name: "TCP_LOSS_PROBE_RECOVERIES", note: "losses that a probe has repaired" },
  82: { name: "TCP_SPURIOUS_RTO", note: "timeouts that were found spurious (RFC 5682, 4015)" },
  83: { name: "TCP_UNDO", note: "reductions of the window that were undone" },
  84: { name: "TCP_LOST_REXMT", note: "retransmissions that were lost too (RFC 8985)" },
  85: { name: "TCP_REORDER_SEEN", note: "connections that saw reordering" },
  86: { name: "TCP_CE_IN", note: "segments received with CE (RFC 3168)" },
  87: { name: "TCP_ECE_REDUCTIONS", note: "windows reduced because of ECE" },
  88: { name: "TCP_SYNCOOKIES_SENT", note: "" },
  89: { name: "TCP_SYNCOOKIES_TAKEN", note: "" },
  90: { name: "TCP_SYNCOOKIES_BAD", note: "ACKs whose cookie was not ours" },
  91: { name: "TCP_FASTOPEN_ACTIVE", note: "connections whose SYN data was taken" },
  92: { name: "TCP_FASTOPEN_PASSIVE", note: "SYNs whose data we took" },
  93: { name: "TCP_FASTOPEN_COOKIES", note: "cookies given out" },
  94: { name: "TCP_FASTOPEN_FAILED", note: "Fast Opens that fell back" },
  95: { name: "TCP_MTU_PROBES", note: "probes of the path MTU sent (RFC 8899)" },
  96: { name: "TCP_MTU_PROBE_SUCCESS", note: "" },
  97: { name: "TCP_MTU_BLACK_HOLES", note: "" },
  98: { name: "TCP_INVALID_LIMITED", note: "ACKs of invalid segments withheld by the limit" },
  99: { name: "TCP_PACED", note: "times pacing held a segment back" },
  100: { name: "TCP_HYSTART_EXITS", note: "slow starts that HyStart++ ended" },
  101: { name: "TCP_RENEGED", note: "peers that took a SACK back (RFC 2018 8)" },
  102: { name: "TCP_FASTOPEN_BLACK_HOLES", note: "times Fast Open began to rest (RFC 7413 7.3)" },
  103: { name: "TCP_FASTOPEN_OVERFLOWS", note: "Fast Opens refused because too many were pending" },
  104: { name: "TCP_DEFERRED_ACCEPTS", note: "ACKs held back by TCP_DEFER_ACCEPT" },
  105: { name: "TCP_CLONED", note: "segments made from the frame of the one before" },
  106: { name: "TCP_MERGED", note: "segments received that were put behind others of their connection" },
  107: { name: "TCP_PARTED", note: "packets so made that were not what was expected, and taken apart" },
  108: { name: "TCP_FASTLO", note: "messages handed over by the fast loopback, without a segment" },
  128: { name: "COUNT", note: "how many places the table has" },
};

/** `TcpState` of assembly/abi/tcp.ts. */
export const TCP_STATE_NAMES: ConstantNames = {
  0: { name: "CLOSED", note: "" },
  1: { name: "LISTEN", note: "" },
  2: { name: "SYN_SENT", note: "" },
  3: { name: "SYN_RECEIVED", note: "" },
  4: { name: "ESTABLISHED", note: "" },
  5: { name: "CLOSE_WAIT", note: "" },
  6: { name: "FIN_WAIT_1", note: "" },
  7: { name: "CLOSING", note: "" },
  8: { name: "LAST_ACK", note: "" },
  9: { name: "FIN_WAIT_2", note: "" },
  10: { name: "TIME_WAIT", note: "" },
};

/** `Th` of assembly/abi/tcp.ts. */
export const TH_NAMES: ConstantNames = {
  1: { name: "FIN", note: "" },
  2: { name: "SYN", note: "" },
  4: { name: "RST", note: "" },
  8: { name: "PUSH", note: "" },
  16: { name: "ACK", note: "" },
  32: { name: "URG", note: "" },
  64: { name: "ECE", note: "" },
  128: { name: "CWR", note: "" },
};

/** `Cc` of assembly/abi/tcp.ts. */
export const CC_NAMES: ConstantNames = {
  0: { name: "NEWRENO", note: "" },
  1: { name: "CUBIC", note: "" },
  2: { name: "COUNT", note: "" },
};

/** `RecordKind` of assembly/abi/untrusted.ts. */
export const RECORD_KIND_NAMES: ConstantNames = {
  1: { name: "START", note: "the first one; data: the configuration" },
  2: { name: "RESTORE", note: "after a snapshot, behind START; data: that of the last STATE" },
  3: { name: "PACKET", note: "of an IP protocol; data: what follows the IP header" },
  4: { name: "FRAME", note: "of an ethertype; data: what follows the link header" },
  5: { name: "DATAGRAM", note: "of a UDP port; data: its payload" },
  6: { name: "TICK", note: "the time that the manifest asks for has passed" },
  7: { name: "INTERFACE", note: "an interface is new, has changed or is gone; data: its name" },
  8: { name: "SEND", note: "a program sends by a socket; data: the message" },
  9: { name: "CONTROL", note: "what ICMP says of a packet that was sent; index: Prc, flags: MTU for MSGSIZE" },
  10: { name: "STOP", note: "it is unloaded when it has answered; only told if it has nothing else to do" },
  32: { name: "SEND_PACKET", note: "an IP packet" },
  33: { name: "SEND_FRAME", note: "a frame by interface `index`" },
  34: { name: "SEND_DATAGRAM", note: "a UDP datagram" },
  35: { name: "DELIVER", note: "a message for the socket that is bound to destination_port" },
  36: { name: "ERROR", note: "the error `index`, an Errno, for the socket that is bound to destination_port" },
  37: { name: "REPORT", note: "data for the program that loaded the protocol" },
  38: { name: "STATE", note: "what the module wants back after a snapshot" },
};

/** `RecordAt` of assembly/abi/untrusted.ts. */
export const RECORD_AT_NAMES: ConstantNames = {
  0: { name: "BYTES", note: "u32: length of the whole record, a multiple of 4" },
  4: { name: "LENGTH", note: "u32: bytes of data" },
  8: { name: "INDEX", note: "u32: index of the interface" },
  12: { name: "SOURCE", note: "u32: IPv4 address; of an interface its first, 0 if it has none" },
  16: { name: "DESTINATION", note: "u32: IPv4 address" },
  20: { name: "HWADDR", note: "6 bytes: hardware address of the sender, the receiver, or the interface" },
  26: { name: "KIND", note: "u16: RecordKind" },
  28: { name: "KEY", note: "u16: protocol number, ethertype or UDP port of ours" },
  30: { name: "SOURCE_PORT", note: "u16" },
  32: { name: "DESTINATION_PORT", note: "u16" },
  34: { name: "FLAGS", note: "u16: RecordFlag" },
  36: { name: "TTL", note: "u8" },
  37: { name: "TOS", note: "u8" },
  40: { name: "DATA", note: "" },
};

/** `RecordFlag` of assembly/abi/untrusted.ts. */
export const RECORD_FLAG_NAMES: ConstantNames = {
  1: { name: "UP", note: "INTERFACE: it is up" },
  2: { name: "ETHERNET", note: "INTERFACE: it carries frames" },
  4: { name: "GONE", note: "INTERFACE: it was taken away" },
  8: { name: "DF", note: "SEND_PACKET: may not be cut into fragments" },
};

/** `UntrustedLimit` of assembly/abi/untrusted.ts. */
export const UNTRUSTED_LIMIT_NAMES: ConstantNames = {
  1: { name: "ABI", note: "what the manifest must say" },
  131072: { name: "BUFFER_BYTES", note: "of the places at input() and at output()" },
  524288: { name: "QUEUE_BYTES", note: "of records that wait while the module is busy" },
  64: { name: "BATCH", note: "most records that it is given at a time" },
  256: { name: "ANSWERS", note: "most records that it may answer with" },
  1000: { name: "SENDS", note: "packets that it may send in a second, unless its manifest asks for fewer or more" },
  100000: { name: "SENDS_MAX", note: "most that a manifest may ask for" },
  500: { name: "SLICE_MS", note: "longest that it may take for a batch, unless told" },
  16777216: { name: "MEMORY_BYTES", note: "most memory that it may have, unless told" },
};
