/**
 * Attaches and detaches every driver many times: nothing may be left of it in the process (open
 * files, mappings, Workers, pending operations) nor in the engine (mbufs, interfaces).
 */

import { inNamespace } from "./in_namespace.ts";

Deno.test({
  name: "cleanup: drivers that need no privilege leave nothing behind",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const child = new URL("./cleanup_child.ts", import.meta.url).pathname;
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", child],
      env: { NO_COLOR: "1" },
      signal: AbortSignal.timeout(120_000),
    }).output();
    const text = new TextDecoder();
    if (!success) throw new Error(text.decode(stdout) + text.decode(stderr));
  },
});

inNamespace("cleanup: drivers of devices leave nothing behind", "./cleanup_devices_child.ts");
