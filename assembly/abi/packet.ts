/**
 * Packet sockets (AF_NDD): whole frames of an interface. Names and numbers are those of Linux's
 * packet(7).
 */

/** For whom a frame was: the packet type in the address of what is received. */
export const enum PacketType {
  HOST = 0, // this host
  BROADCAST = 1,
  MULTICAST = 2,
  OTHERHOST = 3, // another one: seen in promiscuous mode only
  OUTGOING = 4, // sent by this host
}

/** Ethertypes that are none: what a packet socket may ask for beside them. */
export const enum EthP {
  NONE = 0, // nothing
  ALL = 3, // every frame, and those that are sent
  LLC = 4, // frames with a length in place of a type (IEEE 802.3)
}

/** Options at level SOL_PACKET. */
export const enum PacketOpt {
  ADD_MEMBERSHIP = 1, // two i32: interface, PacketMr
  DROP_MEMBERSHIP = 2,
  STATISTICS = 6, // two u32: frames taken, and of them those dropped; reading sets both to 0
}

/** What a packet socket sees beside what the host would. */
export const enum PacketMr {
  PROMISC = 1, // frames for others
  ALLMULTI = 2, // frames for every group
}
