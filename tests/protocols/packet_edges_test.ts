/** Packet sockets where things end: interfaces that go, frames without data, replies. */
import { assertEquals, assertThrows } from "@std/assert";
import { BpfCode } from "../../assembly/abi/bpf.ts";
import { Af, So, Sock, Sol } from "../../assembly/abi/socket.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { encodeProgram } from "../../filter/mod.ts";
import { SocketError, type Stack } from "../../mod.ts";
import { ETH_P_ALL, PacketMr, PacketOpt, PacketType } from "../../protocols/packet/mod.ts";
import { checksum } from "../unit/inet/wire.ts";
import { HWADDR, Station } from "../unit/protocol/station.ts";

const TEST_TYPE = 0x88b5; // kept for experiments (IEEE 802)
const OTHER = [2, 0, 0, 0, 0, 7];
const ETH0 = 2;

const open = ({ sys }: Stack, type: number = Sock.RAW) => {
  const fd = sys.socket(Af.NDD, type, type === Sock.RAW ? ETH_P_ALL : 0);
  sys.bind(fd, { interface: ETH0, port: ETH_P_ALL });
  return fd;
};

/** Frames that wait: whose they are, and their data. */
function all({ sys }: Stack, fd: number): [type: number, data: number[]][] {
  const found: [number, number[]][] = [];
  const entry = { fd, events: 1, revents: 0 };
  const buffer = new Uint8Array(2000);
  while (sys.nb.poll([entry]) > 0) {
    const { length, from } = sys.nb.recvfrom(fd, buffer);
    found.push([from!.packetType!, [...buffer.subarray(0, length)]]);
  }
  return found;
}

Deno.test("packet: a socket stays away from another interface with the same index", async () => {
  await using station = await Station.create();
  const { stack } = station;
  const { sys } = stack;
  const fd = open(stack);
  const membership = new Uint8Array(Uint32Array.of(ETH0, PacketMr.PROMISC, 0, 0).buffer);
  const member = (name: number) => sys.setsockopt(fd, Sol.PACKET, name, membership);
  member(PacketOpt.ADD_MEMBERSHIP);
  station.give(TEST_TYPE, [1], OTHER);
  station.turns();
  assertEquals(all(stack, fd).length, 1);
  await station.exchange("eth1");
  assertEquals(stack.netstat().interfaces.map(({ name }) => name).includes("eth1"), true);
  const give = (...to: number[]) => {
    station.give(TEST_TYPE, [1], to);
    station.turns();
  };
  give(...HWADDR);
  assertEquals(all(stack, fd), []);
  const frame = new Uint8Array(60);
  assertThrows(() => sys.nb.sendto(fd, frame, 0, { port: TEST_TYPE }), SocketError, "ENXIO");
  assertEquals(sys.getsockname(fd).address, "");
  assertThrows(() => member(PacketOpt.DROP_MEMBERSHIP), SocketError, "EADDRNOTAVAIL");
  sys.bind(fd, { interface: ETH0, port: ETH_P_ALL });
  give(...OTHER);
  assertEquals(all(stack, fd), [], "nor is it a member there");
  for (let i = 0; i < 9; i++) member(PacketOpt.ADD_MEMBERSHIP);
  give(...OTHER);
  assertEquals(all(stack, fd).length, 1);
});

Deno.test("packet: every socket sees the replies of the stack", async () => {
  await using station = await Station.create();
  const { stack } = station;
  const fds = Array.from({ length: 40 }, () => open(stack));
  // ARP: who has 10.0.0.1; then ICMP echo (RFC 792)
  station.give(0x806, [
    0,
    1,
    8,
    0,
    6,
    4,
    0,
    1,
    2,
    0,
    0,
    0,
    0,
    9,
    10,
    0,
    0,
    9,
    ...Array(6).fill(0),
    10,
    0,
    0,
    1,
  ]);
  station.turns();
  const echo = [8, 0, 0, 0, 0, 1, 0, 1];
  const summed = (bytes: number[], at: number) => {
    const sum = checksum(bytes);
    [bytes[at], bytes[at + 1]] = [sum >> 8, sum & 255];
    return bytes;
  };
  const header = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, IpProto.ICMP, 0, 0, 10, 0, 0, 9, 10, 0, 0, 1];
  station.give(0x800, [...summed(header, 10), ...summed(echo, 2)]);
  station.turns();
  assertEquals(station.frames(0x800).length, 1);
  for (const fd of fds) {
    const types = all(stack, fd).map(([type]) => type);
    assertEquals(types.filter((type) => type === PacketType.OUTGOING).length, 2);
  }
});

Deno.test("packet: a filter keeps a frame without data", async () => {
  await using station = await Station.create();
  const { stack } = station;
  const fd = open(stack, Sock.DGRAM);
  const keep = [{ code: BpfCode.RET_K, jt: 0, jf: 0, k: 0xffff }];
  stack.sys.setsockopt(fd, Sol.SOCKET, So.ATTACH_FILTER, encodeProgram(keep));
  station.give(TEST_TYPE, []);
  station.turns();
  assertEquals(all(stack, fd), [[PacketType.HOST, []]]);
});
