/** UDP and raw sockets with filters beside those of the Linux kernel: the same packets. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BpfAd, BpfCode } from "../../assembly/abi/bpf.ts";
import { Errno } from "../../assembly/abi/errno.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Af, So, Sock, Sol } from "../../assembly/abi/socket.ts";
import { encodeProgram, type Insn } from "../../filter/mod.ts";
import { createStack, SocketError, type Stack } from "../../mod.ts";
import { soundProgram } from "../unit/filter/programs.ts";
import { filterKernel, PORT } from "./kit/filter_kernel.ts";
import { requirements } from "./require.ts";

const { ignore, reason } = requirements({
  root: true,
  netns: true,
  tools: ["python3", "ip", "unshare"],
});
const SEED = 77;
const CASES = 1500;

/** Where BSD and Linux differ, or the two machines: shifts by X, sums beyond 32 bits, the link. */
function alike({ code, k }: Insn): boolean {
  if (code === BpfCode.LSH_X || code === BpfCode.RSH_X) return false;
  const loads = (code & 7) === 0 || code === BpfCode.LDX_MSH;
  const place = k | 0;
  if (!loads || place >= 0) return code >> 5 !== 2 || (code & 7) !== 0 || k < 2 ** 16;
  return (code & 0xe0) === 0x20 && (place >= BpfAd.NET_OFF && place < BpfAd.OFF);
}

const RET_A: Insn = { code: BpfCode.RET_A, jt: 0, jf: 0, k: 0 };
const program = fc.oneof(
  soundProgram.map((insns) =>
    insns.map((insn) => alike(insn) ? insn : { ...RET_A, code: 0, k: 1 })
  ),
  fc.nat(60).map((k): Insn[] => [{ code: BpfCode.RET_K, jt: 0, jf: 0, k }]),
  // a byte of each header, and the length
  fc.tuple(fc.nat(40), fc.boolean()).map(([at, net]): Insn[] => {
    const k = (net ? BpfAd.NET_OFF + at : at) >>> 0;
    return [{ code: BpfCode.LD_B_ABS, jt: 0, jf: 0, k }, RET_A];
  }),
  fc.constant<Insn[]>([{ code: BpfCode.LD_LEN, jt: 0, jf: 0, k: 0 }, RET_A]),
);

const hex = (bytes: Uint8Array) => bytes.toHex();

function look(stack: Stack, fd: number): string | null {
  const buffer = new Uint8Array(4000);
  try {
    return hex(buffer.subarray(0, stack.sys.nb.recvfrom(fd, buffer).length));
  } catch (error) {
    if (error instanceof SocketError && error.errno === Errno.EAGAIN) return null;
    throw error;
  }
}

Deno.test({
  name: `interop: filters on UDP and raw sockets do what the kernel's do${reason && `: ${reason}`}`,
  ignore,
  fn: async () => {
    const drawn = fc.sample(fc.tuple(program, fc.uint8Array({ maxLength: 1000, size: "max" })), {
      seed: SEED,
      numRuns: CASES,
    });
    const cases = drawn.map(([insns, payload]) => ({
      program: hex(encodeProgram(insns)),
      payload: hex(payload),
    }));
    const answers = await filterKernel(cases);
    assertEquals(answers.length, CASES);
    await using stack = await createStack();
    const { sys } = stack;
    const udp = sys.socket(Af.INET, Sock.DGRAM);
    sys.bind(udp, { address: "127.0.0.1", port: PORT });
    const [raw, plain] = [0, 0].map(() => sys.socket(Af.INET, Sock.RAW, IpProto.UDP));
    const sender = sys.socket(Af.INET, Sock.RAW, IpProto.RAW);
    let kept = 0;
    for (const [i, { whole, ...expected }] of answers.entries()) {
      const bytes = Uint8Array.fromHex(cases[i].program);
      for (const fd of [udp, raw]) sys.setsockopt(fd, Sol.SOCKET, So.ATTACH_FILTER, bytes);
      await sys.sendto(sender, Uint8Array.fromHex(whole), 0, { address: "127.0.0.1" });
      const seen = new Uint8Array(4000);
      const { length } = await sys.recvfrom(plain, seen);
      assertEquals(hex(seen.subarray(0, length)), whole, "the same packet");
      const got = { udp: look(stack, udp), raw: look(stack, raw) };
      assertEquals(got, expected, `seed ${SEED}, case ${i}: ${JSON.stringify(drawn[i][0])}`);
      if (got.udp !== null) kept += 1;
    }
    assert(kept > CASES / 10 && kept < CASES * 9 / 10, `${kept} of ${CASES} kept`);
  },
});
