/**
 * Packets that a router sends on in a second, between two virtual Ethernet devices: the stack, on
 * an AF_PACKET socket at each, and the kernel itself. Whoever sends is another process; the kernel
 * forwards in the course of its sending, so the two share a processor, while the stack has one to
 * itself, if there is one. Needs root, for network namespaces.
 *
 * @module
 */

import { part, type Row, type Start } from "../row.ts";

const WINDOW_MS = 1500;

function forwarding(kind: "godwit" | "kernel"): Start {
  const child = new URL("../forward/inside.ts", import.meta.url).pathname;
  return (share) => {
    const measure = async () => {
      const { success, stdout, stderr } = await new Deno.Command("unshare", {
        args: [
          ...["--net", "--", Deno.execPath(), "run", "-A", "--no-check", child],
          ...[kind, String(Math.max(200, part(WINDOW_MS, share)))],
        ],
        signal: AbortSignal.timeout(30_000),
      }).output();
      const text = new TextDecoder();
      if (!success) throw new Error(text.decode(stderr));
      return Number(text.decode(stdout));
    };
    return Promise.resolve({ measure, close: () => {} });
  };
}

/** The row. */
export const forwardRows: readonly Row[] = [{
  name: "forward-datagrams",
  unit: "Mpacket/s",
  about: "datagrams of 64 bytes sent on between two devices; the sender is another process",
  ours: forwarding("godwit"),
  reference: { name: "the kernel's forwarding", start: forwarding("kernel") },
}];
