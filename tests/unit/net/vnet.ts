/**
 * The virtio_net_hdr in front of frames, for tests.
 *
 * @module
 */

import { checksum } from "./frames.ts";

/** Values of its fields (virtio 1.2, 5.1.6). */
export const Vnet = {
  NEEDS_CSUM: 1,
  DATA_VALID: 2,
  TCPV4: 1,
  UDP: 3,
  TCPV6: 4,
  UDP_L4: 5,
  ECN: 0x80,
} as const;

/** Its fields; those left out are 0. */
export interface VnetFields {
  readonly flags?: number;
  readonly type?: number;
  readonly hdrLen?: number;
  readonly size?: number;
  readonly start?: number;
  readonly offset?: number;
}

/** A frame with the header in front. */
export function withHeader(fields: VnetFields, frame: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(10 + frame.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = fields.flags ?? 0;
  bytes[1] = fields.type ?? 0;
  view.setUint16(2, fields.hdrLen ?? 0, true);
  view.setUint16(4, fields.size ?? 0, true);
  view.setUint16(6, fields.start ?? 0, true);
  view.setUint16(8, fields.offset ?? 0, true);
  bytes.set(frame, 10);
  return bytes;
}

/** The packet behind the header, as a device sends it: with the checksum that was left to it. */
export function finished(frame: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const packet = frame.subarray(10);
  if ((frame[0] & Vnet.NEEDS_CSUM) === 0) return packet;
  const view = new DataView(frame.buffer);
  const start = view.getUint16(6, true);
  view.setUint16(10 + start + view.getUint16(8, true), checksum(packet.subarray(start)));
  return packet;
}
