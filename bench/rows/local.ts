/**
 * Local sockets: streams between programs on one stack, beside the kernel's over a socket file.
 *
 * @module
 */

import { Af, Sock } from "../../mod.ts";
import { connectKernelFile } from "../kernel.ts";
import type { Row } from "../row.ts";
import { closeAll, oneHost } from "../stacks.ts";
import { bulkSubject, transferKernel, transferOver } from "./bulk.ts";
import { kernelRoundTrips, promised, synchronous } from "./round_trip.ts";

/** A stack, and two sockets of it that are connected with each other. */
async function localPair() {
  const pair = await oneHost();
  return { pair, ends: pair.left.sys.socketpair(Af.UNIX, Sock.STREAM) };
}

const NAME = "kernel AF_UNIX";
const byte = {
  unit: "1/s",
  reference: { name: NAME, start: kernelRoundTrips(1, connectKernelFile) },
};

/** Local streams. */
export const localRows: readonly Row[] = [
  {
    name: "unix-bulk",
    unit: "Gbit/s",
    about: "256 MiB over a local stream, in writes of 64 KiB",
    ours: async (share) => {
      const { pair, ends: [from, to] } = await localPair();
      return bulkSubject([transferOver(pair, from, to)], share, () => closeAll(pair));
    },
    reference: {
      name: NAME,
      start: async (share) => {
        const ends = await connectKernelFile();
        return bulkSubject([transferKernel(...ends)], share, () => {
          for (const conn of ends) conn.close();
        });
      },
    },
  },
  {
    ...byte,
    name: "unix-roundtrip-1b",
    about: "1 byte there and back over a local stream, through promises",
    ours: async (share) => {
      const { pair, ends } = await localPair();
      return promised(pair, ends, 1, share);
    },
  },
  {
    ...byte,
    name: "unix-roundtrip-1b-sync",
    about: "1 byte there and back over a local stream, through calls that never wait",
    ours: async (share) => {
      const { pair, ends } = await localPair();
      return synchronous(pair, ends, 1, share);
    },
  },
];
