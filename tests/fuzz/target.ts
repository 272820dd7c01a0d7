/**
 * The stack that is fed: the checked engine on a clock moved by hand, with sockets of all kinds
 * that are used as a program would. After every step the invariants are checked.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { Errno } from "../../assembly/abi/errno.ts";
import { Fate } from "../../assembly/abi/fate.ts";
import { IpProto } from "../../assembly/abi/proto.ts";
import { Af, IpOpt, Msg, Shut, Sock } from "../../assembly/abi/socket.ts";
import { ManualClock } from "../../runtime/clock.ts";
import type { MemoryOptions } from "../../runtime/engine.ts";
import { SocketError } from "../../runtime/errors.ts";
import { createStack, type Stack } from "../../runtime/stack.ts";
import * as layout from "../../runtime/wasm/layout.gen.ts";
import checked from "../engine_checked_module.js";
import { Inspector } from "../tcp/invariants.ts";
import * as packets from "./packets.ts";
import { Peer } from "./peer.ts";
import type { Random } from "./random.ts";
import { Sender } from "./sender.ts";
import {
  GROUP,
  PEERS,
  PORT_FULL,
  PORT_GROUP,
  PORT_TCP,
  PORT_UDP,
  PROTOCOL_RAW,
  TARGET,
  text,
} from "./stations.ts";
import { Wire } from "./wire.ts";

const LIVE_MIN = 8;
const OPEN_MAX = 60;
const TURNS_MAX = 10_000;
/** Errors that say nothing about the connection. */
const HARMLESS: readonly number[] = [Errno.EAGAIN, Errno.EINPROGRESS];

type Kind = "tcp" | "udp" | "raw";

/** The stack, its wire and its sockets. */
export class Target {
  readonly clock: ManualClock;
  readonly wire = new Wire(TARGET.mac);
  readonly inspect: Inspector;
  /** Makes frames of the hosts on the wire. */
  readonly sender: Sender;
  readonly #peer: Peer;
  readonly #sockets = new Map<number, Kind>();
  readonly #listeners: number[] = [];
  /** A raw socket that comes and goes: ICMP is treated otherwise while there is one. */
  #icmp = -1;

  private constructor(readonly stack: Stack, clock: ManualClock, readonly random: Random) {
    this.clock = clock;
    this.inspect = new Inspector(stack.engine);
    this.sender = new Sender(random);
    this.#peer = new Peer(random, this.sender);
  }

  static async create(random: Random, memory: MemoryOptions): Promise<Target> {
    const clock = new ManualClock(1_000_000);
    const stack = await createStack({ clock, seed: random.u32(), memory, engine: checked });
    const target = new Target(stack, clock, random);
    await stack.attach(target.wire, {
      name: "eth0",
      addresses: [`${text(TARGET.ip)}/24`],
      gateway: text(PEERS[0].ip),
    });
    stack.sysctl.set("net.ipv4.tcp_ecn", 1);
    // clients and all listeners, without cookies or with
    stack.sysctl.set("net.ipv4.tcp_fastopen", random.pick([0x403, 0x603]));
    stack.sysctl.set("net.ipv4.tcp_fastopen_blackhole_timeout_sec", random.pick([0, 5]));
    target.settle();
    return target;
  }

  /** Opens the sockets that do not come and go. */
  openServers(): void {
    const { sys } = this.stack;
    for (const [port, backlog] of [[PORT_TCP, 64], [PORT_FULL, 1]]) {
      const fd = sys.socket(Af.INET, Sock.STREAM);
      sys.bind(fd, { port });
      sys.listen(fd, backlog);
      this.#listeners.push(fd);
    }
    for (const port of [PORT_UDP, PORT_GROUP]) {
      const fd = sys.socket(Af.INET, Sock.DGRAM);
      sys.bind(fd, { port });
      this.#sockets.set(fd, "udp");
      if (port === PORT_GROUP) {
        const membership = { multiaddr: text(GROUP), interface: text(TARGET.ip) };
        sys.setsockopt(fd, IpProto.IP, IpOpt.ADD_MEMBERSHIP, membership);
      }
    }
    this.#openIcmp();
    this.#sockets.set(sys.socket(Af.INET, Sock.RAW, PROTOCOL_RAW), "raw");
    const connected = sys.socket(Af.INET, Sock.DGRAM);
    sys.nb.connect(connected, { address: text(PEERS[1].ip), port: 9 });
    this.#sockets.set(connected, "udp");
    this.settle();
  }

  /** Closes everything that is open. */
  closeAll(): void {
    for (const fd of [...this.#sockets.keys(), ...this.#listeners]) this.stack.sys.nb.close(fd);
    this.#sockets.clear();
    this.#listeners.length = 0;
    this.settle();
  }

  /** Addresses of the sockets with a TCP connection. */
  connections(): number[] {
    const { engine } = this.stack;
    return this.inspect.sockets().filter((so) => engine.calls.tcb_of(so) !== 0);
  }

  /** A field of the control block that knows the addresses and ports of a connection. */
  inpcb(so: number): { lport: number; faddr: number; fport: number } {
    const inp = this.inspect.tcb(so, "inp");
    const { memory, view } = this.stack.engine;
    const { Inpcb } = layout;
    return {
      lport: view.getUint16(inp + Inpcb.lport, true),
      fport: view.getUint16(inp + Inpcb.fport, true),
      faddr: packets.u32(memory, inp + Inpcb.faddr_lo + 4),
    };
  }

  /** Hands frames in, lets the stack work until nothing moves, and answers some of what it sent. */
  input(frames: readonly Uint8Array[]): void {
    this.wire.arrive(frames);
    this.settle();
    const answers = this.wire.take().map((frame) => this.#peer.answer(frame))
      .filter((answer) => answer !== undefined);
    if (answers.length > 0) {
      this.wire.arrive(answers);
      this.settle();
      this.wire.sent.length = 0;
    }
  }

  /** Takes turns until there is no work, and checks the invariants. */
  settle(): void {
    for (let i = 0; this.stack.turn() > 0 || this.wire.waiting > 0 || this.stack.wanted; i++) {
      if (i > TURNS_MAX) throw new Error(`no rest after ${TURNS_MAX} turns`);
    }
    this.check();
  }

  /** Every frame has one fate, and everything is counted as it is. */
  check(): void {
    const taken = (index: number) => {
      const ifnet = this.stack.engine.calls.if_ptr(index);
      return Number(
        this.stack.engine.view.getBigUint64(ifnet + layout.Ifnet.ipackets, true),
      );
    };
    const [loopback, ethernet] = [taken(1), taken(this.stack.interfaces[0].index)];
    assertEquals(ethernet, this.wire.delivered, "frames counted by the interface");
    assertEquals(this.inspect.fate(Fate.NONE), 0, "frames without a fate");
    this.inspect.check(loopback + ethernet);
  }

  /** Moves the clock on and lets everything happen that is due, at most `steps` deadlines. */
  advance(us: number, steps = Infinity): void {
    const end = this.clock.now_us() + us;
    for (let i = 0; i < steps; i++) {
      const next = this.stack.nextDeadline();
      if (next > end) break;
      this.clock.set(Math.max(this.clock.now_us(), Math.ceil(next)));
      this.settle();
      this.wire.sent.length = 0;
    }
    this.clock.set(Math.max(this.clock.now_us(), end));
    this.settle();
    this.wire.sent.length = 0;
  }

  /** Uses a few sockets, as a program would, and keeps some connections alive. */
  useSockets(): void {
    for (const listener of this.#listeners.slice(0, 1)) this.#acceptAll(listener);
    const fds = [...this.#sockets.keys()];
    for (let i = 0; i < 4 && fds.length > 0; i++) this.#useSocket(this.random.pick(fds));
    for (const fd of fds.slice(0, Math.max(0, fds.length - OPEN_MAX))) this.#closeTcp(fd);
    if (this.connections().length < LIVE_MIN) {
      if (this.random.oneIn(3)) this.#openActive();
      else this.input([this.#peer.syn()]);
    }
  }

  #acceptAll(listener: number): void {
    this.#try(listener, (nb) => {
      for (let i = 0; i < 100; i++) this.#sockets.set(nb.accept(listener).fd, "tcp");
    });
  }

  /** Reads what waits on every socket, closes all connections, opens or closes one for ICMP. */
  relieve(): void {
    for (const fd of this.#sockets.keys()) {
      this.#try(fd, (nb) => {
        for (let i = 0; i < 10_000; i++) nb.recv(fd, new Uint8Array(65536));
      });
      this.#closeTcp(fd);
    }
    if (this.#icmp >= 0) {
      this.stack.sys.nb.close(this.#icmp);
      this.#sockets.delete(this.#icmp);
      this.#icmp = -1;
    } else this.#openIcmp();
    this.settle();
  }

  #openIcmp(): void {
    this.#icmp = this.stack.sys.socket(Af.INET, Sock.RAW, IpProto.ICMP);
    this.#sockets.set(this.#icmp, "raw");
  }

  #useSocket(fd: number): void {
    const kind = this.#sockets.get(fd);
    if (kind === undefined) return;
    const { random } = this;
    const data = random.bytes(random.pick([1, 100, 1460, 5000]));
    this.#try(fd, (nb) => {
      if (random.oneIn(3)) nb.recv(fd, new Uint8Array(random.pick([1, 100, 65536])));
      else if (kind === "tcp") nb.send(fd, data, random.oneIn(20) ? 1 : 0);
      else {
        const peer = random.pick(PEERS);
        nb.sendto(fd, data, 0, { address: text(peer.ip), port: random.below(65536) });
      }
    });
    if (this.#sockets.get(fd) !== "tcp") return;
    if (random.oneIn(25)) this.#try(fd, () => this.stack.sys.shutdown(fd, random.below(3) as Shut));
    if (random.oneIn(40)) this.#closeTcp(fd);
  }

  #closeTcp(fd: number): void {
    if (this.#sockets.get(fd) !== "tcp") return;
    this.#sockets.delete(fd);
    this.stack.sys.nb.close(fd);
  }

  /** Runs a call; the errors of sockets are part of the game, others are not. */
  #try(fd: number, call: (nb: Stack["sys"]["nb"]) => void): void {
    try {
      call(this.stack.sys.nb);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      if (error.errno === Errno.EBADF) throw error;
      if (!HARMLESS.includes(error.errno)) this.#closeTcp(fd);
    }
  }

  #openActive(): void {
    const fd = this.stack.sys.socket(Af.INET, Sock.STREAM);
    this.#sockets.set(fd, "tcp");
    const { ip } = this.random.pick(PEERS);
    const to = { address: text(ip), port: this.random.between(1, 65535) };
    const fast = this.random.oneIn(3);
    const data = this.random.bytes(this.random.pick([0, 1, 100, 3000]));
    if (fast) this.#try(fd, (nb) => nb.sendto(fd, data, Msg.FASTOPEN, to));
    else this.#try(fd, (nb) => nb.connect(fd, to));
    this.input([]);
  }
}
