/** A program that makes calls at random on sockets of every domain, with arguments of any kind. */

import { Af, IpOpt, LocalOpt, Msg, So, Sock, Sol, TcpOpt } from "../../assembly/abi/socket.ts";
import { BpfAd, BpfCode } from "../../assembly/abi/bpf.ts";
import { Sioc } from "../../assembly/abi/ifnet.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { encodeProgram } from "../../filter/mod.ts";
import { type ControlMessage, rightsMessage, rightsOf, SocketError } from "../../mod.ts";
import { encodeMessage, Rtm } from "../../protocols/route/mod.ts";
import { PacketMr, PacketOpt } from "../../protocols/packet/mod.ts";
import type { Station } from "../unit/protocol/station.ts";
import type { Random } from "./random.ts";

const FAMILIES = [Af.UNIX, Af.UNIX, Af.UNIX, Af.NDD, Af.ROUTE, Af.INET];
const TYPES = [Sock.STREAM, Sock.DGRAM, Sock.RAW, Sock.SEQPACKET];
const PATHS = ["/a", "/b", "\0c", "", "x".repeat(108), "y".repeat(109)];
const ADDRESSES = ["10.0.0.1", "10.0.0.9", "127.0.0.1", "239.1.1.1", "255.255.255.255", "0.0.0.0"];
const FLAGS = [0, 0, 0, Msg.PEEK, Msg.TRUNC, Msg.OOB, Msg.EOR, Msg.WAITALL, Msg.DONTROUTE];
const OPTIONS: readonly (readonly [level: number, name: number])[] = [
  ...[So.SNDBUF, So.RCVBUF, So.RCVLOWAT, So.LINGER, So.TIMESTAMPNS, So.ATTACH_FILTER],
  ...[So.DETACH_FILTER, So.LOCK_FILTER, So.ERROR, So.TYPE],
].map((name): [number, number] => [Sol.SOCKET, name]).concat([
  [Sol.LOCAL, LocalOpt.CRED],
  [Sol.LOCAL, LocalOpt.CREDS],
  [Sol.LOCAL, LocalOpt.PEERCRED],
  [Sol.LOCAL, LocalOpt.UNLINK],
  [Sol.PACKET, PacketOpt.ADD_MEMBERSHIP],
  [Sol.PACKET, PacketOpt.DROP_MEMBERSHIP],
  [Sol.PACKET, PacketOpt.STATISTICS],
  [IpProto.IP, IpOpt.ADD_MEMBERSHIP],
  [IpProto.IP, IpOpt.DROP_MEMBERSHIP],
  [IpProto.IP, IpOpt.ADD_SOURCE_MEMBERSHIP],
  [IpProto.IP, IpOpt.BLOCK_SOURCE],
  [IpProto.TCP, TcpOpt.INFO],
]);
/** Instructions of filters. A jump may lead behind the end, which is refused. */
const CODES = [
  ...[BpfCode.LD_W_ABS, BpfCode.LD_H_ABS, BpfCode.LD_B_ABS, BpfCode.LD_W_IND, BpfCode.LD_B_IND],
  ...[BpfCode.LD_LEN, BpfCode.LDX_MSH, BpfCode.LDX_IMM, BpfCode.TAX, BpfCode.TXA, BpfCode.ST],
  ...[BpfCode.DIV_X, BpfCode.LSH_X, BpfCode.SUB_K, BpfCode.JSET_K, BpfCode.JGT_X, BpfCode.JA],
];
/** Where loads begin. */
const PLACES = [BpfAd.OFF, BpfAd.NET_OFF, BpfAd.LL_OFF, 1500, 0x7fff_fff8];
/** Most descriptors that it keeps. */
const OPEN_MAX = 16;

/** The program. */
export class Program {
  /** How often a call worked, by its name. */
  readonly worked = new Map<string, number>();
  readonly #random: Random;
  #station: Station;
  #fds: number[] = [];

  /** On a station, by choices. */
  constructor(station: Station, random: Random) {
    this.#station = station;
    this.#random = random;
  }

  /** Goes on with another station, made of a snapshot. */
  move(station: Station): void {
    this.#station = station;
  }

  /** One call. */
  async step(): Promise<void> {
    const name = this.#random.pick(CALLS);
    try {
      await this.#call(name);
      this.worked.set(name, (this.worked.get(name) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
    }
  }

  /** Closes everything. */
  async end(): Promise<void> {
    const { sys } = this.#station.stack;
    for (const fd of this.#fds) await sys.close(fd).catch(() => {});
    for (const path of PATHS.slice(0, 3)) attempt(() => sys.unlink(path));
  }

  #fd(): number {
    const random = this.#random;
    return random.oneIn(30) ? random.edge(32) : random.pick(this.#fds.length > 0 ? this.#fds : [9]);
  }

  #keep(...fds: number[]): void {
    this.#fds.push(...fds);
  }

  /** An address that may be of the family of a socket, or of another. */
  #address() {
    const random = this.#random;
    switch (random.below(8)) {
      case 0:
        return { path: random.pick(PATHS) };
      case 1:
        return { interface: random.below(4), port: random.pick([3, 0x800, 0x806, 0xffff]) };
      case 2:
        return { address: random.pick(ADDRESSES), port: random.pick([0, 7, 53, 65_535]) };
      case 3:
        return { family: random.pick(FAMILIES), port: random.below(10) };
      default:
        return { path: PATHS[random.below(2)] };
    }
  }

  /** A routing message, good or nearly. */
  #routeMessage(): Uint8Array<ArrayBuffer> {
    const random = this.#random;
    const message = encodeMessage({
      type: random.pick([Rtm.ADD, Rtm.DELETE, Rtm.CHANGE, Rtm.GET]),
      destination: random.pick(["10.8.0.0/16", "default", "10.9.1.1"]),
      ...(random.oneIn(2) ? { gateway: "10.0.0.9" } : { interface: "eth0" }),
    });
    for (let i = random.below(4); i > 0; i--) {
      message[random.below(message.length)] = random.below(256);
    }
    return random.oneIn(5) ? message.slice(0, random.below(message.length)) : message;
  }

  #data(): Uint8Array<ArrayBuffer> {
    const random = this.#random;
    if (random.oneIn(6)) return this.#routeMessage();
    return random.bytes(random.pick([0, 1, 14, 60, 300, 1514, 5000]));
  }

  /** A program of instructions at random, most of which a verifier lets pass. */
  #program(): Uint8Array<ArrayBuffer> {
    const random = this.#random;
    const insns = Array.from({ length: random.below(8) }, () => ({
      code: random.pick(CODES),
      jt: random.below(2),
      jf: random.below(2),
      k: (random.oneIn(3) ? random.pick(PLACES) : 0) + random.below(16) >>> 0,
    }));
    const length = random.pick([0, 14, 65_535]);
    const code = random.oneIn(2) ? BpfCode.RET_A : BpfCode.RET_K;
    return encodeProgram([...insns, { code, jt: 0, jf: 0, k: length }]);
  }

  /** What an option is set to: now and then what it is for. */
  #value(name: number): Uint8Array<ArrayBuffer> {
    const random = this.#random;
    if (name === So.ATTACH_FILTER && !random.oneIn(4)) return this.#program();
    if (name === PacketOpt.ADD_MEMBERSHIP && random.oneIn(2)) {
      return new Uint8Array(Uint32Array.of(2, PacketMr.PROMISC, 0, 0).buffer);
    }
    if (name === LocalOpt.UNLINK) return new TextEncoder().encode(random.pick(PATHS));
    if (random.oneIn(2)) return new Uint8Array(Int32Array.of(random.edge(31)).buffer);
    return random.bytes(random.pick([0, 1, 3, 4, 8, 12, 16, 64, 600]));
  }

  async #call(name: (typeof CALLS)[number]): Promise<void> {
    const random = this.#random;
    const { sys } = this.#station.stack;
    const flags = random.pick(FLAGS);
    switch (name) {
      case "socket":
        if (this.#fds.length >= OPEN_MAX) return await this.#call("close");
        return this.#keep(sys.socket(random.pick(FAMILIES), random.pick(TYPES), this.#protocol()));
      case "socketpair":
        if (this.#fds.length >= OPEN_MAX) return await this.#call("close");
        return this.#keep(
          ...sys.socketpair(random.oneIn(9) ? Af.INET : Af.UNIX, random.pick(TYPES)),
        );
      case "dup":
        if (this.#fds.length >= OPEN_MAX) return await this.#call("close");
        return this.#keep(sys.dup(this.#fd()));
      case "server":
      case "client":
        if (this.#fds.length >= OPEN_MAX) return await this.#call("close");
        return this.#local(name === "server");
      case "bind":
        return sys.bind(this.#fd(), this.#address());
      case "listen":
        return sys.listen(this.#fd(), random.below(4));
      case "connect":
        return void sys.nb.connect(this.#fd(), this.#address());
      case "accept":
        return this.#keep(sys.nb.accept(this.#fd()).fd);
      case "send":
        return void sys.nb.send(this.#fd(), this.#data(), flags);
      case "sendto":
        return void sys.nb.sendto(this.#fd(), this.#data(), flags, this.#address());
      case "sendmsg":
        return void this.#pass(flags);
      case "recv":
        return void sys.nb.recv(this.#fd(), new Uint8Array(random.pick([0, 1, 100, 9000])), flags);
      case "recvmsg":
        return this.#take(flags);
      case "shutdown":
        return sys.shutdown(this.#fd(), random.below(4));
      case "setsockopt": {
        const [level, option] = random.pick(OPTIONS);
        return sys.setsockopt(this.#fd(), level, option, this.#value(option));
      }
      case "getsockopt": {
        const [level, option] = random.pick(OPTIONS);
        return void sys.getsockoptBytes(this.#fd(), level, option, random.pick([0, 4, 12, 400]));
      }
      case "names":
        sys.getsockname(this.#fd());
        return void sys.getpeername(this.#fd());
      case "ioctl":
        return void sys.ioctl(this.#fd(), random.pick([Sioc.FIONREAD, Sioc.ATMARK, Sioc.OUTQ]));
      case "unlink":
        return sys.unlink(random.pick(PATHS));
      case "frame":
        return this.#station.giveRaw(random.bytes(random.pick([14, 60, 1514])));
      case "turn":
        return this.#station.turns();
      case "close":
        return await this.#close();
    }
  }

  /** A local socket that listens, or one that calls such. */
  #local(server: boolean): void {
    const random = this.#random;
    const { sys } = this.#station.stack;
    const path = PATHS[random.below(3)];
    const fd = sys.socket(Af.UNIX, random.pick([Sock.STREAM, Sock.SEQPACKET]));
    this.#keep(fd);
    if (!server) return void sys.nb.connect(fd, { path });
    attempt(() => sys.unlink(path));
    sys.bind(fd, { path });
    sys.listen(fd, random.below(4));
  }

  #protocol(): number {
    return this.#random.pick([0, 0, 0, IpProto.ICMP, IpProto.UDP, 3, 255, 256]);
  }

  #pass(flags: number): void {
    const random = this.#random;
    const fds = Array.from({ length: random.pick([1, 1, 2, 60]) }, () => this.#fd());
    const { sys } = this.#station.stack;
    sys.nb.sendmsg(this.#fd(), { iov: [this.#data()], control: [rightsMessage(fds)] }, flags);
  }

  #take(flags: number): void {
    const { sys } = this.#station.stack;
    const control: ControlMessage[] = [];
    const message = { iov: [new Uint8Array(this.#random.pick([0, 1, 2000]))], control };
    sys.nb.recvmsg(this.#fd(), message, flags);
    this.#keep(...rightsOf(message.control));
  }

  async #close(): Promise<void> {
    if (this.#fds.length === 0) return;
    const [fd] = this.#fds.splice(this.#random.below(this.#fds.length), 1);
    await this.#station.stack.sys.close(fd);
  }
}

/** The calls, those that make something more often. */
export const CALLS = [
  ...[
    "socket",
    "socketpair",
    "socketpair",
    "bind",
    "bind",
    "listen",
    "listen",
    "connect",
    "connect",
    "accept",
    "accept",
  ],
  ...["send", "send", "sendto", "sendmsg", "sendmsg", "recv", "recvmsg", "recvmsg", "shutdown"],
  ...["setsockopt", "setsockopt", "getsockopt", "names", "ioctl", "unlink", "frame", "turn"],
  ...["server", "client", "client", "dup", "close", "close"],
] as const;

function attempt(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
  }
}
