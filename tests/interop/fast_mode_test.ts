/** Runs the example of the fast mode on a TAP device in a network namespace. */

import { assert, assertMatch } from "@std/assert";
import { requirements } from "./require.ts";

const needs = { root: true, tap: true, netns: true, tools: ["ip", "unshare", "sh"] };
const { ignore, reason } = requirements(needs);
const EXAMPLE = new URL("../../examples/fast_mode.ts", import.meta.url).pathname;

Deno.test({
  name: "example: a stack in a Worker answers the kernel" + (ignore ? ` (skipped: ${reason})` : ""),
  ignore,
  fn: async () => {
    const script = [
      "ip tuntap add dev godwit0 mode tap",
      "ip addr add 10.9.0.1/24 dev godwit0",
      "ip link set godwit0 up",
      `exec "$0" run -A --no-check "$1" godwit0`,
    ].join(" && ");
    const { success, stdout, stderr } = await new Deno.Command("unshare", {
      args: ["--net", "--", "sh", "-c", script, Deno.execPath(), EXAMPLE],
      signal: AbortSignal.timeout(60_000),
    }).output();
    const text = new TextDecoder();
    assert(success, text.decode(stderr));
    assertMatch(text.decode(stdout), /^500 round trips: median \d+ µs/);
  },
});
