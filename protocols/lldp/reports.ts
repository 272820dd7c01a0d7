/**
 * Reads what the module of LLDP reports (assembly/report.ts). The module is not trusted, so neither
 * is this: what does not fit is refused.
 *
 * @module
 */

/** Somebody at the other end of a wire, as it describes itself: texts are what it says. */
export interface LldpNeighbor {
  /** Name of the interface that it was heard on. */
  readonly interface: string;
  /** Index of that interface. */
  readonly index: number;
  /** Hardware address that its frame came from, `02:00:00:00:00:01`. */
  readonly hwaddr: string;
  /** Who it is: a hardware address, a network address or a text. */
  readonly chassis: string;
  /** Which of its ports it is: the same. */
  readonly port: string;
  /** Seconds that this is good for. */
  readonly ttl_s: number;
  /** What it says of the port. */
  readonly portDescription?: string;
  /** Its name. */
  readonly systemName?: string;
  /** What it says of itself. */
  readonly systemDescription?: string;
  /** What it can do, and what of that is switched on; `Capability` bits. */
  readonly capabilities?: { readonly supported: number; readonly enabled: number };
  /** Where it can be managed: IPv4, IPv6 or hardware addresses, or `family:hex` of others. */
  readonly managementAddresses: readonly string[];
}

/** What the module has counted (IEEE 802.1AB-2016 9.2.6). */
export interface LldpStats {
  /** Announcements sent. */
  framesOut: number;
  /** Frames received. */
  framesIn: number;
  /** Frames in error, which were discarded. */
  framesDiscarded: number;
  /** Parts of frames in error, which were discarded. */
  tlvsDiscarded: number;
  /** Parts that are well-formed and of no known type. */
  tlvsUnrecognized: number;
  /** Neighbours that were not heard again in time. */
  ageouts: number;
  /** Frames of neighbours that there was no room for. */
  tooMany: number;
}

/** What a report says. */
export type LldpReport =
  | { readonly kind: "new" | "changed" | "gone"; readonly key: string; neighbor: LldpNeighbor }
  | { readonly kind: "stats"; readonly stats: LldpStats };

const KINDS = ["new", "changed", "gone"] as const;
const STATS_KIND = 4;
const HEAD = 16;
const STATS_BYTES = 32;
/** Address families (IANA address-family-numbers). */
const IPV4 = 1;
const IPV6 = 2;
const MAC = 6;

/** Reads a report; throws a `RangeError` if it is none. */
export function readReport(bytes: Uint8Array): LldpReport {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes[0] === STATS_KIND && bytes.length === STATS_BYTES) {
    const at = (i: number) => view.getUint32(4 + 4 * i, true);
    return {
      kind: "stats",
      stats: {
        framesOut: at(0),
        framesIn: at(1),
        framesDiscarded: at(2),
        tlvsDiscarded: at(3),
        tlvsUnrecognized: at(4),
        ageouts: at(5),
        tooMany: at(6),
      },
    };
  }
  const kind = KINDS[bytes[0] - 1];
  const name_length = bytes[1] ?? 0;
  if (kind === undefined || bytes.length < HEAD + name_length) {
    throw new RangeError("the module of LLDP reports what cannot be read");
  }
  const tlvs = readTlvs(bytes.subarray(HEAD + name_length));
  const index = view.getUint32(4, true);
  const head = {
    interface: textOf(bytes.subarray(HEAD, HEAD + name_length)),
    index,
    hwaddr: hwaddrText(bytes.subarray(8, 14)),
    ttl_s: view.getUint16(2, true),
  };
  const key = [index, hex(valueOf(tlvs, 1)), hex(valueOf(tlvs, 2))].join("/");
  return { kind, key, neighbor: { ...head, ...describe(tlvs) } };
}

interface Tlv {
  readonly type: number;
  readonly value: Uint8Array;
}

function readTlvs(bytes: Uint8Array): Tlv[] {
  const tlvs: Tlv[] = [];
  for (let at = 0; at < bytes.length;) {
    const head = bytes[at] << 8 | (bytes[at + 1] ?? 0);
    const end = at + 2 + (head & 0x1ff);
    if (end > bytes.length) throw new RangeError("the module of LLDP reports a part cut short");
    tlvs.push({ type: head >> 9, value: bytes.subarray(at + 2, end) });
    at = end;
  }
  return tlvs;
}

function valueOf(tlvs: readonly Tlv[], type: number): Uint8Array {
  return tlvs.find((tlv) => tlv.type === type)?.value ?? new Uint8Array();
}

function describe(tlvs: readonly Tlv[]) {
  const words = (type: number, name: string) => {
    const found = tlvs.find((tlv) => tlv.type === type);
    return found === undefined ? {} : { [name]: textOf(found.value) };
  };
  const [can0, can1, on0, on1] = valueOf(tlvs, 7);
  return {
    chassis: idText(valueOf(tlvs, 1), 4, 5),
    port: idText(valueOf(tlvs, 2), 3, 4),
    ...words(4, "portDescription"),
    ...words(5, "systemName"),
    ...words(6, "systemDescription"),
    ...(on1 === undefined
      ? {}
      : { capabilities: { supported: can0 << 8 | can1, enabled: on0 << 8 | on1 } }),
    managementAddresses: tlvs.filter(({ type }) => type === 8).map(({ value }) =>
      addressText(value.subarray(1, 1 + value[0]))
    ),
  };
}

/** A chassis or port ID: its first byte says what it is (8.5.2.2, 8.5.3.2). */
function idText(value: Uint8Array, mac: number, network: number): string {
  const id = value.subarray(1);
  if (value[0] === mac && id.length === 6) return hwaddrText(id);
  if (value[0] === network) return addressText(id);
  return textOf(id);
}

/** An address behind the byte of its family. */
function addressText(bytes: Uint8Array): string {
  const address = bytes.subarray(1);
  if (bytes[0] === IPV4 && address.length === 4) return address.join(".");
  if (bytes[0] === IPV6 && address.length === 16) {
    const word = (i: number) => (address[i] << 8 | address[i + 1]).toString(16);
    return Array.from({ length: 8 }, (_, i) => word(2 * i)).join(":");
  }
  if (bytes[0] === MAC && address.length === 6) return hwaddrText(address);
  return `${bytes[0]}:${hex(address)}`;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function hwaddrText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
