/**
 * Internet addresses as text: dotted quads (RFC 6943 3.1.1, the strict form), IPv6 in the forms of
 * RFC 4291 2.2, and prefixes.
 *
 * @module
 */

/** Texts seen lately, by the low byte of the address: traffic comes from few peers. */
const texts: string[] = new Array(256).fill("");
const textOf = new Uint32Array(256);

const DOT = 0x2e;
const ZERO = 0x30;

/** The text that was read last, and its address: programs send to one peer many times. */
let lastText = "";
let last: number | undefined = undefined;

/** Four decimal numbers as an address in host order; `undefined` if the text is something else. */
export function parseIpv4(text: string): number | undefined {
  if (text === lastText) return last;
  lastText = text;
  return last = readIpv4(text);
}

/** Each number is 0 to 255, without zeros before it. */
function readIpv4(text: string): number | undefined {
  let address = 0;
  let byte = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (byte < 0 || ++dots > 3) return undefined;
      address = address * 256 + byte;
      byte = -1;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9 || byte === 0) return undefined;
    byte = byte < 0 ? digit : byte * 10 + digit;
    if (byte > 255) return undefined;
  }
  return dots === 3 && byte >= 0 ? address * 256 + byte : undefined;
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
