/**
 * Which flow a frame belongs to: a hash of addresses and ports that is the same in both directions,
 * as hardware computes it for receive-side scaling.
 *
 * @module
 */

/** Frames that are for all: ARP replies, broadcasts and multicasts. */
export const EVERYONE = -1;
/** Frames that are for one, whichever: ARP requests, and what is not IPv4. */
export const ANYONE = -2;

const ARP = 0x0806;
const IPV4 = 0x0800;
const [ICMP, TCP, UDP] = [1, 6, 17];
/** Types of ICMP that quote the packet they are about (RFC 792, RFC 1122 3.2.2). */
const QUOTING = new Set([3, 4, 5, 11, 12]);
const FRAGMENT = 0x3fff;
const IP_BYTES_MIN = 20;

/** What was found out of the last frame; a frame is looked at where it lies. */
export class FlowHash {
  /** 32 bits without sign, the same for both directions, or EVERYONE or ANYONE. */
  hash = ANYONE;
  /** True if the frame may be the first of a flow: a TCP SYN without ACK, or UDP. */
  opens = false;
  /** Addresses and ports as sent; 0 where the frame has none that count. */
  from = 0;
  /** Address it is sent to. */
  to = 0;
  /** Ports, the sender's above. */
  ports = 0;
  readonly #seed: number;
  readonly #link: number;

  /** @param seed keeps peers from choosing who serves them; @param link bytes of link header */
  constructor(seed: number, link: number) {
    this.#seed = seed;
    this.#link = link;
  }

  /** Looks at a frame. */
  read(view: DataView, at: number, length: number): void {
    this.opens = false;
    this.from = this.to = this.ports = 0;
    this.hash = ANYONE;
    if (length < this.#link) return;
    if (this.#link === 0) return this.#packet(view, at, at + length);
    const type = view.getUint16(at + 12);
    if (type === IPV4) {
      if (view.getUint8(at) & 1) this.hash = EVERYONE;
      else this.#packet(view, at + this.#link, at + length);
    } else if (type === ARP && length >= this.#link + 8) {
      const reply = view.getUint16(at + this.#link + 6) === 2;
      this.hash = reply ? EVERYONE : ANYONE;
    }
  }

  #packet(view: DataView, at: number, end: number): void {
    if (end - at < IP_BYTES_MIN || view.getUint8(at) >> 4 !== 4) return;
    const to = view.getUint32(at + 16);
    if (to >>> 28 >= 14) {
      this.hash = EVERYONE; // 224.0.0.0 and above: groups, and 255.255.255.255
      return;
    }
    const body = at + (view.getUint8(at) & 15) * 4;
    const whole = (view.getUint16(at + 6) & FRAGMENT) === 0;
    if (whole && view.getUint8(at + 9) === ICMP && body + 8 + IP_BYTES_MIN <= end) {
      if (QUOTING.has(view.getUint8(body))) return this.#packet(view, body + 8, end);
    }
    this.#flow(view, at, body, end, whole);
  }

  #flow(view: DataView, at: number, body: number, end: number, whole: boolean): void {
    const protocol = view.getUint8(at + 9);
    this.from = view.getUint32(at + 12);
    this.to = view.getUint32(at + 16);
    if (whole && (protocol === TCP || protocol === UDP) && body + 4 <= end) {
      this.ports = view.getUint32(body);
      this.opens = protocol === UDP ||
        (body + 14 <= end && (view.getUint8(body + 13) & 0x12) === 0x02);
    }
    const [one, two] = [this.ports >>> 16, this.ports & 0xffff];
    let h = mix(this.#seed ^ this.from ^ this.to);
    h = mix(h ^ (this.from + this.to));
    this.hash = mix(h ^ ((one ^ two) << 16 | (one + two) & 0xffff)) >>> 0;
  }
}

/** Spreads each bit over all (the end of MurmurHash3). */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
