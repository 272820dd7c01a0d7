/**
 * The flags of assembly/tcp/tcb_t.ts and sent_t.ts that tests look at. Those files use types of the
 * engine's language, so they cannot be imported here.
 *
 * @module
 */

/** Flags of a connection. */
export const enum Tf {
  ACKNOW = 0x1,
  SENTFIN = 0x8,
  GOTFIN = 0x10,
  SACK = 0x400,
  BLOCKED = 0x80000,
}

/** Flags of a segment in flight. */
export const enum Sf {
  SACKED = 1,
  LOST = 2,
  RESENT = 4,
}

/** What the sender believes of the network. */
export const enum Ca {
  OPEN = 0,
  DISORDER = 1,
  CWR = 2,
  RECOVERY = 3,
  LOSS = 4,
}
