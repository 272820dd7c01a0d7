/**
 * Runs the contract cases over TAP and TUN devices, in a network namespace made for it.
 */

import { requirements } from "../interop/require.ts";

const { ignore, reason } = requirements({
  root: true,
  tap: true,
  netns: true,
  tools: ["ip", "unshare"],
});

Deno.test({
  name: "tap and tun: the contract, in a network namespace" +
    (ignore ? ` (skipped: ${reason})` : ""),
  ignore,
  fn: async () => {
    const child = new URL("./tap_child.ts", import.meta.url).pathname;
    const args = ["--net", "--", Deno.execPath(), "test", "-A", "--no-check", child];
    const { success, stdout, stderr } = await new Deno.Command("unshare", {
      args,
      env: { NO_COLOR: "1" },
      signal: AbortSignal.timeout(120_000),
    }).output();
    if (success) return;
    const text = new TextDecoder();
    throw new Error(`unshare ${args.join(" ")}\n${text.decode(stdout)}\n${text.decode(stderr)}`);
  },
});
