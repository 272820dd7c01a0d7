/**
 * Packets that are to go out: finding the one that a line means, and judging it.
 *
 * @module
 */

import type { Packet, TcpBody } from "./ast.ts";
import { Burst } from "./aggregate.ts";
import type { Due } from "./clock.ts";
import { type CompareOptions, differences, payloadFault } from "./compare.ts";
import type { Connection } from "./connection.ts";
import { Mismatch } from "./errors.ts";
import { ACK, SYN } from "./flags.ts";
import type { Sent } from "./host.ts";
import { patternFault } from "./pattern.ts";
import type { ScriptOptions } from "./script_options.ts";
import { showLive, showPacket, showTime } from "./show.ts";
import type { Segment } from "./wire.ts";
import type { World } from "./world.ts";

/** How long past its time a packet is waited for, microseconds. */
const PATIENCE_US = 2_000_000;
/** How long a packet is waited for that may come at any time: a day. */
const LONGEST_US = 86_400_000_000;

/** What was found for a line. */
export interface Found {
  readonly at_us: number;
  /** In script notation. */
  readonly text: string;
}

/** Finds and judges packets. */
export class Expecter {
  constructor(readonly world: World, readonly options: ScriptOptions) {}

  /** The next packet of the connection, which must be the one expected. */
  expect(packet: Packet, due: Due): Found {
    const { body } = packet;
    const syn = body.kind === "tcp" && (body.flags & SYN) !== 0;
    const connection = this.world.outgoing(packet.ports, syn);
    if (!connection) {
      throw new Mismatch("there is no connection yet", showPacket(packet), "nothing");
    }
    for (;;) {
      const sent = this.#next(connection, due, body.kind === "icmp");
      if (!sent) throw this.#silence(packet, due);
      if (body.kind === "tcp" && sent.tcp) {
        connection.learn(body, sent.tcp);
        const found = this.#segment(packet, body, sent, sent.tcp, connection, due);
        if (found) return found;
      } else {
        this.#judge(packet, sent, undefined, connection);
        return { at_us: sent.at_us, text: showLive(sent, undefined, packet.ip) };
      }
    }
  }

  /** Takes the next packet of the connection; time goes on until there is one. */
  #next(connection: Connection, due: Due, icmp: boolean): Sent | undefined {
    const { host } = this.world;
    let found = this.#take(connection, icmp);
    const limit = due.bound ? due.to_us + PATIENCE_US : host.now_us + LONGEST_US;
    if (!found) host.advance(limit, () => (found ??= this.#take(connection, icmp)) !== undefined);
    return found;
  }

  /** Packets of other connections stay: lines with ports may be about them. */
  #take(connection: Connection, icmp: boolean): Sent | undefined {
    const { sent } = this.world.host;
    const at = sent.findIndex((packet) => this.world.belongs(packet, connection, icmp));
    return at < 0 ? undefined : sent.splice(at, 1)[0];
  }

  #silence(packet: Packet, due: Due): Mismatch {
    const when = due.bound ? `${showTime(due.from_us)} ` : "";
    return new Mismatch("no packet came", when + showPacket(packet), "nothing");
  }

  /** Judges a segment; undefined if it may be passed over. */
  #segment(
    packet: Packet,
    body: TcpBody,
    sent: Sent,
    live: Segment,
    connection: Connection,
    due: Due,
  ): Found | undefined {
    const mapped = connection.toScript(live, body);
    const first = body.numbering === "any" ? { ...mapped, seq: body.seq } : mapped;
    if (this.#passable(body, first)) return undefined;
    let at_us = sent.at_us;
    const burst = new Burst(first);
    const whole = this.options.strictSegments || first.seq !== body.seq;
    while (!whole && burst.wants(body.length)) {
      const next = this.#next(connection, due, false);
      const where = `${showTime(sent.at_us)} ${showPacket(packet)}`;
      const so_far = () => `${showTime(at_us)} ${showLive(sent, burst.segment, packet.ip)}`;
      if (!next?.tcp) throw new Mismatch("the burst ends too early", where, so_far());
      const piece = connection.toScript(next.tcp, body);
      if (next.faults.length > 0) throw new Mismatch(next.faults.join(", "), where, so_far());
      const fault = burst.add(piece);
      if (fault) {
        throw new Mismatch(fault, where, `${so_far()}, then ${showLive(next, piece, packet.ip)}`);
      }
      at_us = next.at_us;
    }
    this.#judge(packet, sent, burst.segment, connection);
    return { at_us, text: showLive(sent, burst.segment, packet.ip) };
  }

  /** With `--tolerate_acks` a pure ACK that is not the one expected does not count. */
  #passable(body: TcpBody, live: Segment): boolean {
    if (!this.options.tolerateAcks) return false;
    const pure = live.flags === ACK && live.data.length === 0;
    const same = body.flags === live.flags && body.length === 0 && body.seq === live.seq &&
      (body.ack ?? 0) === live.ack;
    return pure && !same;
  }

  #judge(
    packet: Packet,
    sent: Sent,
    tcp: Segment | undefined,
    connection: Connection,
  ): void {
    const compare: CompareOptions = {
      lenient: this.world.config.lenient,
      echoes: connection.echoes,
      tsTick_us: this.options.tsTick_us,
      tsTolerance_us: Math.max(
        this.options.tolerance_us,
        (sent.at_us * this.options.tolerancePercent) / 100,
      ),
    };
    const found = differences(packet, sent, tcp, compare);
    if (tcp && sent.tcp && found.length === 0) {
      const fault = payloadFault(tcp, tcp.flags & SYN ? 0 : connection.placeOf(sent.tcp));
      if (fault) found.push(fault);
    }
    if (sent.udp && found.length === 0 && patternFault(sent.udp.data, 0) >= 0) {
      found.push("payload: it is not what was written");
    }
    if (found.length === 0) return;
    const expected = `${showTime(sent.at_us)} ${showPacket(packet)}`;
    const got = `${showTime(sent.at_us)} ${showLive(sent, tcp, packet.ip)}`;
    throw new Mismatch(`the packet differs: ${found.join(", ")}`, expected, got);
  }
}
