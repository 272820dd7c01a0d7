/** Every call through a ring answers what it answers in the stack's own thread. */

import { assert, assertEquals } from "@std/assert";
import { Sioc } from "../../../assembly/abi/ifnet.ts";
import { IpProto } from "../../../assembly/abi/proto.ts";
import { Af, IpOpt, Msg, Scm, Shut, So, Sock, Sol, TcpOpt } from "../../../assembly/abi/socket.ts";
import { compileFilter, encodeProgram } from "../../../filter/mod.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { F_GETFL, F_SETFL, O_NONBLOCK } from "../../../runtime/socket/control.ts";
import type { RecvHeader } from "../../../runtime/socket/message.ts";
import { rightsMessage, rightsOf } from "../../../runtime/socket/rights.ts";
import { POLLIN, POLLOUT } from "../../../runtime/socket/select.ts";
import type { Syscalls } from "../../../runtime/socket/syscalls.ts";
import type { PromiseCalls } from "../../../runtime/process/promise_calls.ts";
import { world } from "./kit.ts";

/** What both have. */
type Calls = Syscalls | PromiseCalls;
type Step = readonly [words: string, call: (sys: Calls) => unknown];

const DATA = new TextEncoder().encode("a message that is not short");
const buffer = () => new Uint8Array(64);
/** Filter of packets with bare IP. */
const UDP_ONLY = encodeProgram(compileFilter("udp", { linktype: 101 }));
const here = { address: "127.0.0.1", port: 700 };

/** The listener, and an end of a pair. */
const RIGHTS = rightsMessage([3, 9]);

/** Calls in this order, on descriptors that come out the same. */
const STEPS: readonly Step[] = [
  ["socket of no domain", (sys) => sys.socket(99, Sock.STREAM)],
  ["socket of no type", (sys) => sys.socket(Af.INET, 77)],
  ["socket of a wrong protocol", (sys) => sys.socket(Af.INET, Sock.STREAM, IpProto.UDP)],
  ["listener 3", (sys) => sys.socket(Af.INET, Sock.STREAM)],
  ["listen before bind", (sys) => sys.accept(3)],
  ["bind to a stranger", (sys) => sys.bind(3, { address: "10.1.2.3", port: 1 })],
  ["bind to no address", (sys) => sys.bind(3, { address: "nonsense", port: 1 })],
  ["bind to a name", (sys) => sys.bind(3, { address: "zürich.例", port: 1 })],
  ["bind to no port", (sys) => sys.bind(3, { port: 70_000 })],
  ["bind to half a port", (sys) => sys.bind(3, { port: 1.5 })],
  ["bind to IPv6", (sys) => sys.bind(3, { address: "::1", port: 1 })],
  ["bind", (sys) => sys.bind(3, here)],
  ["bind twice", (sys) => sys.bind(3, here)],
  ["listen", (sys) => sys.listen(3, 5)],
  ["name of the listener", (sys) => sys.getsockname(3)],
  ["peer of the listener", (sys) => sys.getpeername(3)],
  ["client 4", (sys) => sys.socket(Af.INET, Sock.STREAM)],
  ["address in use", (sys) => sys.bind(4, here)],
  ["receive unconnected", (sys) => sys.recv(4, buffer())],
  ["send unconnected", (sys) => sys.send(4, DATA)],
  ["nobody listens", (sys) => sys.connect(4, { address: "127.0.0.1", port: 9 })],
  ["no route", (sys) => sys.connect(4, { address: "192.0.2.1", port: 9 })],
  ["close 4", (sys) => sys.close(4)],
  ["client 4 again", (sys) => sys.socket(Af.INET, Sock.STREAM)],
  ["connect", (sys) => sys.connect(4, here)],
  ["connect twice", (sys) => sys.connect(4, here)],
  ["peer", (sys) => sys.getpeername(4)],
  ["accept 5", async (sys) => (await sys.accept(3)).fd],
  ["nothing yet", (sys) => sys.recv(5, buffer(), Msg.DONTWAIT)],
  ["send", (sys) => sys.send(4, DATA)],
  ["poll", async (sys) => {
    const fds = [{ fd: 5, events: POLLIN | POLLOUT }, { fd: -4, events: POLLIN }, {
      fd: 99,
      events: POLLIN,
    }];
    return [await sys.poll(fds), fds];
  }],
  ["select", (sys) => sys.select({ read: [3, 5], write: [5], except: [4] })],
  ["select of nobody's", (sys) => sys.select({ read: [42] })],
  ["poll that ends", (sys) => sys.poll([{ fd: 4, events: POLLIN }], 1)],
  ["poll for no time", (sys) => sys.poll([{ fd: 4, events: POLLIN }], NaN)],
  ["select for a negative time", (sys) => sys.select({ read: [4] }, -1)],
  ["peek", (sys) => sys.recv(5, buffer(), Msg.PEEK)],
  ["receive", async (sys) => {
    const room = buffer();
    return [await sys.recv(5, room), room];
  }],
  ["timeout of a receive", (sys) => sys.setsockopt(5, Sol.SOCKET, So.RCVTIMEO, 1000)],
  ["it was set", (sys) => sys.getsockopt(5, Sol.SOCKET, So.RCVTIMEO)],
  ["time over", (sys) => sys.recv(5, buffer())],
  ["flags", (sys) => sys.fcntl(5, F_GETFL)],
  ["O_NONBLOCK", (sys) => sys.fcntl(5, F_SETFL, O_NONBLOCK)],
  ["would block", (sys) => sys.recv(5, buffer())],
  ["a command that is none", (sys) => sys.fcntl(5, 99 as typeof F_GETFL)],
  ["linger", (sys) => sys.setsockopt(4, Sol.SOCKET, So.LINGER, { onoff: true, linger: 2 })],
  ["what linger is", (sys) => sys.getsockopt(4, Sol.SOCKET, So.LINGER)],
  ["congestion", (sys) => sys.setsockopt(4, IpProto.TCP, TcpOpt.CONGESTION, "reno")],
  ["what congestion is", (sys) => sys.getsockopt(4, IpProto.TCP, TcpOpt.CONGESTION)],
  ["no such algorithm", (sys) => sys.setsockopt(4, IpProto.TCP, TcpOpt.CONGESTION, "none")],
  ["no such option", (sys) => sys.getsockopt(4, IpProto.TCP, 999)],
  ["bytes of an option", (sys) => sys.getsockoptBytes(4, Sol.SOCKET, So.LINGER, 8)],
  ["with much room", (sys) => sys.getsockoptBytes(4, Sol.SOCKET, So.LINGER, 60_000)],
  ["with more than there is", (sys) => sys.getsockoptBytes(4, Sol.SOCKET, So.LINGER, 1e9)],
  ["a value of many bytes", (sys) => sys.setsockopt(4, Sol.SOCKET, 999, new Uint8Array(40_000))],
  ["too little room", (sys) => sys.getsockoptBytes(4, Sol.SOCKET, So.LINGER, 3)],
  [
    "fields of TCP_INFO",
    async (sys) => Object.keys(await sys.getsockopt(4, IpProto.TCP, TcpOpt.INFO)),
  ],
  ["half a number", (sys) => sys.setsockopt(4, Sol.SOCKET, So.KEEPALIVE, 0.5)],
  ["FIONREAD", (sys) => sys.ioctl(5, Sioc.FIONREAD)],
  ["OUTQ of a listener", (sys) => sys.ioctl(3, Sioc.OUTQ)],
  ["an interface", (sys) => sys.ioctl(4, Sioc.GIFADDR, { ifname: "lo0" })],
  ["no interface", (sys) => sys.ioctl(4, Sioc.GIFADDR, { ifname: "eth9" })],
  ["a route", async (sys) => (await sys.ioctl(4, Sioc.GETRT, { dst: "127.1.2.3" })).dst],
  ["no route", (sys) => sys.ioctl(4, Sioc.GETRT, { dst: "9.9.9.9" })],
  ["statistics", async (sys) => (await sys.ioctl(4, Sioc.GIFSTATS, { ifindex: 1 })).name],
  [
    "add an address",
    (sys) => sys.ioctl(4, Sioc.AIFADDR, { ifname: "lo0", addr: "127.0.0.9", mask: "255.0.0.0" }),
  ],
  ["shutdown of no direction", (sys) => sys.shutdown(4, 9)],
  ["shutdown", (sys) => sys.shutdown(4, Shut.WR)],
  ["send after it", (sys) => sys.send(4, DATA)],
  ["end of the stream", (sys) => sys.recv(5, buffer())],
  ["close 5", (sys) => sys.close(5)],
  ["close it again", (sys) => sys.close(5)],
  ["standard output", (sys) => sys.send(1, DATA)],
  ["no number", (sys) => sys.getsockname(NaN)],
  ["half a number", (sys) => sys.getsockname(3.5)],
  ["datagrams 5", (sys) => sys.socket(Af.INET, Sock.DGRAM)],
  ["bind 5", (sys) => sys.bind(5, { address: "127.0.0.1", port: 53 })],
  ["no destination", (sys) => sys.sendto(5, DATA, 0)],
  ["too long", (sys) => sys.sendto(5, new Uint8Array(200_000), 0, here)],
  [
    "a datagram of one piece too many",
    (sys) => sys.sendto(5, new Uint8Array(65_508), 0, { address: "127.0.0.1", port: 53 }),
  ],
  ["a datagram", (sys) => sys.sendto(5, DATA, 0, { address: "127.0.0.1", port: 53 })],
  ["from whom", async (sys) => {
    const room = buffer();
    return [await sys.recvfrom(5, room), room];
  }],
  ["tell the destination", (sys) => sys.setsockopt(5, IpProto.IP, IpOpt.RECVDSTADDR, true)],
  ["a message", (sys) =>
    sys.sendmsg(5, {
      name: { address: "127.0.0.1", port: 53 },
      iov: [DATA.subarray(0, 3), new Uint8Array(0), DATA.subarray(3)],
    })],
  ["a message received", async (sys) => {
    const message = { iov: [new Uint8Array(5), new Uint8Array(6)] };
    return [await sys.recvmsg(5, message), message];
  }],
  [
    "an empty datagram",
    (sys) => sys.sendto(5, new Uint8Array(0), 0, { address: "127.0.0.1", port: 53 }),
  ],
  ["it comes", (sys) => sys.recvfrom(5, buffer())],
  [
    "a group",
    (sys) => sys.setsockopt(5, IpProto.IP, IpOpt.ADD_MEMBERSHIP, { multiaddr: "224.0.0.251" }),
  ],
  [
    "no group",
    (sys) => sys.setsockopt(5, IpProto.IP, IpOpt.ADD_MEMBERSHIP, { multiaddr: "a group" }),
  ],
  [
    "a route with all that it can have",
    (sys) =>
      sys.ioctl(5, Sioc.ADDRT, {
        ...{ dst: "14.0.0.0", mask: "255.0.0.0", ifindex: 1, mtu: 1200, mss: 500, metric: 3 },
        ...{ from: "127.0.0.0", fromMask: "255.0.0.0" },
      }),
  ],
  ["it is there", (sys) => sys.ioctl(5, Sioc.GETRT, { dst: "14.1.1.1", src: "127.0.0.1" })],
  ["packets 6", (sys) => sys.socket(Af.NDD, Sock.DGRAM, 0)],
  ["no such interface", (sys) => sys.bind(6, { family: Af.NDD, interface: "eth9", port: 3 })],
  ["no hardware address", (sys) => sys.sendto(6, DATA, 0, { interface: 1, address: "q", port: 9 })],
  ["bind to an interface by number", (sys) => sys.bind(6, { interface: 1, port: 9 })],
  ["where it is bound", (sys) => sys.getsockname(6)],
  ["bind to an interface by name", (sys) => sys.bind(6, { interface: "lo0", port: 3 })],
  ["a filter", (sys) => sys.setsockopt(6, Sol.SOCKET, So.ATTACH_FILTER, UDP_ONLY)],
  ["a packet", (sys) => sys.sendto(5, DATA, 0, { address: "127.0.0.1", port: 53 })],
  ["it is seen", async (sys) => {
    const room = buffer();
    const { from, length } = await sys.recvfrom(6, room);
    // The stacks have clocks of their own.
    const { time_us, ...rest } = from!;
    return [length, rest, typeof time_us, room.subarray(28)];
  }],
  ["a pair 7 and 8", (sys) => sys.socketpair(Af.UNIX, Sock.STREAM)],
  ["a pair of a domain that has none", (sys) => sys.socketpair(Af.INET, Sock.STREAM)],
  ["the pair's end again, 9", (sys) => sys.dup(7)],
  ["what is not open again", (sys) => sys.dup(99)],
  ["descriptors go along", (sys) => sys.sendmsg(7, { iov: [DATA], control: [RIGHTS] })],
  ["and come", async (sys) => {
    const message: RecvHeader = { iov: [buffer()] };
    return [await sys.recvmsg(8, message), rightsOf(message.control), message.flags];
  }],
  ["what came is a listener", (sys) => sys.getsockname(10)],
  ["what came is the pair's end", (sys) => sys.send(11, DATA)],
  ["which is closed here", (sys) => sys.close(7)],
  ["and here", (sys) => sys.close(9)],
  ["and open there", (sys) => sys.recv(8, buffer())],
  ["it is closed", (sys) => sys.close(11)],
  ["both messages are read, and then it ends", (sys) => sys.recv(8, buffer())],
  [
    "a descriptor that is none",
    (sys) => sys.sendmsg(8, { iov: [DATA], control: [rightsMessage([3, 99])] }),
  ],
  [
    "too many descriptors",
    (sys) => sys.sendmsg(8, { iov: [DATA], control: [rightsMessage(new Array(254).fill(3))] }),
  ],
  ["half a descriptor", (sys) =>
    sys.sendmsg(8, {
      iov: [DATA],
      control: [{ level: Sol.SOCKET, type: Scm.RIGHTS, data: new Uint8Array(5) }],
    })],
  [
    "what is no right",
    (sys) =>
      sys.sendmsg(8, { iov: [DATA], control: [{ level: 1, type: 2, data: new Uint8Array(4) }] }),
  ],
  [
    "descriptors by a socket that has none",
    (sys) => sys.sendmsg(3, { iov: [DATA], control: [rightsMessage([8])] }),
  ],
  ["a name 7", (sys) => sys.socket(Af.UNIX, Sock.DGRAM)],
  ["is given", (sys) => sys.bind(7, { path: "/name" })],
  ["is taken away", (sys) => sys.unlink("/name")],
  ["is not there", (sys) => sys.unlink("/name")],
  ["is no name", (sys) => sys.unlink("x".repeat(120))],
  ["name of the host", (sys) => sys.gethostname()],
  ["name it", (sys) => sys.sethostname("other")],
  ["its new name", (sys) => sys.gethostname()],
  ["a name that is too long", (sys) => sys.sethostname("x".repeat(256))],
  ["name of the domain", (sys) => sys.setdomainname("example")],
  ["it is set", (sys) => sys.getdomainname()],
  ["number of the host", (sys) => sys.sethostid(0x01020304)],
  ["it is set", (sys) => sys.gethostid()],
];

/** What a call answers or throws, in words that can be compared. */
async function outcome(call: (sys: Calls) => unknown, sys: Calls): Promise<unknown> {
  try {
    return await call(sys);
  } catch (error) {
    assert(error instanceof SocketError, `${error}`);
    const { errno, syscall, message, name, code } = error;
    return { errno, syscall, message, name, code };
  }
}

Deno.test("calls through a ring answer what the stack's own do, errors included", async () => {
  await using direct = await world();
  await using ring = await world({ privileged: true });
  const client = await ring.program();
  for (const [words, call] of STEPS) {
    const expected = await outcome(call, direct.stack.sys);
    const got = await outcome(call, client.sys);
    assertEquals(got, expected, words);
  }
  assertEquals(ring.server.stats.faults, 0);
});
