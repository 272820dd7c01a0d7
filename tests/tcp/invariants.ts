/**
 * What must hold of an engine with TCP connections after every step, read from its structs.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { MbufSize } from "../../assembly/abi/mbuf.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import { TcpState } from "../../assembly/abi/tcp.ts";
import { Sf, Tf } from "./flags.ts";
import type { Engine } from "../../runtime/engine.ts";
import * as layout from "../../runtime/wasm/layout.gen.ts";

/** The engine's exports by name, probes included. */
export type Calls = Record<string, (...args: number[]) => number>;

/** States whose FIN may still have to be sent. */
const CLOSING: readonly number[] = [TcpState.FIN_WAIT_1, TcpState.CLOSING, TcpState.LAST_ACK];

/** a <= b of sequence numbers. */
export function seqLe(a: number, b: number): boolean {
  return ((b - a) | 0) >= 0;
}

/** a < b of sequence numbers. */
export function seqLt(a: number, b: number): boolean {
  return ((b - a) | 0) > 0;
}

/** Reads what a test wants to know of an engine. */
export class Inspector {
  readonly #call: Calls;

  constructor(readonly engine: Engine) {
    this.#call = engine.calls as unknown as Calls;
  }

  u32(address: number): number {
    return this.engine.view.getUint32(address, true);
  }

  /** A counter. */
  stat(s: Stat): number {
    return Number(this.engine.view.getBigUint64(this.#call.counters() + s * 8, true));
  }

  /** How many frames met a fate. */
  fate(f: number): number {
    return Number(this.engine.view.getBigUint64(this.#call.fates() + f * 8, true));
  }

  /** Frames counted under any fate. */
  fatesTotal(): number {
    let sum = 0;
    for (let f = 0; f < 256; f++) sum += this.fate(f);
    return sum;
  }

  /** Empty mbufs that the driver of the interface at `ifp` has. */
  lent(ifp: number): number {
    const places = this.u32(ifp + layout.Ifnet.rxmbuf);
    let count = 0;
    for (let i = 0; i < this.u32(ifp + layout.Ifnet.rx_ready); i++) {
      if (this.u32(places + 4 * i) !== 0) count++;
    }
    return count;
  }

  /** Mbufs that are out. */
  mbufs(): number {
    const at = this.engine.scratch + 3072;
    this.#call.pool_stats(at);
    return this.u32(at) + this.u32(at + 16);
  }

  /** Addresses of the sockets in use. */
  sockets(): number[] {
    const found: number[] = [];
    for (let i = 0; i < this.#call.so_limit(); i++) {
      const so = this.#call.so_at(i);
      if (so !== 0 && this.u32(so + layout.Socket.inuse) !== 0) found.push(so);
    }
    return found;
  }

  /** A 32-bit field of a connection. */
  tcb(so: number, name: keyof typeof layout.Tcb): number {
    const tp = this.#call.tcb_of(so) >>> 0;
    assert(tp !== 0, "the socket has no connection");
    return this.u32(tp + layout.Tcb[name]);
  }

  /** State of a socket's connection, CLOSED if it has none. */
  state(so: number): TcpState {
    const tp = this.#call.tcb_of(so) >>> 0;
    return tp === 0 ? TcpState.CLOSED : this.u32(tp + layout.Tcb.state);
  }

  /** Throws if anything is out of order. `frames`: how many were handed in. */
  check(frames: number): void {
    const out = this.stat(Stat.MBUF_ALLOCATED) - this.stat(Stat.MBUF_FREED);
    assertEquals(this.mbufs(), out, "mbufs in use and mbufs handed out");
    assertEquals(this.fatesTotal(), frames, "fates and frames");
    for (const so of this.sockets()) {
      const { Socket } = layout;
      assert(this.#call.probe_sb_consistent(so + Socket.rcv_cc), "so_rcv counts what it holds");
      assert(this.#call.probe_sb_consistent(so + Socket.snd_cc), "so_snd counts what it holds");
      const tp = this.#call.tcb_of(so) >>> 0;
      if (tp !== 0) this.#connection(so, tp);
    }
  }

  #connection(so: number, tp: number): void {
    const field = (name: keyof typeof layout.Tcb) => this.u32(tp + layout.Tcb[name]);
    const [una, nxt] = [field("snd_una"), field("snd_nxt")];
    assert(seqLe(una, nxt), `SND.UNA ${una} <= SND.NXT ${nxt}`);
    const state = field("state");
    if (state < TcpState.ESTABLISHED) return;
    const cc = this.u32(so + layout.Socket.snd_cc);
    // SYN is acknowledged by now, so only a FIN may stand beyond the data
    const inFlight = (nxt - una) >>> 0;
    assert(inFlight <= cc + 1, `${inFlight} in flight, ${cc} in so_snd`);
    // a FIN behind data that fills the window is taken with it
    const fin = field("flags") & Tf.GOTFIN ? 1 : 0;
    assert(seqLe(field("rcv_nxt"), field("rcv_adv") + fin), "RCV.NXT <= RCV.ADV");
    assert(field("cwnd") > 0, "cwnd > 0");
    this.#segq(field);
    this.#scoreboard(field);
    this.#pipe(field, inFlight);
    this.#watchers(tp, field, inFlight, cc);
  }

  /** What has left the network is never more than what was sent into it. */
  #pipe(field: (name: keyof typeof layout.Tcb) => number, inFlight: number): void {
    const left = field("sacked_bytes") + field("lost_bytes");
    const pipe = inFlight + field("resent_bytes") - left;
    assert(pipe >= 0, `${pipe} bytes in the network`);
    assert(field("lost_todo") <= field("lost_bytes"), "what waits to be sent again is lost");
  }

  /**
   * One timer watches over what is in flight (RFC 6298 5.1, RFC 8985 7.2), none over nothing; but
   * what the way down has refused, data, FIN or an ACK, is tried again by the retransmission timer.
   */
  #watchers(
    tp: number,
    field: (name: keyof typeof layout.Tcb) => number,
    inFlight: number,
    cc: number,
  ): void {
    const names = ["d_rexmt", "d_probe", "d_reorder"] as const;
    const isOn = (name: keyof typeof layout.Tcb) =>
      this.engine.view.getBigInt64(tp + layout.Tcb[name], true) !== 0n;
    const on = names.filter(isOn);
    if (field("flags") & Tf.BLOCKED) return;
    if (isOn("d_persist")) assertEquals(on, [], "watchers beside the probe of a closed window");
    else if (inFlight > 0) assertEquals(on.length, 1, `one watcher over what is in flight: ${on}`);
    else {
      const flags = field("flags");
      const fin = CLOSING.includes(field("state")) && !(flags & Tf.SENTFIN);
      const owed = cc > 0 || fin || flags & Tf.ACKNOW;
      assert(on.length === 0 || (owed && `${on}` === "d_rexmt"), `${on} over nothing`);
    }
  }

  /** The out-of-order queue: runs, ascending, apart, above RCV.NXT, and counted. */
  #segq(field: (name: keyof typeof layout.Tcb) => number): void {
    const { Mbuf } = layout;
    let end = field("rcv_nxt");
    let [bytes, count, storage] = [0, 0, 0];
    for (let run = field("segq"); run !== 0; run = this.u32(run + Mbuf.nextpkt)) {
      const start = this.u32(run + Mbuf.aux);
      assert(seqLt(end, start), "runs of the reassembly queue stand apart");
      let [length, last] = [0, 0];
      for (let m = run; m !== 0; m = this.u32(m + Mbuf.next)) {
        length += this.u32(m + Mbuf.len);
        storage += this.u32(m + Mbuf.cap) + MbufSize.HEADER;
        last = m;
      }
      assertEquals(this.u32(run + Mbuf.pktlen), length, "length of a run");
      assertEquals((this.u32(run + Mbuf.aux2) & ~1) >>> 0, last, "last mbuf of a run");
      end = (start + length) >>> 0;
      bytes += length;
      count += 1;
    }
    assertEquals(field("segq_bytes"), bytes, "bytes in the reassembly queue");
    assertEquals(field("segq_count"), count, "runs in the reassembly queue");
    assertEquals(field("segq_mbcnt"), storage, "storage of the reassembly queue");
  }

  /** What is in flight: one record after the other from SND.UNA to SND.NXT, and counted. */
  #scoreboard(field: (name: keyof typeof layout.Tcb) => number): void {
    const { Sent } = layout;
    const sum = { count: 0, sacked: 0, segments: 0, lost: 0, todo: 0, resent: 0 };
    const timed = new Set<number>();
    let [at, previous] = [field("snd_una"), 0];
    for (let r = field("sent_first"); r !== 0; r = this.u32(r + Sent.next)) {
      const [start, end] = [this.u32(r + Sent.start), this.u32(r + Sent.end)];
      assertEquals(start, at, "a record begins where the one before it ends");
      assert(seqLt(start, end), "a record holds something");
      assertEquals(this.u32(r + Sent.prev), previous, "records are linked both ways");
      const flags = this.u32(r + Sent.flags);
      const length = (end - start) >>> 0;
      const [sacked, lost, resent] = [flags & Sf.SACKED, flags & Sf.LOST, flags & Sf.RESENT];
      assert(!sacked || (!lost && !resent), "what is reported is neither lost nor sent again");
      sum.count += 1;
      if (sacked) sum.segments += 1;
      sum.sacked += sacked ? length : 0;
      sum.lost += lost ? length : 0;
      sum.todo += lost && !resent ? length : 0;
      sum.resent += resent ? length : 0;
      if (!sacked && !(lost && !resent)) timed.add(r);
      [at, previous] = [end, r];
    }
    assertEquals(at, field("snd_nxt"), "records reach to SND.NXT");
    assertEquals(field("sent_last"), previous, "the last record");
    assertEquals(field("sent_count"), sum.count, "segments in flight");
    assertEquals(field("lost_bytes"), sum.lost, "bytes lost");
    assertEquals(field("lost_todo"), sum.todo, "bytes to be sent again");
    assertEquals(field("resent_bytes"), sum.resent, "bytes sent again");
    if (field("flags") & Tf.SACK) {
      assertEquals(field("sacked_bytes"), sum.sacked, "bytes reported");
      assertEquals(field("sacked_segments"), sum.segments, "segments reported");
    }
    this.#byTime(field, timed);
  }

  /** The records by the time of sending are those that may still be found lost. */
  #byTime(field: (name: keyof typeof layout.Tcb) => number, expected: Set<number>): void {
    const { Sent } = layout;
    let [when, count] = [-1n, 0];
    for (let r = field("rack_first"); r !== 0; r = this.u32(r + Sent.later)) {
      assert(expected.has(r), "a record on the list by time is neither reported nor waiting");
      const at = this.engine.view.getBigInt64(r + Sent.at, true);
      assert(at >= when, "ascending by the time of sending");
      [when, count] = [at, count + 1];
    }
    assertEquals(count, expected.size, "records on the list by time");
  }
}
