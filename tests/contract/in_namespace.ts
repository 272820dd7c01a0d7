/** Runs a file of tests in a network namespace that is made for it, and vanishes with it. */

import { type Needs, requirements } from "../interop/require.ts";

const SECONDS_MAX = 120;

/** Defines a test that runs the tests of a file beside this one, as root in a new namespace. */
export function inNamespace(
  name: string,
  file: string,
  tools: readonly string[] = [],
  more: Needs = {},
): void {
  const needs = { ...more, root: true, netns: true, tools: ["ip", "unshare", ...tools] };
  const { ignore, reason } = requirements(needs);
  Deno.test({
    name: name + (ignore ? ` (skipped: ${reason})` : ""),
    ignore,
    fn: async () => {
      const child = new URL(file, import.meta.url).pathname;
      const args = ["--net", "--", Deno.execPath(), "test", "-A", "--no-check", child];
      const { success, stdout, stderr } = await new Deno.Command("unshare", {
        args,
        env: { NO_COLOR: "1" },
        signal: AbortSignal.timeout(SECONDS_MAX * 1000),
      }).output();
      if (success) return;
      const text = new TextDecoder();
      throw new Error(`unshare ${args.join(" ")}\n${text.decode(stdout)}\n${text.decode(stderr)}`);
    },
  });
}
