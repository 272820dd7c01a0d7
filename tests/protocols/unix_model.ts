/**
 * What local sockets ought to do, without buffers of bytes, pools and counts: docs/local.md in
 * TypeScript. How much there is room for is the stack's to say, within bounds.
 */
import { Shut, Sock } from "../../assembly/abi/socket.ts";

/** What was sent to a socket at once. */
interface Piece {
  data: number[];
  readonly from: string;
  rights: ModelSocket[];
  /** A read of a stream ends with it. */
  readonly last: boolean;
}

interface Name {
  readonly path: string;
  owner: ModelSocket | undefined;
}

/** What was read. */
export interface Taken {
  readonly data: number[];
  readonly from: string;
  readonly rights: ModelSocket[];
}

/** A socket. */
export class ModelSocket {
  /** Descriptors that it has. */
  fds = 1;
  /** The socket it is connected with. */
  peer: ModelSocket | undefined = undefined;
  /** What can be read. */
  inbox: Piece[] = [];
  /** Connections that wait for accept. */
  queue: ModelSocket[] = [];
  /** It is closed. */
  gone = false;
  /** Limits of its buffers. */
  sndbuf = 0;
  rcvbuf = 0;
  name: Name | undefined = undefined;
  peerName = "";
  backlog = 0;
  known = false;
  connected = false;
  readShut = false;
  writeShut = false;
  error = "";

  /** One of a type. */
  constructor(readonly type: number) {}

  /** Whether a peer is needed. */
  get strict(): boolean {
    return this.type !== Sock.DGRAM;
  }

  /** Whether boundaries of messages are lost. */
  get stream(): boolean {
    return this.type === Sock.STREAM;
  }

  /** Bytes unread. */
  get unread(): number {
    return this.inbox.reduce((sum, { data }) => sum + data.length, 0);
  }

  /** Whether something can be read, were it the end or an error. */
  get readable(): boolean {
    return this.error !== "" || this.readShut || this.inbox.length > 0 || this.queue.length > 0;
  }
}

/** An error by its name. */
export class Refused extends Error {
  /** That one. */
  constructor(readonly code: string) {
    super(code);
  }
}

function refuseIf(condition: boolean, code: string): void {
  if (condition) throw new Refused(code);
}

/** The domain. */
export class Model {
  /** Sockets that are there, with a descriptor or without. */
  readonly sockets = new Set<ModelSocket>();
  readonly #names = new Map<string, Name>();

  /** A socket with buffers of `room` bytes. */
  socket(type: number, room: number): ModelSocket {
    const so = new ModelSocket(type);
    so.sndbuf = so.rcvbuf = room;
    this.sockets.add(so);
    return so;
  }

  /** socketpair. */
  pair(type: number, room: number): [ModelSocket, ModelSocket] {
    const a = this.socket(type, room);
    const b = this.socket(type, room);
    this.#join(a, b);
    this.#join(b, a);
    return [a, b];
  }

  #join(so: ModelSocket, peer: ModelSocket): void {
    so.peer = peer;
    so.peerName = peer.name?.path ?? "";
    so.known = so.connected = true;
  }

  /** bind. */
  bind(so: ModelSocket, path: string): void {
    refuseIf(so.name !== undefined, "EINVAL");
    refuseIf(this.#names.has(path), "EADDRINUSE");
    so.name = { path, owner: so };
    this.#names.set(path, so.name);
  }

  /** unlink. */
  unlink(path: string): void {
    refuseIf(!this.#names.delete(path), "ENOENT");
  }

  /** listen. */
  listen(so: ModelSocket, backlog: number): void {
    refuseIf(!so.strict, "EOPNOTSUPP");
    refuseIf(so.connected, "EINVAL");
    refuseIf(so.backlog === 0 && (so.name === undefined || so.known), "EINVAL");
    so.backlog = Math.max(backlog, 1);
  }

  #find(path: string, type: number): ModelSocket {
    const name = this.#names.get(path);
    refuseIf(name === undefined, path.startsWith("\0") ? "ECONNREFUSED" : "ENOENT");
    const { owner } = name!;
    refuseIf(owner === undefined, "ECONNREFUSED");
    refuseIf(owner!.type !== type, "EPROTOTYPE");
    return owner!;
  }

  /** connect. */
  connect(so: ModelSocket, path: string): void {
    refuseIf(so.backlog > 0, "EOPNOTSUPP");
    if (!so.strict) {
      so.error = "";
      so.connected = false;
      so.peer = undefined;
      const to = this.#find(path, so.type);
      refuseIf(to.peer !== undefined && to.peer !== so, "EPERM");
      return this.#join(so, to);
    }
    this.#takeError(so);
    refuseIf(so.connected, "EISCONN");
    const to = this.#find(path, so.type);
    refuseIf(so.known, "EISCONN");
    refuseIf(to.backlog === 0 || to.queue.length >= to.backlog, "ECONNREFUSED");
    const child = this.socket(so.type, 0);
    child.fds = 0;
    child.sndbuf = to.sndbuf;
    child.rcvbuf = to.rcvbuf;
    child.name = to.name;
    to.queue.push(child);
    this.#join(child, so);
    this.#join(so, child);
  }

  /** accept. */
  accept(so: ModelSocket): ModelSocket {
    refuseIf(!so.strict, "EOPNOTSUPP");
    refuseIf(so.backlog === 0, "EINVAL");
    refuseIf(so.queue.length === 0, "EAGAIN");
    const child = so.queue.shift()!;
    child.fds = 1;
    return child;
  }

  #takeError(so: ModelSocket): void {
    const { error } = so;
    so.error = "";
    refuseIf(error !== "", error);
  }

  /** Whom something of a length is sent to; throws what forbids it. */
  receiver(so: ModelSocket, length: number, path?: string): ModelSocket {
    this.#takeError(so);
    refuseIf(so.writeShut, so.stream ? "EPIPE" : "ESHUTDOWN");
    refuseIf(!so.connected && so.strict, "ENOTCONN");
    refuseIf(!so.connected && path === undefined, "EDESTADDRREQ");
    refuseIf(so.connected && path !== undefined, "EISCONN");
    if (so.stream) return so.peer!;
    refuseIf(length > so.sndbuf, "EMSGSIZE");
    const to = path === undefined ? so.peer! : this.#find(path, so.type);
    refuseIf(to.peer !== undefined && to.peer !== so, "EPERM");
    refuseIf(to.readShut, "EPIPE");
    refuseIf(length > to.rcvbuf, "EMSGSIZE");
    return to;
  }

  /** The least and the most that may be taken of something; a least of 0: EAGAIN is right. */
  room(so: ModelSocket, to: ModelSocket, length: number): [least: number, most: number] {
    const empty = to.inbox.length === 0;
    if (!so.stream) {
      return empty ? [length, length] : [0, to.unread + length > to.rcvbuf ? 0 : length];
    }
    const most = Math.max(0, Math.min(length, so.sndbuf - to.unread, to.rcvbuf - to.unread));
    return [empty ? most : 0, most];
  }

  /** It was sent. */
  deliver(so: ModelSocket, to: ModelSocket, data: number[], rights: ModelSocket[]): void {
    const from = so.strict ? "" : so.name?.path ?? "";
    to.inbox.push({ data, from, rights, last: rights.length > 0 });
  }

  /** recv of at most `length` bytes. What nobody wants is closed by settle. */
  recv(so: ModelSocket, length: number, peek: boolean): Taken {
    const [first] = so.inbox;
    if (first === undefined) {
      if (peek) refuseIf(so.error !== "", so.error);
      else this.#takeError(so);
      refuseIf(!so.readShut && so.strict && !so.connected, "ENOTCONN");
      refuseIf(!so.readShut, "EAGAIN");
      return { data: [], from: "", rights: [] };
    }
    if (!so.stream) {
      if (!peek) so.inbox.shift();
      return { ...first, data: first.data.slice(0, length), rights: peek ? [] : first.rights };
    }
    const data: number[] = [];
    const rights: ModelSocket[] = [];
    for (const piece of so.inbox) {
      const part = piece.data.slice(0, length - data.length);
      data.push(...part);
      if (!peek) {
        rights.push(...piece.rights.splice(0));
        piece.data.splice(0, part.length);
      }
      if (piece.last || data.length === length) break;
    }
    if (!peek) so.inbox = so.inbox.filter(({ data }) => data.length > 0);
    return { data, from: "", rights };
  }

  /** shutdown. */
  shutdown(so: ModelSocket, how: number): void {
    refuseIf(so.strict && !so.connected, "ENOTCONN");
    const peer = so.strict ? so.peer : undefined;
    if (how !== Shut.WR) {
      so.readShut = true;
      so.inbox = [];
      if (peer !== undefined) peer.writeShut = true;
    }
    if (how === Shut.RD) return;
    so.writeShut = true;
    if (peer !== undefined) peer.readShut = true;
  }

  /** Closes what no descriptor reaches any more, be it through messages and queues. */
  settle(): void {
    const reached = new Set<ModelSocket>();
    const reach = (so: ModelSocket) => {
      if (reached.has(so)) return;
      reached.add(so);
      so.queue.forEach(reach);
      for (const { rights } of so.inbox) rights.forEach(reach);
    };
    for (const so of this.sockets) if (so.fds > 0) reach(so);
    const lost = [...this.sockets].filter((so) => !reached.has(so));
    for (const so of lost) this.sockets.delete(so);
    for (const so of lost) this.#end(so, false);
  }

  #end(so: ModelSocket, aborted: boolean): void {
    if (so.gone) return;
    so.gone = true;
    for (const child of so.queue) this.#end(child, true);
    if (so.strict && so.peer !== undefined) {
      const { peer } = so;
      peer.peer = undefined;
      peer.connected = false;
      peer.readShut = peer.writeShut = true;
      if (so.inbox.length > 0 || aborted) peer.error = "ECONNRESET";
    }
    for (const one of so.strict ? [] : this.sockets) {
      if (one.peer !== so) continue;
      one.peer = undefined;
      one.connected = false;
      one.error = "ECONNRESET";
    }
    if (so.name?.owner !== so) return;
    so.name.owner = undefined;
    const { path } = so.name;
    if (path.startsWith("\0") && this.#names.get(path) === so.name) this.#names.delete(path);
  }

  /** Sockets in messages, each as often as it is there. */
  get inFlight(): number {
    let count = 0;
    for (const { inbox } of this.sockets) for (const { rights } of inbox) count += rights.length;
    return count;
  }
}
