/** Filters on UDP and raw IP sockets. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BpfAd, BpfCode } from "../../assembly/abi/bpf.ts";
import { Errno } from "../../assembly/abi/errno.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Af, So, Sock, Sol } from "../../assembly/abi/socket.ts";
import { compileFilter, encodeProgram, type Insn, runProgram } from "../../filter/mod.ts";
import { createStack, SocketError, type Stack } from "../../mod.ts";
import checkedEngine from "../engine_checked_module.js";
import { soundProgram } from "../unit/filter/programs.ts";
import { holdings } from "../unit/protocol/net.ts";

const SEED = 20_611;
const PORT = 7000;
const UDP_HEADER = 8;
const IP_HEADER = 20;
const TO = { address: "127.0.0.1", port: PORT };

const insn = (code: BpfCode, k: number, jt = 0, jf = 0): Insn => ({ code, jt, jf, k: k >>> 0 });
const ret = (k: number): Insn => insn(BpfCode.RET_K, k);

const create = () => createStack({ engine: checkedEngine, memory: { bytes: 16 * 2 ** 20 } });

function attach(stack: Stack, fd: number, program: readonly Insn[]): void {
  stack.sys.setsockopt(fd, Sol.SOCKET, So.ATTACH_FILTER, encodeProgram(program));
}

function udp(stack: Stack, port: number): number {
  const fd = stack.sys.socket(Af.INET, Sock.DGRAM);
  stack.sys.bind(fd, { address: "127.0.0.1", port });
  return fd;
}

/** What waits at a socket, undefined if nothing does. */
function look(stack: Stack, fd: number): Uint8Array | undefined {
  const buffer = new Uint8Array(4000);
  try {
    return buffer.slice(0, stack.sys.nb.recvfrom(fd, buffer).length);
  } catch (error) {
    if (error instanceof SocketError && error.errno === Errno.EAGAIN) return undefined;
    throw error;
  }
}

/** Some sockets: without a filter and with one, each of UDP and raw. */
function sockets(stack: Stack) {
  const raw = () => stack.sys.socket(Af.INET, Sock.RAW, IpProto.UDP);
  const all = { from: udp(stack, 1), udp: udp(stack, PORT), raw: raw(), plain: raw() };
  return {
    ...all,
    /** Sends a datagram; what came of it, the whole packet last. */
    pass: async (payload: Uint8Array) => {
      await stack.sys.sendto(all.from, payload, 0, TO);
      const whole = new Uint8Array(4000);
      const { length } = await stack.sys.recvfrom(all.plain, whole);
      return [look(stack, all.udp), look(stack, all.raw), whole.slice(0, length)] as const;
    },
  };
}

Deno.test("socket filters: they look, keep and cut as the plain interpreter says", async () => {
  await using stack = await create();
  const s = sockets(stack);
  const facts = { protocol: 0x0800, pkttype: 0, ifindex: 1, hatype: 0xfffe };
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(soundProgram, fc.nat(60).map((k) => [ret(k)])),
      fc.uint8Array({ maxLength: 2500, size: "max" }),
      async (program, payload) => {
        for (const fd of [s.udp, s.raw]) attach(stack, fd, program);
        const [byUdp, byRaw, whole] = await s.pass(payload);
        const length = whole.length - IP_HEADER;
        const header = { ...facts, net: -IP_HEADER };
        const kept = runProgram(program, whole, IP_HEADER, length, length, header);
        const shown = whole.subarray(IP_HEADER + UDP_HEADER, IP_HEADER + Math.max(kept, 8));
        assertEquals(byUdp, kept === 0 ? undefined : shown);
        const all = runProgram(program, whole, 0, whole.length, whole.length, { ...facts, net: 0 });
        assertEquals(byRaw, all === 0 ? undefined : whole.subarray(0, all));
      },
    ),
    { seed: SEED, numRuns: 400 },
  );
  const { fates } = stack.netstat();
  assertEquals((fates.UDP_FILTERED > 20) && (fates.UDP_DELIVERED > 20), true, "both ways");
});

Deno.test("socket filters: offset 0 is the UDP header, or a raw socket's IP header", async () => {
  await using stack = await create();
  const s = sockets(stack);
  const port = [insn(BpfCode.LD_H_ABS, 2), insn(BpfCode.JEQ_K, PORT, 0, 1), ret(-1), ret(0)];
  attach(stack, s.udp, port);
  attach(stack, s.raw, compileFilter(`udp dst port ${PORT}`, { linktype: 101 }));
  const payload = Uint8Array.of(1, 2, 3);
  assertEquals((await s.pass(payload))[0], payload);
  // the network header is there for both, a link header for neither
  const protocol = insn(BpfCode.LD_B_ABS, BpfAd.NET_OFF + 9);
  const isUdp = [protocol, insn(BpfCode.JEQ_K, IpProto.UDP, 0, 1), ret(29), ret(0)];
  for (const fd of [s.udp, s.raw]) attach(stack, fd, isUdp);
  const [first, second, whole] = await s.pass(payload);
  assertEquals([first, second], [payload, whole.slice(0, 29)]);
  const link = [insn(BpfCode.LD_B_ABS, BpfAd.LL_OFF), ret(-1)];
  for (const fd of [s.udp, s.raw]) attach(stack, fd, link);
  assertEquals((await s.pass(payload)).slice(0, 2), [undefined, undefined]);
  for (const fd of [s.udp, s.raw]) stack.sys.setsockopt(fd, Sol.SOCKET, So.DETACH_FILTER, 0);
  const [byUdp, byRaw, all] = await s.pass(payload);
  assertEquals([byUdp, byRaw], [payload, all]);
});

Deno.test("socket filters: what they reject is no error to the sender", async () => {
  await using stack = await create();
  const { sys } = stack;
  const raw = sys.socket(Af.INET, Sock.RAW, 200);
  const icmp = sys.socket(Af.INET, Sock.RAW, IpProto.ICMP);
  attach(stack, raw, [ret(0)]);
  const marker = udp(stack, 9);
  await sys.sendto(raw, Uint8Array.of(1), 0, { address: "127.0.0.1" });
  await sys.sendto(udp(stack, 8), Uint8Array.of(2), 0, { address: "127.0.0.1", port: 9 });
  await sys.recvfrom(marker, new Uint8Array(9));
  assertEquals(look(stack, icmp), undefined, "no ICMP error");
  const { fates } = stack.netstat();
  assertEquals([fates.RAW_FILTERED, fates.IP_PROTOCOL_UNKNOWN ?? 0], [1, 0]);
});

Deno.test("socket filters: locked, taken away, and refused without messages", async () => {
  await using stack = await create();
  const { sys } = stack;
  const before = holdings(stack);
  const fd = udp(stack, PORT);
  const set = (name: So, value: number) => () => sys.setsockopt(fd, Sol.SOCKET, name, value);
  assertThrows(set(So.DETACH_FILTER, 0), SocketError, "ENOENT");
  assertThrows(() => attach(stack, fd, [insn(BpfCode.TAX, 0)]), SocketError, "EINVAL");
  set(So.LOCK_FILTER, 0)();
  assertEquals(sys.getsockopt(fd, Sol.SOCKET, So.LOCK_FILTER), 0);
  assertEquals(sys.getsockoptBytes(fd, Sol.SOCKET, So.ATTACH_FILTER, 0).length, 0);
  set(So.LOCK_FILTER, 1)(); // also that there is none can be locked
  assertThrows(() => attach(stack, fd, [ret(1)]), SocketError, "EPERM");
  assertThrows(set(So.DETACH_FILTER, 0), SocketError, "EPERM");
  assertThrows(set(So.LOCK_FILTER, 0), SocketError, "EPERM");
  const tcp = sys.socket(Af.INET, Sock.STREAM);
  assertThrows(() => attach(stack, tcp, [ret(1)]), SocketError, "ENOPROTOOPT");
  await assertRejects(() => stack.protocols.unload("packet"), SocketError, "EBUSY");
  for (const open of [fd, tcp]) await sys.close(open);
  await stack.protocols.unload("packet");
  assertEquals(holdings(stack), { ...before, sockets: holdings(stack).sockets });
});

Deno.test("socket filters: there are 128 at most, and they go with their sockets", async () => {
  await using stack = await create();
  for (let round = 0; round < 2; round++) {
    const fds = Array.from({ length: 129 }, () => stack.sys.socket(Af.INET, Sock.DGRAM));
    const last = fds.pop()!;
    for (const fd of fds) attach(stack, fd, [ret(1)]);
    assertThrows(() => attach(stack, last, [ret(1)]), SocketError, "ENOBUFS");
    const lock = () => stack.sys.setsockopt(last, Sol.SOCKET, So.LOCK_FILTER, 1);
    assertThrows(lock, SocketError, "ENOBUFS");
    attach(stack, fds[0], [ret(2)]); // in place of another
    for (const fd of [...fds, last]) await stack.sys.close(fd);
  }
});

Deno.test("socket filters: they go on from a snapshot", async () => {
  const first = await create();
  const fd = udp(first, PORT);
  attach(first, fd, [insn(BpfCode.LD_B_ABS, UDP_HEADER), insn(BpfCode.RET_A, 0)]);
  const snapshot = first.snapshot();
  await first.close();
  await using stack = await createStack({ engine: checkedEngine, snapshot });
  const from = udp(stack, 1);
  for (const byte of [0, 9]) await stack.sys.sendto(from, Uint8Array.of(byte, 2, 3), 0, TO);
  const { length } = await stack.sys.recvfrom(fd, new Uint8Array(9));
  assertEquals(length, 1, "9 bytes with the header");
  assertEquals(look(stack, fd), undefined);
});
