/** Echo requests of all sizes, both ways; the large ones come and go in fragments (RFC 791). */

import { assert, assertEquals } from "@std/assert";
import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { GODWIT, KERNEL } from "../kit/addresses.ts";
import type { Case, Group } from "../kit/case.ts";
import { firstDifference, ownBytes } from "../kit/content.ts";
import type { Host } from "../kit/host.ts";
import { attempt, run } from "../kit/kernel.ts";

/** Payload bytes; 1,472 is the most that fits one frame. */
const SIZES = [0, 1, 56, 1472, 1473, 8000, 65000];
const ECHO = 8;
const ECHO_REPLY = 0;

function pingedByKernel(size: number): Case {
  return {
    name: `the kernel's ping with ${size} bytes is answered`,
    run: async () => {
      const { code, stdout } = await attempt("ping", "-c2", "-i0.2", "-W8", `-s${size}`, GODWIT);
      assert(code === 0 && stdout.includes(" 0% packet loss"), stdout);
      assert(!stdout.includes("wrong data byte"), stdout);
    },
  };
}

/** RFC 1071. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function echoRequest(id: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(8 + payload.length);
  const view = new DataView(message.buffer);
  view.setUint8(0, ECHO);
  view.setUint16(4, id);
  view.setUint16(6, 1);
  message.set(payload, 8);
  view.setUint16(2, checksum(message));
  return message;
}

/** Waits for the echo reply with this identifier; raw sockets get the IP header too. */
async function echoReply({ sys }: Host, fd: number, id: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(65535);
  for (;;) {
    const length = await sys.recv(fd, buffer, 0, { signal: AbortSignal.timeout(8000) });
    const message = buffer.slice((buffer[0] & 15) * 4, length);
    const view = new DataView(message.buffer);
    if (view.getUint8(0) === ECHO_REPLY && view.getUint16(4) === id) return message;
  }
}

function pingsKernel(size: number): Case {
  return {
    name: `the kernel answers a raw socket's echo request with ${size} bytes`,
    run: async (host) => {
      const { sys } = host;
      const fd = sys.socket(Af.INET, Sock.RAW, IpProto.ICMP);
      const payload = ownBytes(size, size);
      const request = echoRequest(0x4700 + (size & 255), payload);
      assertEquals(await sys.sendto(fd, request, 0, { address: KERNEL }), request.length);
      const reply = await echoReply(host, fd, 0x4700 + (size & 255));
      assertEquals(firstDifference(reply.subarray(8), payload), -1);
      await sys.close(fd);
    },
  };
}

/** Echo requests of all sizes, both ways. */
export const pings: readonly Case[] = [
  ...SIZES.map(pingedByKernel),
  ...SIZES.map(pingsKernel),
  {
    name: "a ping flood loses nothing",
    run: async () => {
      const { code, stdout } = await attempt("ping", "-f", "-c500", "-s1000", "-W8", GODWIT);
      assert(code === 0 && stdout.includes(" 0% packet loss"), stdout);
    },
  },
  {
    name: "the kernel has learned the stack's hardware address",
    run: async ({ hwaddr }) => {
      const neighbour = await run("ip", "neigh", "show", GODWIT);
      assert(neighbour.includes(`lladdr ${hwaddr}`), neighbour);
    },
  },
];

/** The cases. */
export const group: Group = {
  name: "interop ping",
  module: import.meta.url,
  tools: ["ping"],
  cases: pings,
  seen: [
    { name: "fragments from the kernel", filter: `ip.frag_offset > 0 && ip.src == ${KERNEL}` },
    { name: "fragments from the stack", filter: `ip.frag_offset > 0 && ip.src == ${GODWIT}` },
  ],
};
