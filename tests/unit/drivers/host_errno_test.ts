import { assertEquals, assertThrows } from "@std/assert";
import { fromHostErrno, hostErrnoName } from "../../../drivers/host_errno.ts";
import { TapDriver } from "../../../drivers/tap.ts";
import { errnoName } from "../../../runtime/errors.ts";

/** Names of Linux as node:os knows them on this host, where it is Linux. */
async function linuxNumbers(): Promise<[string, number][]> {
  const { constants } = await import("node:os");
  return Object.entries(constants.errno);
}

Deno.test({
  name: "host errno: every name of the host goes to the same name of the stack",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    let network = 0;
    for (const [name, host] of await linuxNumbers()) {
      const here = errnoName(fromHostErrno(host));
      if (hostErrnoName(host).startsWith("errno")) assertEquals(here, "EIO", name);
      else if (host >= 88 && host <= 115) {
        // Linux has one number for EOPNOTSUPP and ENOTSUP.
        assertEquals(here, name === "ENOTSUP" ? "EOPNOTSUPP" : name);
        network++;
      } else {
        assertEquals(hostErrnoName(host), name === "EWOULDBLOCK" ? "EAGAIN" : name);
      }
    }
    assertEquals(network > 20, true);
  },
});

Deno.test("host errno: the 25 network codes go to 57..81 in the order of AIX", () => {
  const linux = [88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100];
  linux.push(101, 102, 103, 104, 105, 106, 107, 108, 110, 111, 112, 113);
  assertEquals(linux.map(fromHostErrno), Array.from({ length: 25 }, (_, i) => 57 + i));
});

Deno.test("host errno: an unknown number is EIO", () => {
  for (const unknown of [0, -1, 35, 109, 4095]) assertEquals(fromHostErrno(unknown), 5);
});

Deno.test("tap: refuses names and MTUs that no device can have", () => {
  for (const name of ["", "sixteen-bytes-xx", "a b", "a/b", "a:b", "a\0b", "ü23456789012345"]) {
    assertThrows(() => new TapDriver({ name }), RangeError, "a device name");
  }
  assertThrows(() => new TapDriver({ name: "tap0", mtu: 1 }), RangeError, "mtu");
  const tun = new TapDriver({ name: "tun%d", tun: true, mtu: 1280 });
  assertEquals([tun.name, tun.device], ["tun", "tun%d"]);
  assertEquals(tun.caps, { mtu: 1280, medium: "ip", pointToPoint: true });
});
