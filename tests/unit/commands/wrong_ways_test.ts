/** The commands used in wrong ways: words for each, and nothing that others made is lost. */

import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { ifconfig } from "../../../commands/cli/ifconfig.ts";
import { netstat } from "../../../commands/cli/netstat.ts";
import { ping } from "../../../commands/cli/ping.ts";
import { route } from "../../../commands/cli/route.ts";
import { traceroute } from "../../../commands/cli/traceroute.ts";
import { ControlTarget } from "../../../commands/mod.ts";
import { type SourceFrame, tcpdump } from "../../../commands/tcpdump/run.ts";
import { openCapture } from "../../../drivers/capture.ts";
import { createStack } from "../../../mod.ts";
import { createSim } from "../../sim_pair.ts";
import { run } from "./kit.ts";

const NO_FILE = () => Promise.reject(new Error("no file"));

Deno.test("netstat: protocols that are not there, and those without sockets", async () => {
  await using stack = await createStack();
  const wrong = await run(netstat, ["-p", "frob"], stack);
  assertEquals([wrong.status, wrong.out], [1, ""]);
  assertMatch(wrong.err, /^netstat: there is no protocol frob; there are .*\btcp\b/);
  for (const protocol of ["tcp", "igmp", "unix", "route", "packet"]) {
    assertEquals((await run(netstat, ["-a", "-p", protocol], stack)).status, 0, protocol);
  }
});

Deno.test("netstat: counters and sockets of local, routing and packet domains", async () => {
  await using stack = await createStack();
  using listener = stack.listen({ transport: "unix", path: "/run/echo" });
  using client = await stack.connect({ transport: "unix", path: "/run/echo" });
  using served = await listener.accept();
  await client.write(new Uint8Array(7));
  await served.read(new Uint8Array(7));
  const counters = await run(netstat, ["-s", "-p", "unix"], stack);
  assertMatch(counters.out, /^unix:\n(\t\d+ \w+\n)*\t1 messages\n/);
  const all = JSON.parse((await run(netstat, ["-ss", "--json"], stack)).out);
  assertEquals(Object.keys(all.unix), ["messages", "passed", "dropped", "collected"]);
  assertEquals(typeof all.igmp, "object");
  const sockets = await run(netstat, ["-a"], stack);
  assertMatch(sockets.out, /^Active UNIX domain sockets/);
  assertMatch(sockets.out, /\nunix +0 +0 +\/run\/echo +\*:\* +LISTEN/);
});

Deno.test("commands: output that nobody reads ends them, and is no complaint", async () => {
  await using stack = await createStack();
  const heard = () => {
    throw Object.assign(new Error("Broken pipe"), { name: "BrokenPipe" });
  };
  for (const [command, args] of [[netstat, ["-i"]], [ping, ["127.0.0.1"]]] as const) {
    await assertRejects(() => run(command, args, stack, { heard }), Error, "Broken pipe");
    assertEquals(stack.netstat().sockets, []);
  }
});

Deno.test("traceroute: a host that is none, and one without a route, once", async () => {
  await using sim = await createSim();
  const [a] = sim.stacks;
  const named = await run(traceroute, ["example"], a);
  assertEquals([named.status, named.out], [1, ""]);
  assertMatch(named.err, /^traceroute: "example" is no IPv4 address/);
  const nowhere = await sim.run(run(traceroute, ["192.0.2.1"], a));
  assertEquals(nowhere.status, 1);
  assertEquals(nowhere.out.split("\n").slice(1), [
    " 1  ! sendto: ENETUNREACH: no route to the network",
    "",
  ]);
});

Deno.test("route, ifconfig: the spellings of BSD, and what a device does not take", async () => {
  await using sim = await createSim();
  const [a] = sim.stacks;
  const mask = ["-net", "10.6.0.0", "-netmask", "255.255.0.0"];
  const added = await run(route, ["add", ...mask, "10.0.0.2"], a);
  assertEquals(added.out, "add net 10.6.0.0/16: gateway 10.0.0.2\n", added.err);
  assertEquals((await run(route, ["delete", ...mask], a)).out, "delete net 10.6.0.0/16\n");
  const host = await run(route, ["add", "-host", "10.7.0.1", "10.0.0.2"], a);
  assertEquals(host.out, "add host 10.7.0.1: gateway 10.0.0.2\n");
  const nowhere = await run(route, ["add", "10.6.0.0/16"], a);
  assertEquals(nowhere.status, 2);
  assertMatch(nowhere.err, /^route: add needs a gateway or --interface\n/);
  const noMask = await run(route, ["add", "10.6.0.0", "-netmask", "255.0.255.0", "10.0.0.2"], a);
  assertMatch(noMask.err, /^route: "255\.0\.255\.0" is no mask\n/);
  for (const words of [["-alias", "10.3.0.1"], ["delete", "10.3.0.1"], ["10.3.0.1", "delete"]]) {
    assertEquals((await run(ifconfig, ["eth0", "10.3.0.1/24"], a)).err, "");
    assertEquals((await run(ifconfig, ["eth0", ...words], a)).err, "");
    assertEquals(a.netstat().interfaces[1].addresses, ["10.0.0.1/24"]);
  }
  const large = await run(ifconfig, ["eth0", "mtu", "65000"], a);
  assertEquals(large.err, "ifconfig: the device of eth0 takes no MTU of 65000 bytes\n");
});

Deno.test("control: a file that is no socket is told", async () => {
  const path = await Deno.makeTempFile({ prefix: "godwit_" });
  const { status, err } = await run(netstat, [], new ControlTarget(path));
  await Deno.remove(path);
  assertEquals(status, 1);
  assertMatch(err, /no stack listens there: it is gone, or this is no socket\n$/);
});

Deno.test("control: somebody who hangs up, with the question unread or not", async () => {
  const folder = await Deno.makeTempDir({ prefix: "godwit_" });
  const path = `${folder}/control`;
  using listener = Deno.listen({ transport: "unix", path });
  for (const heard of [false, true]) {
    const answered = run(netstat, [], new ControlTarget(path));
    {
      using conn = await listener.accept();
      if (heard) await conn.read(new Uint8Array(99));
    }
    assertMatch((await answered).err, /^netstat: .*control: the stack has hung up\n$/);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("tcpdump: what came before the stack was gone is a good file", async () => {
  let file = new Uint8Array();
  async function* frames(): AsyncGenerator<SourceFrame> {
    yield {
      timestamp_us: 1,
      timestamp_ns: 1000n,
      linktype: 1,
      interface: 0,
      data: new Uint8Array(60),
      originalLength: 60,
      fcsLength: 0,
    };
    await Promise.resolve();
    throw new Error("the stack has hung up");
  }
  let said = "";
  const status = await tcpdump(["-w", "some.pcapng"], {
    read: NO_FILE,
    create: () => Promise.resolve((bytes) => void (file = Uint8Array.of(...file, ...bytes))),
    out: () => {},
    err: (text) => void (said += text),
    live: () => ({ interfaces: [{ name: "eth0", linktype: 1, snaplen: 0 }], frames: frames() }),
  });
  assertEquals([status, said], [1, "tcpdump: the stack has hung up\n"]);
  assertEquals([...openCapture(file)].length, 1);
});

Deno.test("tcpdump: counts of nothing, and all interfaces in a file for one", async () => {
  const wrong = [["-c", "0"], ["-i", "any", "-w", "some.pcap"]];
  const complaints = ["above 0", "-i any"];
  for (const [i, args] of wrong.entries()) {
    let said = "";
    const host = { read: NO_FILE, create: NO_FILE, out: () => {}, live: NO_FILE };
    assertEquals(await tcpdump(args, { ...host, err: (text) => void (said += text) }), 1);
    assertMatch(said, /^tcpdump: /);
    assertStringIncludes(said, complaints[i]);
  }
});
