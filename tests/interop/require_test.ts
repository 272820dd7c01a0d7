import { assertEquals, assertThrows } from "@std/assert";
import { type Machine, requirements } from "./require.ts";

const ABLE: Machine = {
  os: "linux",
  uid: 0,
  ci: false,
  canOpen: () => true,
  has: () => true,
  succeeds: () => true,
};
const NEEDS = { root: true, tap: true, netns: true, tools: ["ip", "curl"] };

Deno.test("requirements that are met let a test run", () => {
  assertEquals(requirements(NEEDS, ABLE), { ignore: false, reason: "" });
  assertEquals(requirements({}, { ...ABLE, uid: 1000, has: () => false }).ignore, false);
});

Deno.test("a missing requirement skips a test with the reason, and fails in CI", () => {
  const machines: [Partial<Machine>, string][] = [
    [{ os: "darwin" }, "it needs Linux"],
    [{ uid: 1000 }, "run as root"],
    [{ canOpen: () => false }, "/dev/net/tun cannot be opened"],
    [{ succeeds: () => false }, "network namespaces cannot be made"],
    [{ has: (tool) => tool !== "curl" }, "install curl"],
  ];
  for (const [change, reason] of machines) {
    const machine = { ...ABLE, ...change };
    assertEquals(requirements(NEEDS, machine), { ignore: true, reason });
    assertThrows(() => requirements(NEEDS, { ...machine, ci: true }), Error, reason);
  }
});
