/**
 * A driver that has received the same frame again and again: for the cost of the way in, without
 * anybody who sends.
 *
 * @module
 */

import type { FrameBatch, NetDriver } from "../runtime/device/driver.ts";

const ADDRESS = new Uint8Array([2, 0, 0, 0, 0, 1]);
const IP_BYTES = 20;

/** Where the frames go and come from. */
export const TO = [10, 9, 0, 1];
const FROM = [10, 9, 0, 9];

/** The driver. */
export interface Feeder extends NetDriver {
  /** So many more frames have come. */
  offer(frames: number): void;
}

/** Makes a driver for a frame. */
export function feeder(frame: Uint8Array): Feeder {
  let waiting = 0;
  return {
    name: "feed",
    caps: { mtu: 1500, medium: "ethernet", hwaddr: ADDRESS },
    attach() {},
    detach() {},
    start: (tx) => tx.count,
    rx(free: FrameBatch) {
      const n = Math.min(waiting, free.count);
      for (let i = 0; i < n; i++) {
        free.memory.set(frame, free.address(i));
        free.setLength(i, frame.length);
      }
      waiting -= n;
      return n;
    },
    offer: (frames) => void (waiting += frames),
  };
}

/** The internet checksum of bytes (RFC 1071), over an initial sum. */
function checksum(bytes: readonly number[], sum = 0): number {
  for (let i = 0; i < bytes.length; i += 2) sum += bytes[i] << 8 | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

const word = (n: number) => [n >>> 8 & 255, n & 255];

/** A frame with an IP packet of a protocol. */
export function ipFrame(protocol: number, payload: readonly number[]): Uint8Array {
  const total = IP_BYTES + payload.length;
  const header = [0x45, 0, ...word(total), 0, 0, 0, 0, 64, protocol, 0, 0, ...FROM, ...TO];
  header.splice(10, 2, ...word(checksum(header)));
  return new Uint8Array([...ADDRESS, 2, 0, 0, 0, 0, 9, 8, 0, ...header, ...payload]);
}

/**
 * A datagram of UDP or UDP-Lite to a port, its checksum over all of it; `coverage` stands where
 * UDP has its length.
 */
export function datagram(protocol: number, port: number, data: number[], coverage?: number) {
  const length = 8 + data.length;
  const body = [...word(5000), ...word(port), ...word(coverage ?? length), 0, 0, ...data];
  const pseudo = [...FROM, ...TO, 0, protocol, ...word(length)];
  body.splice(6, 2, ...word(checksum([...pseudo, ...body])));
  return ipFrame(protocol, body);
}
