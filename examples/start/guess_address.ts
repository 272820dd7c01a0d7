/**
 * Which host of a capture the stack should be: the one that most frames are for.
 *
 * @module
 */

import type { CapturedFrame } from "../../drivers/capture.ts";
import { ipPacketOf } from "../../drivers/link_strip.ts";

const ETHERNET = 1;
const ETHERNET_BYTES = 14;

/** A host of a capture. */
export interface GuessedHost {
  /** Its address. */
  readonly address: string;
  /** The hardware address that frames for it have; undefined if the capture has none. */
  readonly hwaddr: Uint8Array | undefined;
  /** Frames for it. */
  readonly frames: number;
}

/**
 * Counts IPv4 destinations, and ARP targets half as much.
 *
 * @param wanted only look for the hardware address of this host
 */
export function guessHost(
  frames: Iterable<CapturedFrame>,
  wanted?: string,
): GuessedHost | undefined {
  const scores = new Map<string, { score: number; frames: number; hwaddr?: Uint8Array }>();
  for (const frame of frames) {
    const target = targetOf(frame);
    if (target === undefined || (wanted ?? target.address) !== target.address) continue;
    const known = scores.get(target.address) ?? { score: 0, frames: 0 };
    known.score += target.weight;
    known.frames++;
    if (target.hwaddr !== undefined) known.hwaddr = target.hwaddr;
    scores.set(target.address, known);
  }
  let best: GuessedHost | undefined;
  let bestScore = 0;
  for (const [address, { score, frames, hwaddr }] of scores) {
    if (score <= bestScore) continue;
    bestScore = score;
    best = { address, hwaddr, frames };
  }
  return best;
}

interface Target {
  readonly address: string;
  readonly weight: number;
  readonly hwaddr: Uint8Array | undefined;
}

/** Whom a frame is for, if that is a single host. */
function targetOf(frame: CapturedFrame): Target | undefined {
  const { data, linktype } = frame;
  const ethernet = linktype === ETHERNET;
  if (ethernet && data.length < ETHERNET_BYTES) return undefined;
  const type = ethernet ? data[12] << 8 | data[13] : 0x0800;
  if (type === 0x0806) return arpTarget(data);
  if (type !== 0x0800) return undefined;
  const packet = ethernet ? data.subarray(ETHERNET_BYTES) : ipPacketOf(frame);
  if (packet === undefined || packet.length < 20 || packet[0] >> 4 !== 4) return undefined;
  const single = isSingle(packet.subarray(16, 20)) && !(ethernet && data[0] & 1);
  if (!single) return undefined;
  const hwaddr = ethernet ? Uint8Array.from(data.subarray(0, 6)) : undefined;
  return { address: packet.subarray(16, 20).join("."), weight: 2, hwaddr };
}

/** Whom an ARP request asks for. */
function arpTarget(data: Uint8Array): Target | undefined {
  const request = data.length >= ETHERNET_BYTES + 28 && data[20] === 0 && data[21] === 1;
  if (!request || !isSingle(data.subarray(38, 42))) return undefined;
  return { address: data.subarray(38, 42).join("."), weight: 1, hwaddr: undefined };
}

/** Neither a group, nor a broadcast that can be told without a mask, nor nobody, nor loopback. */
function isSingle(address: Uint8Array): boolean {
  return address[0] !== 0 && address[0] !== 127 && address[0] < 224 && address[3] !== 255;
}
