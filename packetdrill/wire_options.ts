/**
 * TCP options as bytes, in the order they stand in.
 *
 * @module
 */

import type { TcpOption } from "./ast.ts";

const KIND = { eol: 0, nop: 1, mss: 2, wscale: 3, sackOK: 4, sack: 5, TS: 8, FO: 34, FOEXP: 254 };
/** Magic number of the experimental Fast Open option (RFC 7413 8). */
const FOEXP_MAGIC = "f989";

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function hexBytes(text: string): number[] {
  return (text.match(/../g) ?? []).map((pair) => parseInt(pair, 16));
}

function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function optionBytes(o: TcpOption): number[] {
  switch (o.kind) {
    case "nop":
    case "eol":
      return [KIND[o.kind]];
    case "sackOK":
      return [KIND.sackOK, 2];
    case "mss":
      return [KIND.mss, 4, (o.value >> 8) & 255, o.value & 255];
    case "wscale":
      return [KIND.wscale, 3, o.value & 255];
    case "TS":
      return [KIND.TS, 10, ...u32(o.val), ...u32(o.ecr)];
    case "sack":
      return [
        KIND.sack,
        2 + 8 * o.blocks.length,
        ...o.blocks.flatMap(([left, right]) => [...u32(left), ...u32(right)]),
      ];
    case "FO":
      return [KIND.FO, 2 + o.cookie.length / 2, ...hexBytes(o.cookie)];
    case "FOEXP":
      return [KIND.FOEXP, 4 + o.cookie.length / 2, ...hexBytes(FOEXP_MAGIC + o.cookie)];
    case "raw":
      return [o.code, 2 + o.bytes.length / 2, ...hexBytes(o.bytes)];
  }
}

/** The options as they stand in a header; nothing is padded. */
export function encodeOptions(options: readonly TcpOption[]): Uint8Array {
  return Uint8Array.from(options.flatMap(optionBytes));
}

/** Reads options; what is malformed comes out as `raw`. */
export function decodeOptions(bytes: Uint8Array): TcpOption[] {
  const options: TcpOption[] = [];
  for (let at = 0; at < bytes.length;) {
    const code = bytes[at];
    if (code === KIND.eol || code === KIND.nop) {
      options.push({ kind: code === KIND.eol ? "eol" : "nop" });
      at++;
      continue;
    }
    const size = Math.max(bytes[at + 1] ?? 0, 2);
    options.push(decodeOption(code, bytes.subarray(at + 2, at + size)));
    at += size;
  }
  return options;
}

function decodeOption(code: number, body: Uint8Array): TcpOption {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const hex = hexText(body);
  if (code === KIND.mss && body.length === 2) return { kind: "mss", value: view.getUint16(0) };
  if (code === KIND.wscale && body.length === 1) return { kind: "wscale", value: body[0] };
  if (code === KIND.sackOK && body.length === 0) return { kind: "sackOK" };
  if (code === KIND.TS && body.length === 8) {
    return { kind: "TS", val: view.getUint32(0), ecr: view.getUint32(4) };
  }
  if (code === KIND.sack && body.length % 8 === 0) {
    const blocks: [number, number][] = [];
    for (let i = 0; i < body.length; i += 8) {
      blocks.push([view.getUint32(i), view.getUint32(i + 4)]);
    }
    return { kind: "sack", blocks };
  }
  if (code === KIND.FO) return { kind: "FO", cookie: hex };
  if (code === KIND.FOEXP && hex.startsWith(FOEXP_MAGIC)) {
    return { kind: "FOEXP", cookie: hex.slice(FOEXP_MAGIC.length) };
  }
  return { kind: "raw", code, bytes: hex };
}
