/** Untrusted protocols: the records that the stack and a module in a Worker exchange. */

/** Kinds of records; those below 32 go to the module, the others come from it. */
export const enum RecordKind {
  START = 1, // the first one; data: the configuration
  RESTORE = 2, // after a snapshot, behind START; data: that of the last STATE
  PACKET = 3, // of an IP protocol; data: what follows the IP header
  FRAME = 4, // of an ethertype; data: what follows the link header
  DATAGRAM = 5, // of a UDP port; data: its payload
  TICK = 6, // the time that the manifest asks for has passed
  INTERFACE = 7, // an interface is new, has changed or is gone; data: its name
  SEND = 8, // a program sends by a socket; data: the message
  CONTROL = 9, // what ICMP says of a packet that was sent; index: Prc, flags: MTU for MSGSIZE
  STOP = 10, // it is unloaded when it has answered; only told if it has nothing else to do

  SEND_PACKET = 32, // an IP packet
  SEND_FRAME = 33, // a frame by interface `index`
  SEND_DATAGRAM = 34, // a UDP datagram
  DELIVER = 35, // a message for the socket that is bound to destination_port
  ERROR = 36, // the error `index`, an Errno, for the socket that is bound to destination_port
  REPORT = 37, // data for the program that loaded the protocol
  STATE = 38, // what the module wants back after a snapshot
}

/** Where the fields of a record lie; all are little-endian, addresses numbers in host order. */
export const enum RecordAt {
  BYTES = 0, // u32: length of the whole record, a multiple of 4
  LENGTH = 4, // u32: bytes of data
  INDEX = 8, // u32: index of the interface
  SOURCE = 12, // u32: IPv4 address; of an interface its first, 0 if it has none
  DESTINATION = 16, // u32: IPv4 address
  HWADDR = 20, // 6 bytes: hardware address of the sender, the receiver, or the interface
  KIND = 26, // u16: RecordKind
  KEY = 28, // u16: protocol number, ethertype or UDP port of ours
  SOURCE_PORT = 30, // u16
  DESTINATION_PORT = 32, // u16
  FLAGS = 34, // u16: RecordFlag
  TTL = 36, // u8
  TOS = 37, // u8
  DATA = 40,
}

/** Flags of a record. */
export const enum RecordFlag {
  UP = 1, // INTERFACE: it is up
  ETHERNET = 2, // INTERFACE: it carries frames
  GONE = 4, // INTERFACE: it was taken away
  DF = 8, // SEND_PACKET: may not be cut into fragments
}

/** What bounds an untrusted protocol. */
export const enum UntrustedLimit {
  ABI = 1, // what the manifest must say
  BUFFER_BYTES = 131072, // of the places at input() and at output()
  QUEUE_BYTES = 524288, // of records that wait while the module is busy
  BATCH = 64, // most records that it is given at a time
  ANSWERS = 256, // most records that it may answer with
  SENDS = 1000, // packets that it may send in a second, unless its manifest asks for fewer or more
  SENDS_MAX = 100000, // most that a manifest may ask for
  SLICE_MS = 500, // longest that it may take for a batch, unless told
  MEMORY_BYTES = 16777216, // most memory that it may have, unless told
}
