/** Exit status and messages of `deno task start`. */

import { assertEquals, assertStringIncludes } from "@std/assert";

async function run(script: string, ...args: string[]): Promise<[number, string, string]> {
  const path = new URL(`../../../${script}`, import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", path, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return [code, text.decode(stdout), text.decode(stderr)];
}

Deno.test("start: options that make no sense end with status 2 and a hint", async () => {
  const [code, out, err] = await run("examples/start.ts", "--nonsense");
  assertEquals([code, out], [2, ""]);
  assertStringIncludes(err, "--nonsense");
  assertStringIncludes(err, "--help");
});

Deno.test("start: a job that fails ends with status 1 and says why", async () => {
  const [code, out, err] = await run("examples/start.ts", "--replay", "/nowhere/at.all");
  assertEquals([code, out], [1, ""]);
  assertEquals(err, "start: there is no file /nowhere/at.all\n");
  const self = new URL(import.meta.url).pathname;
  const [wrong, , why] = await run("examples/start.ts", "--replay", self);
  assertEquals(wrong, 1);
  assertStringIncludes(why, "neither a pcap nor a pcapng file");
});

Deno.test("start: settings reach the stacks, and those that there are not are named", async () => {
  const small = ["--size", "1000", "--no-capture"];
  const [code, out] = await run("examples/start.ts", ...small, "--sysctl", "net.ipv4.tcp_sack=0");
  assertEquals(code, 0, out);
  const [wrong, , err] = await run("examples/start.ts", ...small, "--sysctl", "net.ipv4.tcp_ecn=7");
  const why = 'net.ipv4.tcp_ecn takes a whole number from 0 to 2, not "7"';
  assertEquals([wrong, err], [1, `start: sysctl: EINVAL: ${why}\n`]);
});

Deno.test("start: help", async () => {
  const [code, out, err] = await run("examples/start.ts", "--help");
  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, "deno task start --tap NAME");
});
