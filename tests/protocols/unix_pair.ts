/** A stack beside a model of its local sockets: each call on both. */
import { assert, assertEquals } from "@std/assert";
import { Af, Msg, Shut, So, Sock, Sol } from "../../assembly/abi/socket.ts";
import {
  type ControlMessage,
  POLLIN,
  POLLOUT,
  rightsMessage,
  rightsOf,
  SocketError,
  type Stack,
} from "../../mod.ts";
import { stack } from "./unix_kit.ts";
import { Model, type ModelSocket, Refused } from "./unix_model.ts";

const TYPES = [Sock.STREAM, Sock.DGRAM, Sock.SEQPACKET];
/** Names of sockets; the first two are paths. */
export const PATHS = ["/a", "/b", "\0c", "\0d"];
const HOW = [Shut.RD, Shut.WR, Shut.RDWR];
/** Most descriptors at a time. */
const OPEN_MAX = 18;
/** Sizes of buffers, and of what is sent. */
const ROOMS = [600, 3000, 20_000];
const LENGTHS = [1, 9, 200, 700, 2500];

/** A call. */
export type Name =
  | "socket"
  | "pair"
  | "server"
  | "client"
  | "bind"
  | "listen"
  | "connect"
  | "accept"
  | "send"
  | "sendto"
  | "pass"
  | "recv"
  | "take"
  | "peek"
  | "shutdown"
  | "buffer"
  | "dup"
  | "close"
  | "unlink"
  | "names"
  | "poll"
  | "snapshot";

const pick = <T>(from: readonly T[], n: number): T => from[n % from.length];

/** A stack and its model. */
export class Pair {
  /** The model. */
  readonly model = new Model();
  /** Descriptors of sockets. */
  readonly fds = new Map<number, ModelSocket>();
  /** How often a call did what it is for. */
  readonly worked: Map<string, number>;
  /** Sockets that came along with what was read. */
  received = 0;
  /** The stack. */
  one: Stack;
  #count = 0;

  /** Counts in `worked`. */
  constructor(one: Stack, worked: Map<string, number>) {
    this.one = one;
    this.worked = worked;
  }

  #fd(n: number): number {
    return pick([...this.fds.keys()], n);
  }

  /** A descriptor; mostly one of a socket that listens, if there is any. */
  #listener(n: number): number {
    const those = [...this.fds].filter(([, so]) => so.backlog > 0);
    return n % 5 > 0 && those.length > 0 ? pick(those, n)[0] : this.#fd(n);
  }

  /** Both do it: the same answer, or the same error. */
  #both(name: string, real: () => void, model: () => void): boolean {
    const [here, there] = [outcome(real), outcome(model)];
    assertEquals(here, there, name);
    return here === "";
  }

  #data(length: number): number[] {
    return Array.from({ length }, () => this.#count++ & 255);
  }

  /** A call by its name, and what it is about. */
  async step(name: Name, a: number, b: number, c: number): Promise<void> {
    if (["socket", "pair", "server", "client", "accept", "dup"].includes(name)) {
      if (this.fds.size >= OPEN_MAX) name = "close";
    } else if (this.fds.size === 0 && name !== "unlink" && name !== "snapshot") name = "pair";
    if (["client", "accept", "dup"].includes(name) && this.fds.size === 0) name = "socket";
    const did = name === "snapshot"
      ? await this.#snapshot()
      : this.#make(name, a, b, c) ?? this.#use(name, a, b, c) ?? this.#move(name, a, b, c);
    if (did) this.worked.set(name, (this.worked.get(name) ?? 0) + 1);
    this.model.settle();
  }

  async #snapshot(): Promise<boolean> {
    const snapshot = this.one.snapshot();
    await this.one.close();
    this.one = await stack({ snapshot });
    return true;
  }

  /** Calls that make sockets. */
  #make(name: Name, a: number, b: number, c: number): boolean | undefined {
    const { model, fds, one: { sys } } = this;
    const type = pick(TYPES, a);
    switch (name) {
      case "socket":
      case "server": {
        const fd = sys.socket(Af.UNIX, type);
        fds.set(fd, model.socket(type, 0));
        this.#sized(fd, b);
        if (name === "socket") return true;
        return this.#bind(fd, c) && this.#listen(fd, b);
      }
      case "client": {
        const listener = fds.get(this.#listener(a))!;
        const fd = sys.socket(Af.UNIX, listener.type);
        fds.set(fd, model.socket(listener.type, 0));
        this.#sized(fd, b);
        return this.#connect(fd, listener.name?.path ?? pick(PATHS, c));
      }
      case "pair": {
        const made = sys.socketpair(Af.UNIX, type);
        model.pair(type, 0).forEach((so, i) => fds.set(made[i], so));
        made.forEach((fd, i) => this.#sized(fd, i === 0 ? b : c));
        return true;
      }
      case "accept": {
        const fd = this.#listener(a);
        let made = -1;
        let so: ModelSocket | undefined;
        const accept = () => made = sys.nb.accept(fd).fd;
        if (!this.#both(name, accept, () => so = model.accept(fds.get(fd)!))) return false;
        fds.set(made, so!);
        return true;
      }
      case "dup": {
        const so = fds.get(this.#fd(a))!;
        fds.set(sys.dup(this.#fd(a)), so);
        so.fds++;
        return true;
      }
    }
  }

  /** Buffers of a size of their own, or as they are. */
  #sized(fd: number, n: number): boolean {
    const { fds, one: { sys } } = this;
    const so = fds.get(fd)!;
    so.sndbuf = sys.getsockopt(fd, Sol.SOCKET, So.SNDBUF) as number;
    so.rcvbuf = sys.getsockopt(fd, Sol.SOCKET, So.RCVBUF) as number;
    if (n % 3 === 0) return true;
    sys.setsockopt(fd, Sol.SOCKET, So.SNDBUF, so.sndbuf = pick(ROOMS, n >> 2));
    sys.setsockopt(fd, Sol.SOCKET, So.RCVBUF, so.rcvbuf = pick(ROOMS, n >> 4));
    return true;
  }

  #bind(fd: number, n: number): boolean {
    const path = pick(PATHS, n);
    const { sys } = this.one;
    const bound = () => this.model.bind(this.fds.get(fd)!, path);
    return this.#both("bind", () => sys.bind(fd, { path }), bound);
  }

  #listen(fd: number, n: number): boolean {
    const backlog = n % 4;
    const { sys } = this.one;
    const listens = () => this.model.listen(this.fds.get(fd)!, backlog);
    return this.#both("listen", () => sys.listen(fd, backlog), listens);
  }

  #connect(fd: number, path: string): boolean {
    const { sys } = this.one;
    const connects = () => this.model.connect(this.fds.get(fd)!, path);
    return this.#both("connect", () => sys.nb.connect(fd, { path }), connects);
  }

  /** Calls on a socket. */
  #use(name: Name, a: number, b: number, c: number): boolean | undefined {
    const { model, fds, one: { sys } } = this;
    if (name === "unlink") {
      const path = pick(PATHS.slice(0, 2), b);
      return this.#both(name, () => sys.unlink(path), () => model.unlink(path));
    }
    const fd = this.#fd(a);
    const so = fds.get(fd)!;
    switch (name) {
      case "bind":
        return this.#bind(fd, b);
      case "listen":
        return this.#listen(fd, b);
      case "connect":
        return this.#connect(fd, pick(PATHS, b));
      case "shutdown": {
        const how = pick(HOW, b);
        return this.#both(name, () => sys.shutdown(fd, how), () => model.shutdown(so, how));
      }
      case "buffer":
        return this.#sized(fd, b + c);
      case "close":
        sys.nb.close(fd);
        fds.delete(fd);
        so.fds--;
        return true;
      case "names": {
        assertEquals(sys.getsockname(fd).path, so.name?.path ?? "");
        const peer = () =>
          assertEquals(sys.getpeername(fd).path, so.peer?.name?.path ?? so.peerName);
        return this.#both(name, peer, () => {
          if (!so.connected) throw new Refused("ENOTCONN");
        });
      }
      case "poll":
        return this.#poll(fd, so);
    }
  }

  #poll(fd: number, so: ModelSocket): boolean {
    const entry = { fd, events: POLLIN | POLLOUT, revents: 0 };
    this.one.sys.nb.poll([entry]);
    assertEquals((entry.revents & POLLIN) !== 0, so.readable, "POLLIN");
    const failing = so.error !== "" || so.writeShut;
    const may = failing || !so.strict || so.connected;
    if (!may) assertEquals(entry.revents & POLLOUT, 0, "POLLOUT");
    const room = so.peer !== undefined && so.peer.inbox.length === 0;
    if (failing || room) assert(entry.revents & POLLOUT, "no POLLOUT");
    return true;
  }

  /** Calls that move data. */
  #move(name: Name, a: number, b: number, c: number): boolean {
    const { one: { sys } } = this;
    const fd = this.#fd(a);
    const data = name === "pass" ? this.#data(1 + c % 5) : this.#data(pick(LENGTHS, b));
    const bytes = Uint8Array.from(data);
    switch (name) {
      case "send":
        return this.#send(fd, data, [], () => sys.nb.send(fd, bytes));
      case "sendto": {
        const path = pick(PATHS, c);
        return this.#send(fd, data, [], () => sys.nb.sendto(fd, bytes, 0, { path }), path);
      }
      case "pass": {
        const passed = Array.from({ length: 1 + c % 2 }, (_, i) => this.#fd(b + 7 * i));
        const message = { iov: [bytes], control: [rightsMessage(passed)] };
        return this.#send(fd, data, passed, () => sys.nb.sendmsg(fd, message));
      }
      default:
        return this.#recv(name, fd, pick(LENGTHS, b));
    }
  }

  #send(fd: number, data: number[], fds: number[], call: () => number, path?: string): boolean {
    const so = this.fds.get(fd)!;
    let sent = 0;
    const here = outcome(() => sent = call());
    let to: ModelSocket | undefined;
    const there = outcome(() => to = this.model.receiver(so, data.length, path));
    if (there !== "") {
      assertEquals(here, there);
      return false;
    }
    const [least, most] = this.model.room(so, to!, data.length);
    assert(here === "" || here === "EAGAIN", here);
    assert(sent >= least && sent <= most, `sent ${sent}, not ${least} to ${most} ${here}`);
    if (here !== "") return false;
    const rights = fds.map((one) => this.fds.get(one)!);
    this.model.deliver(so, to!, data.slice(0, sent), rights);
    return true;
  }

  #recv(name: string, fd: number, length: number): boolean {
    const { sys } = this.one;
    const so = this.fds.get(fd)!;
    const control: ControlMessage[] = [];
    const message = { iov: [new Uint8Array(length)], control, name: undefined };
    let got = 0;
    let from = "";
    const receive = () => {
      if (name === "take") return got = sys.nb.recvmsg(fd, message);
      const flags = name === "peek" ? Msg.PEEK : 0;
      const received = sys.nb.recvfrom(fd, message.iov[0], flags);
      if (!so.strict) from = received.from?.path ?? "";
      got = received.length;
    };
    let taken = { data: [] as number[], from: "", rights: [] as ModelSocket[] };
    const read = () => taken = this.model.recv(so, length, name === "peek");
    if (!this.#both(name, receive, read)) return false;
    assertEquals([...message.iov[0].subarray(0, got)], taken.data);
    if (name !== "take") assertEquals(from, taken.from);
    const brought = rightsOf(message.control);
    assertEquals(brought.length, name === "take" ? taken.rights.length : 0, "descriptors");
    brought.forEach((fd, i) => {
      assert(!this.fds.has(fd));
      this.fds.set(fd, taken.rights[i]);
      taken.rights[i].fds++;
      this.received++;
    });
    return true;
  }

  /** What must be true at any time. */
  check(): void {
    const { sockets } = this.one.netstat();
    assertEquals(sockets.length, this.model.sockets.size, "sockets");
    assertEquals(this.one.turn(), 0, "nothing is to be done");
    const [{ counters }] = this.one.protocols.list();
    const { passed, dropped } = counters!;
    assertEquals(passed, dropped + this.received + this.model.inFlight, "descriptors under way");
  }
}

/** The error of a call, "" for none. */
export function outcome(call: () => unknown): string {
  try {
    call();
    return "";
  } catch (error) {
    if (error instanceof SocketError || error instanceof Refused) return error.code;
    throw error;
  }
}
