/** Who is on the wire, and what the host under test has open. */

import type { Bytes } from "./packets.ts";

/** A host on the wire. */
export interface Station {
  readonly mac: Bytes;
  readonly ip: number;
}

function station(last: number): Station {
  return { mac: Uint8Array.of(2, 0, 0, 0, 0, last), ip: 0x0a000000 + last };
}

/** The host under test, 10.0.0.1. */
export const TARGET = station(1);
/** Hosts that the test plays, 10.0.0.2 to 10.0.0.9. */
export const PEERS: readonly Station[] = [2, 3, 4, 5, 6, 7, 8, 9].map(station);
/** A group that a socket is a member of. */
export const GROUP = 0xe00000fb;

export const PORT_TCP = 80;
/** A listener that nobody accepts from, with a backlog of 1. */
export const PORT_FULL = 81;
export const PORT_UDP = 53;
export const PORT_GROUP = 5353;
export const PROTOCOL_RAW = 89;

/** An address as text. */
export function text(ip: number): string {
  return [24, 16, 8, 0].map((shift) => (ip >>> shift) & 255).join(".");
}
