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

/**
 * The IPv4 packets behind the header, as a device puts them on the wire: a large TCP segment is cut
 * into segments of gso_size. Without link headers.
 */
export function onWire(frame: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  if ((frame[1] & ~Vnet.ECN) !== Vnet.TCPV4) return [finished(frame)];
  const head = new DataView(frame.buffer);
  const packet = frame.subarray(10);
  const ipLength = 4 * (packet[0] & 15);
  const headers = head.getUint16(2, true);
  const size = head.getUint16(4, true);
  const packets: Uint8Array<ArrayBuffer>[] = [];
  for (let at = headers; at < packet.length; at += size) {
    const payload = packet.subarray(at, at + size);
    const one = Uint8Array.of(...packet.subarray(0, headers), ...payload);
    const view = new DataView(one.buffer);
    view.setUint16(2, one.length);
    view.setUint16(4, view.getUint16(4) + packets.length);
    view.setUint16(10, 0);
    view.setUint16(10, checksum(one.subarray(0, ipLength)));
    view.setUint32(ipLength + 4, view.getUint32(ipLength + 4) + at - headers);
    if (at + size < packet.length) one[ipLength + 13] &= ~0x09; // PSH and FIN: the last alone
    if (at > headers) one[ipLength + 13] &= ~0x80; // CWR: the first alone
    const length = one.length - ipLength;
    const pseudo = [...one.subarray(12, 20), 0, one[9], length >> 8, length & 255];
    view.setUint16(ipLength + 16, 0);
    view.setUint16(
      ipLength + 16,
      checksum(Uint8Array.of(...pseudo, ...one.subarray(ipLength))),
    );
    packets.push(one);
  }
  return packets;
}
