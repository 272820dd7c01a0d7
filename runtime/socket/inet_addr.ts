/**
 * Internet addresses as text: dotted quads (RFC 6943 3.1.1, the strict form), IPv6 in the forms of
 * RFC 4291 2.2, and prefixes.
 *
 * @module
 */

const QUAD = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/** Texts seen lately, by the low byte of the address: traffic comes from few peers. */
const texts: string[] = new Array(256).fill("");
const textOf = new Uint32Array(256);

/** Four decimal numbers as an address in host order; `undefined` if the text is something else. */
export function parseIpv4(text: string): number | undefined {
  const match = QUAD.exec(text);
  if (match === null) return undefined;
  let address = 0;
  for (let i = 1; i <= 4; i++) {
    const byte = Number(match[i]);
    if (byte > 255) return undefined;
    address = address * 256 + byte;
  }
  return address;
}

/** An address in host order as four decimal numbers. */
export function formatIpv4(address: number): string {
  const slot = address & 255;
  if (textOf[slot] === address && texts[slot] !== "") return texts[slot];
  const text = `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${slot}`;
  textOf[slot] = address;
  texts[slot] = text;
  return text;
}

/** An IPv6 address without a zone as 16 bytes; `undefined` if the text is something else. */
export function parseIpv6(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !text.includes(":")) return undefined;
  let whole: string;
  try {
    // The URL parser checks the address and writes it as RFC 5952 says, without dotted quads.
    whole = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [head, tail] = whole.split("::").map((part) => part === "" ? [] : part.split(":"));
  const gap = tail === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...new Array(gap).fill("0"), ...(tail ?? [])];
  const bytes = new Uint8Array(16);
  groups.forEach((group, i) => {
    const value = parseInt(group, 16);
    bytes[2 * i] = value >>> 8;
    bytes[2 * i + 1] = value;
  });
  return bytes;
}

/** 16 bytes as an IPv6 address in the form of RFC 5952. */
export function formatIpv6(bytes: Uint8Array): string {
  const groups = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[i] << 8 | bytes[i + 1]).toString(16));
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

/** An address with the length of its prefix. */
export interface Prefix {
  /** The address as it was given, host order. */
  readonly address: number;
  /** Network mask, host order. */
  readonly mask: number;
  /** Bits of the mask, 0 to 32. */
  readonly bits: number;
}

/** `10.0.0.1/24`; an address without a length means all 32 bits. `undefined` for other texts. */
export function parsePrefix(text: string): Prefix | undefined {
  const [quad, length, more] = text.split("/");
  const address = parseIpv4(quad);
  if (address === undefined || more !== undefined) return undefined;
  if (length !== undefined && !/^\d{1,2}$/.test(length)) return undefined;
  const bits = length === undefined ? 32 : Number(length);
  return bits > 32 ? undefined : { address, mask: maskOf(bits), bits };
}

/** The mask of a prefix of 0 to 32 bits, host order. */
export function maskOf(bits: number): number {
  return bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
}

/** How many leading ones a mask has; `undefined` if ones follow zeros. */
export function bitsOf(mask: number): number | undefined {
  const bits = Math.clz32(~mask);
  return maskOf(bits) === mask >>> 0 ? bits : undefined;
}
