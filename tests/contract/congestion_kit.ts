/**
 * A connection with nothing but its congestion control: the test plays the network and calls the
 * algorithm at the moments of the table in assembly/tcp/cc.ts.
 *
 * @module
 */

import type { Cc } from "../../assembly/abi/tcp.ts";
import { Stat } from "../../assembly/abi/stat.ts";
import * as layout from "../../runtime/wasm/layout.gen.ts";
import { type EngineUnderTest, freshEngine } from "../unit/engine_instance.ts";

/** ssthresh before anything is known. */
export const SSTHRESH_NONE = 0x3fffffff;

/** Fields of the engine's struct TcpSettings. */
export type SettingField = Exclude<keyof typeof layout.TcpSettings, "size">;

/** How a flow begins. */
export interface FlowOptions {
  readonly algorithm: Cc;
  readonly mss?: number;
  readonly rttUs?: number;
  readonly settings?: Partial<Record<SettingField, number>>;
}

/** One flow; windows are bytes, times microseconds. */
export class Flow {
  readonly engine: EngineUnderTest;
  readonly tp: number;
  readonly mss: number;
  now = 1_000_000;
  #lapEnd: number;

  constructor(options: FlowOptions) {
    this.engine = freshEngine();
    this.tp = this.engine.heap;
    this.mss = options.mss ?? 1000;
    const { call } = this.engine;
    call.probe_tcp_settings_init();
    call.probe_cc_init();
    const settings = call.tcp_settings();
    for (const [name, value] of Object.entries(options.settings ?? {})) {
      this.engine.setU32(settings + layout.TcpSettings[name as SettingField], value);
    }
    this.engine.view.setUint16(this.tp + layout.Tcb.snd_mss, this.mss, true);
    this.engine.bytes[this.tp + layout.Tcb.cc_algo] = options.algorithm;
    this.ssthresh = SSTHRESH_NONE;
    this.rtt = options.rttUs ?? 100_000;
    call.set_clock(this.now);
    call.probe_cc_start(this.tp);
    this.fill();
    this.#lapEnd = this.cwnd;
  }

  /** The algorithm in charge. */
  get algorithm(): Cc {
    return this.engine.bytes[this.tp + layout.Tcb.cc_algo];
  }

  get(name: keyof typeof layout.Tcb): number {
    return this.engine.u32(this.tp + layout.Tcb[name]);
  }

  set(name: keyof typeof layout.Tcb, value: number): void {
    this.engine.setU32(this.tp + layout.Tcb[name], value);
  }

  get cwnd(): number {
    return this.get("cwnd");
  }

  set cwnd(bytes: number) {
    this.set("cwnd", bytes);
  }

  get ssthresh(): number {
    return this.get("ssthresh");
  }

  set ssthresh(bytes: number) {
    this.set("ssthresh", bytes);
  }

  /** The smoothed round trip. */
  get rtt(): number {
    return this.get("srtt_us");
  }

  set rtt(us: number) {
    this.set("srtt_us", us);
  }

  /** cwnd in segments. */
  get window(): number {
    return this.cwnd / this.mss;
  }

  /** The bytes that 96 bytes of state hold now. */
  state(): number[] {
    const at = this.tp + layout.Tcb.cc_0;
    return [...this.engine.bytes.subarray(at, at + 96)];
  }

  advance(us: number): void {
    this.now += us;
    this.engine.call.set_clock(this.now);
  }

  /** The flight is as large as the window. */
  fill(): void {
    this.set("snd_nxt", (this.get("snd_una") + this.cwnd) >>> 0);
  }

  /** One ACK of so many bytes, and a round trip if one is given; the sender fills the window. */
  ack(bytes: number, rttUs?: number): void {
    this.set("snd_una", (this.get("snd_una") + bytes) >>> 0);
    if (rttUs !== undefined) this.engine.call.probe_cc_sample(this.tp, rttUs);
    this.engine.call.probe_cc_acked(this.tp, bytes);
    this.fill();
  }

  /** A round trip in which all of a window is acknowledged, `per` segments by each ACK. */
  round(per = 1, rttUs?: number): void {
    const segments = Math.max(1, Math.floor(this.cwnd / this.mss));
    const acks = Math.ceil(segments / per);
    this.fill();
    for (let i = 0; i < acks; i++) {
      this.advance(Math.floor(this.rtt / acks));
      const left = segments - i * per;
      this.ack(Math.min(per, left) * this.mss, rttUs);
    }
  }

  /**
   * A round as RFC 9406 4.2 measures it, one segment by each ACK: until what was in flight at the
   * end of the round before is acknowledged. Answers the number of ACKs.
   */
  lap(rttUs: number): number {
    let acks = 0;
    let sent = 0;
    while (this.get("snd_una") < this.#lapEnd) {
      sent = this.get("snd_nxt");
      this.advance(Math.floor(rttUs / 100));
      this.ack(this.mss, rttUs);
      acks++;
    }
    this.#lapEnd = sent;
    return acks;
  }

  /** A loss, and a recovery of one round trip that ends at ssthresh. */
  lose(): void {
    this.fill();
    this.engine.call.probe_cc_reduce(this.tp);
    this.advance(this.rtt);
    this.cwnd = this.ssthresh;
  }

  /** A CE mark, answered as a loss is. */
  mark(): void {
    this.fill();
    this.engine.call.probe_cc_ecn(this.tp);
    this.advance(this.rtt);
    this.cwnd = this.ssthresh;
  }

  /** A retransmission timeout. */
  timeout(): void {
    this.fill();
    this.engine.call.probe_cc_timeout(this.tp);
    this.advance(1_000_000);
    this.cwnd = this.mss;
  }

  /** The last reduction was spurious (RFC 4015). */
  undo(): void {
    this.cwnd = Math.max(this.cwnd, this.get("prior_cwnd"));
    this.ssthresh = Math.max(this.ssthresh, this.get("prior_ssthresh"));
    this.engine.call.probe_cc_undo(this.tp);
  }

  idle(us: number): void {
    this.advance(us);
    this.engine.call.probe_cc_idle(this.tp);
  }

  /** Slow starts that HyStart++ ended. */
  get exits(): number {
    return Number(this.engine.u64(this.engine.call.counters() + 8 * Stat.TCP_HYSTART_EXITS));
  }
}
