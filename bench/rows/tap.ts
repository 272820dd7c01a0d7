/**
 * Bulk TCP between the stack and the kernel over a TAP device with offloads, beside that of two
 * kernels over a pair of virtual Ethernet devices with theirs. Needs root, for network namespaces.
 *
 * @module
 */

import { part, type Row, type Start } from "../row.ts";

const BYTES = 4 * 2 ** 30;
const RUN_MS_MAX = 60_000;

function transfer(kind: "send" | "receive" | "veth"): Start {
  const child = new URL("../tap/inside.ts", import.meta.url).pathname;
  return (share) => {
    const deno = [Deno.execPath(), "run", "-A", "--no-check", child];
    const args = ["--net", "--", ...deno, kind, String(part(BYTES, share))];
    const measure = async () => {
      const { success, stdout, stderr } = await new Deno.Command("unshare", {
        args,
        signal: AbortSignal.timeout(RUN_MS_MAX),
      }).output();
      const text = new TextDecoder();
      if (!success) throw new Error(text.decode(stderr));
      return Number(text.decode(stdout));
    };
    return Promise.resolve({ measure, close: () => {} });
  };
}

/** Why this cannot be measured here; `undefined` if it can. */
export function noIperf(): string | undefined {
  try {
    new Deno.Command("iperf3", { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync();
  } catch {
    return "needs iperf3";
  }
}

/** The rows. */
export const tapRows: readonly Row[] = (["send", "receive"] as const).map((kind) => ({
  name: `tap-bulk-${kind}`,
  unit: "Gbit/s",
  about: `the stack ${kind}s over TAP with offloads, a kernel socket is the peer`,
  ours: transfer(kind),
  reference: { name: "kernel to kernel over veth", start: transfer("veth") },
  run_ms_max: RUN_MS_MAX,
}));
