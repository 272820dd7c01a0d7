/**
 * Finds the IP packet in a captured frame of a link type other than Ethernet.
 *
 * @module
 */

import { type CapturedFrame, Linktype } from "./capture_types.ts";

const FAMILY_BYTES = 4;
const SLL_BYTES = 16;
const SLL2_BYTES = 20;
const ETHERTYPE_IP4 = 0x0800;
const ETHERTYPE_IP6 = 0x86dd;

/** True if the frames of a link type are bare IP packets or can be made so by `ipPacketOf`. */
export function carriesIp(linktype: number): boolean {
  switch (linktype) {
    case Linktype.NULL:
    case Linktype.RAW:
    case Linktype.LOOP:
    case Linktype.LINUX_SLL:
    case Linktype.IPV4:
    case Linktype.IPV6:
    case Linktype.LINUX_SLL2:
      return true;
  }
  return false;
}

/** The IP packet of a frame as a view, or undefined if it carries none. */
export function ipPacketOf(frame: CapturedFrame): Uint8Array<ArrayBuffer> | undefined {
  const data = frame.data;
  switch (frame.linktype) {
    case Linktype.RAW:
    case Linktype.IPV4:
    case Linktype.IPV6:
      return isIp(data, 0) ? data : undefined;
    // The number of AF_INET6 differs among systems, so the version in the packet decides.
    case Linktype.NULL:
    case Linktype.LOOP:
      return isIp(data, FAMILY_BYTES) ? data.subarray(FAMILY_BYTES) : undefined;
    case Linktype.LINUX_SLL:
      return isIpType(data, 14) ? data.subarray(SLL_BYTES) : undefined;
    case Linktype.LINUX_SLL2:
      return isIpType(data, 0) ? data.subarray(SLL2_BYTES) : undefined;
  }
  return undefined;
}

function isIp(data: Uint8Array, at: number): boolean {
  if (data.length <= at) return false;
  const version = data[at] >> 4;
  return version === 4 || version === 6;
}

function isIpType(data: Uint8Array, at: number): boolean {
  const header = at === 0 ? SLL2_BYTES : SLL_BYTES;
  if (data.length <= header) return false;
  const type = (data[at] << 8) | data[at + 1];
  return type === ETHERTYPE_IP4 || type === ETHERTYPE_IP6;
}
