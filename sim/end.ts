/**
 * One end of a connection: a program that writes, reads, pauses and ends as it was told, and checks
 * every byte that comes.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { Af, Shut, So, Sock, Sol, TcpOpt } from "../assembly/abi/socket.ts";
import { SocketError } from "../runtime/errors.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from "../runtime/socket/select.ts";
import { Fault, wordsOf } from "./fault.ts";
import type { Node } from "./node.ts";
import { Pattern } from "./pattern.ts";
import type { FlowSpec, SideSpec } from "./plan.ts";
import type { World } from "./world.ts";

/** How it came to its end. */
export type Outcome =
  /** Everything was sent and read, as it was meant to be. */
  | "done"
  /** Closed before the other end's stream was read to its end, as it was meant to be. */
  | "left"
  /** Reset on purpose. */
  | "aborted"
  /** A call failed. */
  | "failed"
  /** Given up, long after the other end had gone without a word. */
  | "given up";

/** Bytes of a buffer for reading. */
const BUFFER_BYTES = 65_536;
/** How soon a write that found no mbufs is tried again. */
const MBUFS_US = 5_000;
/** How soon the end of a stream that began in a SYN is tried again. */
const FAST_US = 20_000;
const NO_MBUFS = -2;
const buffer = new Uint8Array(BUFFER_BYTES);

/** One end. */
export class End {
  /** Bytes that the stack has taken. */
  sent = 0;
  /** Bytes read, all of them right. */
  received = 0;
  /** The end of the other direction was read. */
  eof = false;
  /** This direction was ended in order, after all bytes. */
  shut = false;
  /** Set when it has ended. */
  outcome: Outcome | undefined = undefined;
  /** The error that ended it: its name. */
  error = "";
  /** The call that failed. */
  syscall = "";
  /** When it began to connect, or was accepted. */
  begun_us = 0;
  /** When it ended. */
  ended_us = 0;
  /** The connection is open. */
  open = false;
  /** A connection that a late segment has opened once more. */
  ghost = false;
  #opened_us = 0;
  #fd = -1;
  #writeFrom_us = 0;
  #readFrom_us = 0;
  #shutFrom_us = 0;
  #burst = 0;
  #wake_us = Infinity;
  readonly #out: Pattern;
  readonly #in: Pattern;
  readonly #poll: { fd: number; events: number; revents?: number }[] = [];

  /** The end of `flow` on `node`; it begins with {@link connect} or {@link accepted}. */
  constructor(
    readonly world: World,
    readonly node: Node,
    readonly flow: FlowSpec,
    readonly role: "client" | "server",
  ) {
    this.#out = new Pattern(`${flow.id} ${role}`);
    this.#in = new Pattern(`${flow.id} ${role === "client" ? "server" : "client"}`);
  }

  /** What it was told. */
  get spec(): SideSpec {
    return this.flow[this.role];
  }

  /** `flow 3 client`, with what it has done. */
  get label(): string {
    const { flow, role, sent, received } = this;
    return `flow ${flow.id} ${role} (${this.node.label}, ${sent} sent, ${received} received)`;
  }

  /** Makes a socket and begins to connect; answers the local port. */
  connect(address: string): number {
    const { sys } = this.node.stack;
    this.begun_us = this.world.now_us;
    this.#fd = sys.socket(Af.INET, Sock.STREAM);
    this.#setOptions();
    try {
      sys.nb.connect(this.#fd, { address, port: this.flow.port });
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      if (error.errno !== Errno.EINPROGRESS) {
        this.#fail(error.code, "connect");
        return 0;
      }
    }
    return sys.getsockname(this.#fd).port;
  }

  /** Takes a descriptor that accept has answered. */
  accepted(fd: number): void {
    this.begun_us = this.world.now_us;
    this.#fd = fd;
    this.#setOptions();
    this.#opened();
  }

  #setOptions(): void {
    const { sys } = this.node.stack;
    for (const [level, name, value] of this.spec.options) {
      try {
        sys.setsockopt(this.#fd, level, name, value);
      } catch (error) {
        if (!(error instanceof SocketError)) throw error;
        // A connection that has ended meanwhile takes no options any more, and Fast Open may be
        // switched off for the whole stack.
        if (this.role === "client" && error.errno !== Errno.EOPNOTSUPP) throw error;
      }
    }
  }

  #opened(): void {
    this.open = true;
    this.#opened_us = this.world.now_us;
    this.world.progress_us = this.world.now_us;
    if (this.spec.read_delay_us > 0) this.#readFrom_us = this.#later(this.spec.read_delay_us);
  }

  /** Makes the node look again after a while; answers the time. */
  #later(us: number): number {
    const at_us = this.world.now_us + us;
    if (at_us < this.#wake_us || this.#wake_us <= this.world.now_us) {
      this.#wake_us = at_us;
      this.world.at(at_us, () => {
        this.node.dirty = true;
        this.#wake_us = Infinity;
      });
    }
    return at_us;
  }

  /** Does what can be done now. */
  work(): void {
    if (this.outcome !== undefined || this.#fd < 0) return;
    try {
      if (!this.open && !this.#connected()) return;
      this.#rest();
      this.#read();
      if (this.outcome === undefined) this.#write();
      if (this.outcome === undefined) this.#finish();
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.#fail(error.code, error.syscall);
    }
  }

  /** Asks for another look when a pause is over. */
  #rest(): void {
    const now_us = this.world.now_us;
    const next_us = Math.min(
      this.#writeFrom_us > now_us ? this.#writeFrom_us : Infinity,
      this.#readFrom_us > now_us ? this.#readFrom_us : Infinity,
      this.#shutFrom_us > now_us ? this.#shutFrom_us : Infinity,
    );
    if (next_us !== Infinity) this.#later(next_us - now_us);
  }

  #ready(events: number): number {
    this.#poll[0] = { fd: this.#fd, events };
    this.node.stack.sys.nb.poll(this.#poll);
    return this.#poll[0].revents!;
  }

  #connected(): boolean {
    const ready = this.#ready(POLLOUT);
    if (ready === 0) return false;
    const error = this.node.stack.sys.getsockopt(this.#fd, Sol.SOCKET, So.ERROR);
    if (error !== 0) throw new SocketError(error, "connect");
    if ((ready & (POLLOUT | POLLERR | POLLHUP)) === 0) return false;
    this.#opened();
    return true;
  }

  #read(): void {
    const { world, spec } = this;
    const { nb } = this.node.stack.sys;
    while (!this.eof && this.#readFrom_us <= world.now_us) {
      if ((this.#ready(POLLIN) & (POLLIN | POLLERR | POLLHUP)) === 0) return;
      const room = spec.read >= BUFFER_BYTES ? buffer : buffer.subarray(0, spec.read);
      const n = this.#try(() => nb.recv(this.#fd, room));
      if (n < 0) return;
      world.progress_us = world.now_us;
      if (n === 0) {
        this.eof = true;
        return;
      }
      const wrong = this.#in.mismatch(this.received, room, n);
      if (wrong >= 0) throw new Fault(`${this.label}: byte ${this.received + wrong} is wrong`);
      this.received += n;
      if (this.#mustAbort()) return;
      if (spec.read_pause_us > 0) this.#readFrom_us = this.#later(spec.read_pause_us);
    }
  }

  #write(): void {
    const { world, spec } = this;
    const { nb } = this.node.stack.sys;
    if (spec.finish === "reply" && !this.eof) return;
    while (this.sent < spec.bytes && this.#writeFrom_us <= world.now_us) {
      if ((this.#ready(POLLOUT) & (POLLOUT | POLLERR | POLLHUP)) === 0) return;
      const most = Math.min(spec.write, spec.bytes - this.sent, spec.burst - this.#burst);
      const n = this.#try(() => nb.send(this.#fd, this.#out.bytes(this.sent, most)));
      // Without mbufs a write fails though poll says that there is room: try again in a while.
      if (n === NO_MBUFS) this.#writeFrom_us = this.#later(MBUFS_US);
      if (n < 0) return;
      world.progress_us = world.now_us;
      this.sent += n;
      this.#burst += n;
      if (this.#mustAbort()) return;
      if (this.#burst >= spec.burst) {
        this.#burst = 0;
        if (spec.pause_us > 0) this.#writeFrom_us = this.#later(spec.pause_us);
      }
    }
  }

  /** Answers -1 for a call that would wait, NO_MBUFS if there are none at present. */
  #try(call: () => number): number {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      if (error.errno === Errno.ENOBUFS) return NO_MBUFS;
      if (error.errno !== Errno.EAGAIN) throw error;
      return -1;
    }
  }

  #finish(): void {
    const { spec } = this;
    const { sys } = this.node.stack;
    if (this.#mustAbort() || this.sent < spec.bytes) return;
    if (spec.finish === "reply" && !this.eof) return;
    if (spec.finish === "close") {
      this.shut = true;
      sys.nb.close(this.#fd);
      this.#end(this.eof ? "done" : "left");
      return;
    }
    if (!this.shut && !this.#shutdown()) return;
    if (!this.eof) return;
    sys.nb.close(this.#fd);
    this.#end("done");
  }

  /** Ends this direction; false if that is to be tried again: Fast Open is not connected yet. */
  #shutdown(): boolean {
    if (this.#shutFrom_us > this.world.now_us) return false;
    try {
      this.node.stack.sys.shutdown(this.#fd, Shut.WR);
    } catch (error) {
      const early = error instanceof SocketError && error.errno === Errno.ENOTCONN;
      if (!early || !this.fast) throw error;
      this.#shutFrom_us = this.#later(FAST_US);
      return false;
    }
    this.shut = true;
    return true;
  }

  /** True if its data may go with the SYN: the other end may be gone before this one is open. */
  get fast(): boolean {
    return this.spec.options.some(([, name]) => name === TcpOpt.FASTOPEN_CONNECT);
  }

  #mustAbort(): boolean {
    const { finish, abort_after } = this.spec;
    if (finish !== "abort" || this.sent + this.received < abort_after && !this.eof) return false;
    this.reset("aborted");
    return true;
  }

  /** Resets the connection. */
  reset(outcome: Outcome): void {
    if (this.outcome !== undefined) return;
    const { sys } = this.node.stack;
    try {
      sys.setsockopt(this.#fd, Sol.SOCKET, So.LINGER, { onoff: true, linger: 0 });
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
    }
    sys.nb.close(this.#fd);
    this.#end(outcome);
  }

  #fail(code: string, syscall: string): void {
    this.error = code;
    this.syscall = syscall;
    this.node.stack.sys.nb.close(this.#fd);
    this.#end("failed");
  }

  #end(outcome: Outcome): void {
    const { world } = this;
    this.outcome = outcome;
    this.ended_us = world.now_us;
    world.progress_us = world.now_us;
    if (!world.logs) return;
    const why = this.error ? `: ${this.syscall} ${this.error}` : "";
    const took_s = (world.now_us - this.#opened_us) / 1e6;
    world.log(`${this.label} ${outcome}${why}${this.open ? ` after ${took_s} s` : ""}`);
  }

  /** What it waits for, for the report of a world that does not end. */
  describe(): string {
    if (this.outcome) return `${this.label} ${this.outcome}`;
    if (!this.open) return `${this.label} is connecting`;
    let state: unknown;
    try {
      const { sys } = this.node.stack;
      const info = sys.getsockopt(this.#fd, 6, 0x100) as unknown;
      state = JSON.stringify(info);
    } catch (error) {
      state = wordsOf(error);
    }
    const waits = [this.eof ? "" : "to read", this.shut ? "" : "to write"].filter(Boolean);
    return `${this.label} waits ${waits.join(" and ")}: ${state}`;
  }
}
