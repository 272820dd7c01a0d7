/** Loaded protocols: what the engine and the loader say to each other. */

/** What an entry of the ring to protocols in the runtime is (assembly/protocol/host.ts). */
export const enum HostKind {
  PACKET = 0, // by protocol number: the IP header is at the mbuf's data
  FRAME = 1, // by ethertype, which is the key
  DATAGRAM = 2, // by UDP port: the payload is at the mbuf's data, the key is the tunnel's socket
}

/** Sizes of loaded modules. */
export const enum ModuleLimit {
  SLOTS = 32, // modules at a time
  ENTRIES = 1024, // places of the function table that one may have
  BYTES = 16777216, // memory that one may have for its variables
}
