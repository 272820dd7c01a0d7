/** Sockets of the Linux kernel with filters, in Python. */

import { ask } from "./python.ts";

/** A program, as pairs of 32 bits, and a datagram in hexadecimal. */
export interface FilterCase {
  readonly program: string;
  readonly payload: string;
}

/** What the kernel did with the datagram; hexadecimal, null for nothing. */
export interface FilterAnswer {
  /** The whole packet. */
  readonly whole: string;
  readonly udp: string | null;
  readonly raw: string | null;
}

/** The port that datagrams go to. */
export const PORT = 7711;
/** And the one they come from. */
export const FROM = 7712;

const PYTHON = `
import ctypes, json, socket, struct, sys
SO_ATTACH_FILTER, SO_NO_CHECK = 26, 11
def attach(s, program):
    code = ctypes.create_string_buffer(program, len(program))
    fprog = struct.pack("HL", len(program) // 8, ctypes.addressof(code))
    s.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, fprog)
def look(s, wait=False):
    s.setblocking(wait)
    try: return s.recv(70000).hex()
    except BlockingIOError: return None
udp, sender = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
raw, plain = [socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) for _ in range(2)]
udp.bind(("127.0.0.1", ${PORT}))
sender.bind(("127.0.0.1", ${FROM}))
# a sum of 0 is the same with both stacks
sender.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
answers = []
for case in json.load(sys.stdin):
    for s in (udp, raw): attach(s, bytes.fromhex(case["program"]))
    sender.sendto(bytes.fromhex(case["payload"]), ("127.0.0.1", ${PORT}))
    whole = look(plain, True)
    answers.append({"whole": whole, "udp": look(udp), "raw": look(raw)})
json.dump(answers, sys.stdout)
`;

/** Asks the kernel, in a network namespace of its own. */
export async function filterKernel(cases: readonly FilterCase[]): Promise<FilterAnswer[]> {
  const script = `ip link set lo up && exec python3 -c "$0"`;
  return await ask("unshare", ["-n", "sh", "-c", script, PYTHON], cases);
}
