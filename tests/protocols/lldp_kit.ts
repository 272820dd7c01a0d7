/** LLDPDUs made by hand, for tests of LLDP. */

/** Ethertype of LLDP. */
export const LLDP = 0x88cc;

/** A part: type, and value. */
export type Tlv = readonly [type: number, value: readonly number[]];

/** Bytes of a text. */
export function text(words: string): number[] {
  return [...new TextEncoder().encode(words)];
}

/** One part as bytes; `length` may be a lie. */
export function tlv([type, value]: Tlv, length: number = value.length): number[] {
  return [type << 1 | length >> 8, length & 255, ...value];
}

/** Who it is, on which port, and for how long. */
export function mandatory(name: string, port = "p1", ttl = 120): Tlv[] {
  return [
    [1, [7, ...text(name)]],
    [2, [5, ...text(port)]],
    [3, [ttl >> 8, ttl & 255]],
  ];
}

/** A whole LLDPDU of these parts, and the end. */
export function pdu(parts: readonly Tlv[]): number[] {
  return [...parts.flatMap((part) => tlv(part)), 0, 0];
}

/** Parts of an LLDPDU; for frames that are right. */
export function parts(bytes: Uint8Array): Tlv[] {
  const found: Tlv[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = (bytes[at] & 1) << 8 | bytes[at + 1];
    found.push([bytes[at] >> 1, [...bytes.subarray(at + 2, at + 2 + length)]]);
    at += 2 + length;
  }
  return found;
}
