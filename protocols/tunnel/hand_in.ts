/**
 * The way of carried frames into their interfaces.
 *
 * @module
 */

import type { Kernel, Packet } from "../../runtime/protocol/public.ts";

/**
 * Asks of each packet which interface its frame is for, 0 for none, and hands it in. Those in a row
 * for one interface go in together, so that segments of a connection can be put together.
 */
export function handIn(
  kernel: Kernel,
  packets: readonly Packet[],
  indexOf: (packet: Packet) => number,
): void {
  let held: Packet | undefined;
  let index = 0;
  try {
    for (const packet of packets) {
      const next = indexOf(packet);
      if (next === 0) continue;
      if (held !== undefined) kernel.input(held, index, index === next);
      held = packet;
      index = next;
    }
  } finally {
    if (held !== undefined) kernel.input(held, index);
  }
}
