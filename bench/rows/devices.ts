/**
 * What a frame of 1514 bytes costs in the drivers for interfaces of Linux, without a stack: in
 * nanoseconds of the thread, the kernel's part included. Needs root, for a network namespace with a
 * pair of virtual Ethernet devices; those who send also do the work of the far end's kernel.
 *
 * @module
 */

import { part, type Row } from "../row.ts";

const PACKETS = 200_000;

const KINDS = [
  { kind: "af_packet", name: "af-packet", about: "AF_PACKET, TPACKET_V3 and sendmmsg" },
  { kind: "af_xdp", name: "af-xdp", about: "AF_XDP, native mode with copies" },
];

async function perPacket_ns(kind: string, direction: string, packets: number): Promise<number> {
  const child = new URL("../device_child.ts", import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command("unshare", {
    args: [
      ...["--net", "--", Deno.execPath(), "run", "-A", "--no-check", child],
      ...[kind, direction, String(packets)],
    ],
    signal: AbortSignal.timeout(60_000),
  }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(text.decode(stderr));
  return Number(text.decode(stdout));
}

/** Why a network namespace cannot be made here; `undefined` if it can. */
export function noNamespace(): string | undefined {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "needs Linux and root";
  try {
    const args = ["--net", "ip", "link"];
    const { success } = new Deno.Command("unshare", { args, stdout: "null", stderr: "null" })
      .outputSync();
    return success ? undefined : "network namespaces cannot be made";
  } catch {
    return "needs unshare and ip";
  }
}

/** The rows. */
export const deviceRows: readonly Row[] = KINDS.flatMap(({ kind, name, about }) =>
  (["receive", "send"] as const).map((direction): Row => ({
    name: `${name}-${direction}`,
    unit: "ns/packet",
    better: "less",
    about: `${direction}: ${about}`,
    ours: (share) =>
      Promise.resolve({
        measure: () => perPacket_ns(kind, direction, part(PACKETS, share)),
        close: () => {},
      }),
  }))
);
