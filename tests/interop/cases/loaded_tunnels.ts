/** VXLAN and GRE, loaded into the stack, with the Linux kernel's own at the other end. */

import { assert, assertEquals } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Gre, type GreTunnelOptions } from "../../../protocols/gre/mod.ts";
import vxlan from "../../../protocols/vxlan/mod.ts";
import { DEVICE, GODWIT, KERNEL } from "../kit/addresses.ts";
import type { Case, Group } from "../kit/case.ts";
import { contentHash } from "../kit/content.ts";
import type { Host } from "../kit/host.ts";
import { serveHttp } from "../kit/http.ts";
import { attempt, run } from "../kit/kernel.ts";

const BYTES = 4 * 2 ** 20;
/** Payload bytes: small, the most that fits through VXLAN, and what must be cut inside. */
const SIZES = [0, 56, 1422, 8000];

/** Both ends of a tunnel, inside. */
interface Ends {
  readonly kernel: string;
  readonly stack: string;
}

async function pings({ stack }: Ends): Promise<void> {
  for (const size of SIZES) {
    const { code, stdout } = await attempt("ping", "-c2", "-i0.2", "-W8", `-s${size}`, stack);
    assert(code === 0 && stdout.includes(" 0% packet loss"), stdout);
  }
}

/** curl gets content from a server on the stack, through the tunnel. */
async function downloads({ stack, folder }: Host, ends: Ends): Promise<void> {
  using listener = stack.listen({ hostname: ends.stack, port: 8080 });
  const serving = (async () => {
    using conn = await listener.accept();
    await serveHttp(conn);
  })();
  const file = `${folder}/download`;
  const url = `http://${ends.stack}:8080/content/${BYTES}`;
  await run("curl", "--silent", "--show-error", "--fail", "-o", file, url);
  const [digest] = (await run("sha256sum", file)).split(" ");
  await Deno.remove(file);
  assertEquals(digest, contentHash(BYTES));
  await serving;
}

/** An echo request of the stack is answered by the kernel's end. */
async function asks({ sys }: Host, { kernel }: Ends): Promise<void> {
  const fd = sys.socket(Af.INET, Sock.RAW, IpProto.ICMP);
  await sys.connect(fd, { address: kernel });
  const request = Uint8Array.of(8, 0, 0xf7, 0xfd, 0, 1, 0, 1);
  await sys.send(fd, request);
  const reply = new Uint8Array(100);
  const length = await sys.recv(fd, reply, 0, { signal: AbortSignal.timeout(8000) });
  assertEquals([...reply.subarray(20, length)], [0, 0, 0xff, 0xfd, 0, 1, 0, 1]);
  await sys.close(fd);
}

const SEGMENT: Ends = { kernel: "192.168.42.1", stack: "192.168.42.2" };

/** The kernel's interface of segment 42, and ours. */
async function segment(host: Host): Promise<void> {
  const end = ["id", "42", "dstport", "4789", "remote", GODWIT, "dev", DEVICE];
  await run("ip", "link", "add", "vx42", "type", "vxlan", ...end);
  await run("ip", "addr", "add", `${SEGMENT.kernel}/24`, "dev", "vx42");
  await run("ip", "link", "set", "vx42", "up");
  const tunnel = { vni: 42, remotes: [KERNEL], addresses: [`${SEGMENT.stack}/24`] };
  await host.stack.protocols.load(vxlan({ tunnels: [tunnel] }));
}

async function endSegment({ stack }: Host): Promise<void> {
  await stack.protocols.unload("vxlan");
  assertEquals(stack.protocols.list(), []);
  await run("ip", "link", "del", "vx42");
}

/** Tunnels that the kernel is asked for, where it has GRE. */
const TUNNELS: [name: string, options: Partial<GreTunnelOptions>, kernel: string[]][] = [
  ["plain", {}, ["type", "gre"]],
  ["with key, checksum and numbers", { key: 7, checksum: true, sequence: true }, [
    ...["type", "gre", "key", "7", "csum", "seq"],
  ]],
  ["of Ethernet", { ethernet: true, key: 9 }, ["type", "gretap", "key", "9"]],
];

function greCase(index: number): Case {
  const [name, options, type] = TUNNELS[index];
  const inside: Ends = { kernel: `192.168.${50 + index}.1`, stack: `192.168.${50 + index}.2` };
  return {
    name: `GRE ${name}: pings and 4 MiB go through`,
    seconds: 60,
    run: async (host) => {
      const ends = ["local", KERNEL, "remote", GODWIT];
      const { code, stderr } = await attempt("ip", "link", "add", "gw-gre", ...type, ...ends);
      const addresses = [`${inside.stack}/24`];
      const gre = new Gre({ tunnels: [{ remote: KERNEL, addresses, ...options }] });
      await host.stack.protocols.load(gre);
      if (code === 0) {
        await run("ip", "addr", "add", `${inside.kernel}/24`, "dev", "gw-gre");
        await run("ip", "link", "set", "gw-gre", "up");
        await pings(inside);
        await asks(host, inside);
        await downloads(host, inside);
        await run("ip", "link", "del", "gw-gre");
      } else {
        assert(stderr.includes("Unknown device type"), stderr);
        console.log("this kernel has no GRE: only what the stack sends is judged");
        const fd = host.sys.socket(Af.INET, Sock.DGRAM);
        const to = { address: inside.kernel, port: 9 };
        for (const size of SIZES) await host.sys.sendto(fd, new Uint8Array(size), 0, to);
        await host.until("they are sent", () => gre.tunnels[0].stats.txFrames > 0);
        await host.sys.close(fd);
      }
      await host.stack.protocols.unload("gre");
    },
  };
}

/** The cases. */
export const group: Group = {
  name: "interop loaded tunnels",
  module: import.meta.url,
  tools: ["curl", "ping", "sha256sum"],
  decode: "udp.port==4789,vxlan",
  cases: [
    {
      name: "VXLAN: the kernel's pings of all sizes are answered, and ours",
      run: async (host) => {
        await segment(host);
        await pings(SEGMENT);
        await asks(host, SEGMENT);
        const learned = await run("bridge", "fdb", "show", "dev", "vx42");
        assert(learned.includes(`dst ${GODWIT}`), learned);
      },
    },
    {
      name: "VXLAN: curl downloads 4 MiB from the stack through a segment",
      seconds: 60,
      run: (host) => downloads(host, SEGMENT),
    },
    { name: "VXLAN: the protocol goes while the kernel's end is there", run: endSegment },
    ...TUNNELS.map((_, index) => greCase(index)),
  ],
  seen: [
    { name: "TCP in VXLAN from the stack", filter: `vxlan && tcp && ip.src == ${SEGMENT.stack}` },
    { name: "ARP in VXLAN", filter: "vxlan && arp" },
    { name: "GRE with an IP packet", filter: `gre && ip.src == ${GODWIT} && gre.proto == 0x0800` },
    { name: "GRE with a frame", filter: `gre && ip.src == ${GODWIT} && gre.proto == 0x6558` },
    {
      name: "a GRE checksum that is wrong",
      filter: "gre.checksum.status == 0",
      atMost: 0,
      atLeast: 0,
    },
  ],
};
