/** LLDP, loaded into the stack as an untrusted protocol, with the kernel at the other end. */

import { assertEquals } from "@std/assert";
import lldp, { type Lldp } from "../../../protocols/lldp/mod.ts";
import { DEVICE, GODWIT } from "../kit/addresses.ts";
import type { Group } from "../kit/case.ts";
import type { Host } from "../kit/host.ts";
import { run } from "../kit/kernel.ts";

const SYSTEM = "godwit under test";
let agent: Lldp | undefined;

/** Sends an LLDPDU, waits for one, and prints its parts as type and length. */
const PEER = `
import socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88cc))
s.bind(("${DEVICE}", 0x88cc))
s.settimeout(15)
def tlv(kind, value):
    return struct.pack(">H", kind << 9 | len(value)) + value
own = s.getsockname()[4]
pdu = (tlv(1, b"\\x04" + own) + tlv(2, b"\\x05" + b"${DEVICE}") + tlv(3, b"\\x00\\x78")
    + tlv(5, b"the kernel")
    + tlv(8, b"\\x05\\x01\\x0a\\x4d\\x00\\x01\\x02\\x00\\x00\\x00\\x02\\x00")
    + tlv(127, b"\\x00\\x12\\x0f\\x01\\x03\\x6c\\x00\\x00\\x10") + b"\\x00\\x00")
s.send(b"\\x01\\x80\\xc2\\x00\\x00\\x0e" + own + b"\\x88\\xcc" + pdu)
while True:
    frame = s.recv(2000)
    if frame[6:12] != own:
        break
print(frame[:6].hex(), end=" ")
at = 14
while True:
    head, = struct.unpack_from(">H", frame, at)
    print("%d:%d" % (head >> 9, head & 511), end=" ")
    if head == 0:
        break
    at += 2 + (head & 511)
`;

async function hears(host: Host): Promise<void> {
  agent = lldp({ systemName: SYSTEM, interval_s: 1 });
  await host.stack.protocols.load(Object.assign(agent, { slice_ms: 20_000 }));
  const said = (await run("python3", "-c", PEER)).trim();
  const name = host.stack.interfaces[0].name.length;
  const parts = ["1:7", `2:${1 + name}`, "3:2", `4:${name}`, `5:${SYSTEM.length}`, "7:4", "8:12"];
  assertEquals(said, ["0180c200000e", ...parts, "0:0"].join(" "));
  await host.until("the kernel is known", () => agent?.neighbors.length === 1);
  const [neighbor] = agent.neighbors;
  const [{ address: hwaddr }] = JSON.parse(await run("ip", "-j", "link", "show", DEVICE));
  assertEquals(
    [neighbor.chassis, neighbor.hwaddr, neighbor.port, neighbor.systemName, neighbor.ttl_s],
    [hwaddr, hwaddr, DEVICE, "the kernel", 120],
  );
  assertEquals(neighbor.managementAddresses, ["10.77.0.1"]);
  assertEquals([agent.stats.tlvsUnrecognized, agent.stats.framesDiscarded], [1, 0]);
}

async function leaves(host: Host): Promise<void> {
  assertEquals(await host.stack.protocols.unload("lldp"), 0);
  assertEquals(host.stack.protocols.list(), []);
}

/** The cases. */
export const group: Group = {
  name: "interop lldp",
  module: import.meta.url,
  tools: ["python3"],
  cases: [
    { name: "the stack and the kernel hear each other", seconds: 40, run: hears },
    { name: "it is unloaded", run: leaves },
  ],
  seen: [
    {
      name: "announcements as tshark reads them",
      filter: [
        "lldp.chassis.subtype == 4",
        "lldp.port.subtype == 5",
        "lldp.time_to_live == 5",
        `lldp.tlv.system.name == "${SYSTEM}"`,
        "lldp.tlv.system_cap.station_only == 1",
        "lldp.tlv.enable_system_cap.station_only == 1",
        `lldp.mgn.addr.ip4 == ${GODWIT}`,
        "eth.dst == 01:80:c2:00:00:0e",
      ].join(" && "),
    },
    { name: "the good-bye", filter: "lldp.time_to_live == 0 && !lldp.tlv.system.name", atMost: 1 },
    {
      name: "nothing of LLDP that tshark calls wrong",
      filter: "lldp && _ws.expert",
      atMost: 0,
      atLeast: 0,
    },
  ],
};
