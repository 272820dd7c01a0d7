/** The server on a TAP device, with this machine's ping and curl, in a network namespace. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { requirements } from "../../interop/require.ts";
import type { Happened } from "./tap_server_child.ts";

const { ignore, reason } = requirements({
  root: true,
  tap: true,
  netns: true,
  tools: ["ip", "unshare", "curl", "ping", "sha256sum"],
});

Deno.test({
  name: "start --tap: ping, download and upload by this machine's own programs" +
    (ignore ? ` (skipped: ${reason})` : ""),
  ignore,
  fn: async () => {
    const child = new URL("./tap_server_child.ts", import.meta.url).pathname;
    const { success, stdout, stderr } = await new Deno.Command("unshare", {
      args: ["--net", "--", Deno.execPath(), "run", "-A", "--no-check", child],
      env: { NO_COLOR: "1" },
      stdin: "null",
      signal: AbortSignal.timeout(120_000),
    }).output();
    const text = new TextDecoder();
    if (!success) throw new Error(text.decode(stdout) + text.decode(stderr));
    const { served, status, addresses, programs } = JSON.parse(text.decode(stdout)) as Happened;

    assertEquals(programs.ping[0], 0, programs.ping[1]);
    assertEquals(programs.download, [0, String(5 * 1024 * 1024)]);
    const sum = programs.sum[1].slice(0, 64);
    assertEquals(programs.upload, [0, `${5 * 1024 * 1024} bytes, sha256 ${sum}\n`]);
    assertStringIncludes(programs.netstat[1], "10.9.0.2:8080");
    assertEquals(programs.nothing, [0, "404"]);
    assertEquals(programs.refused[0], 7, "curl's status for a refused connection");

    assertEquals(status, 0);
    assertStringIncludes(served, `GET /data/5MiB  200  5 MiB  sha256 ${sum}`);
    assertStringIncludes(served, `PUT /upload  200  5 MiB  sha256 ${sum}`);
    assertMatch(served, /ICMP_ECHO_ANSWERED/);
    assertStringIncludes(addresses[0], "10.9.0.1/24");
    assertEquals(addresses[1].includes("10.9.0.1"), false, "the address is taken away again");
  },
});
