/** UDP-Lite, loaded into the stack, with the Linux kernel's own. */

import { assertEquals, assertRejects } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import udplite, {
  IPPROTO_UDPLITE,
  UDPLITE_RECV_CSCOV,
  UDPLITE_SEND_CSCOV,
} from "../../../protocols/udplite/mod.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { GODWIT, KERNEL } from "../kit/addresses.ts";
import type { Case, Group } from "../kit/case.ts";
import type { Host } from "../kit/host.ts";
import { run } from "../kit/kernel.ts";

const SIZES = [0, 1, 20, 1400, 5000, 60000];
const COVERAGES = [0, 8, 13, 28, 2000];

/** Says in one word whether Linux has UDP-Lite; it was taken out of late kernels. */
const PROBE = `
import socket
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)
    print("there")
except OSError:
    print("gone")
`;

/** Sends a datagram for each size and coverage, and takes it back as it was. */
const CLIENT = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)
s.bind((sys.argv[1], 0))
s.settimeout(10)
for size in map(int, sys.argv[4].split(",")):
    for coverage in map(int, sys.argv[5].split(",")):
        data = bytes((i * 7 + size + coverage) & 255 for i in range(size))
        s.setsockopt(136, 10, coverage)
        s.sendto(data, (sys.argv[2], int(sys.argv[3])))
        back, sender = s.recvfrom(65536)
        assert back == data, (size, coverage, len(back))
print("done")
`;

async function python(script: string, ...args: string[]): Promise<string> {
  return (await run("python3", "-c", script, ...args)).trim();
}

/** A socket of the loaded protocol. */
async function open({ stack }: Host): Promise<number> {
  if (stack.protocols.list().length === 0) await stack.protocols.load(udplite);
  const fd = stack.sys.socket(Af.INET, Sock.DGRAM, IPPROTO_UDPLITE);
  stack.sys.bind(fd, { address: GODWIT });
  return fd;
}

/** Runs a case if the kernel can. */
function withKernel(name: string, test: (host: Host) => Promise<void>): Case {
  return {
    name,
    seconds: 30,
    run: async (host) => {
      if (await python(PROBE) === "gone") {
        console.log("this kernel has no UDP-Lite: only the stack's own half is tested");
        return;
      }
      await test(host);
    },
  };
}

async function echoes(host: Host): Promise<void> {
  const { sys } = host.stack;
  const fd = await open(host);
  const { port } = sys.getsockname(fd);
  const client = python(CLIENT, KERNEL, GODWIT, `${port}`, SIZES.join(), COVERAGES.join());
  const buffer = new Uint8Array(65536);
  for (let i = 0; i < SIZES.length * COVERAGES.length; i++) {
    const { length, from } = await sys.recvfrom(fd, buffer);
    sys.setsockopt(fd, IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, COVERAGES[i % COVERAGES.length]);
    await sys.sendto(fd, buffer.subarray(0, length), 0, from);
  }
  assertEquals(await client, "done");
  await sys.close(fd);
}

async function refuses(host: Host): Promise<void> {
  const { sys } = host.stack;
  const fd = await open(host);
  await sys.connect(fd, { address: KERNEL, port: 9 });
  await sys.send(fd, Uint8Array.of(1));
  const error = await assertRejects(() => sys.recv(fd, new Uint8Array(1)), SocketError);
  assertEquals(error.code, "ECONNREFUSED");
  await sys.close(fd);
}

async function asksForCoverage(host: Host): Promise<void> {
  const { sys } = host.stack;
  const fd = await open(host);
  sys.setsockopt(fd, IPPROTO_UDPLITE, UDPLITE_RECV_CSCOV, 20);
  const { port } = sys.getsockname(fd);
  const sender = `
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)
for coverage in (8, 19, 20):
    s.setsockopt(136, 10, coverage)
    s.sendto(bytes([coverage]) * 40, ("${GODWIT}", ${port}))
`;
  await python(sender);
  const buffer = new Uint8Array(100);
  await sys.recv(fd, buffer);
  assertEquals(buffer[0], 20);
  await sys.close(fd);
}

/** The cases. */
export const group: Group = {
  name: "interop udplite",
  module: import.meta.url,
  tools: ["python3"],
  cases: [
    withKernel("every size and coverage comes to the stack and goes back", echoes),
    withKernel("a closed port of the kernel is ECONNREFUSED", refuses),
    withKernel("the stack takes no less coverage of the kernel than it asks for", asksForCoverage),
  ],
};
