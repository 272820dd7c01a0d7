/**
 * Runs a script: one event after the other, on a virtual clock.
 *
 * @module
 */

import type { Call, Packet, Script, ScriptEvent } from "./ast.ts";
import type { Answer, Attempt } from "./call_t.ts";
import { beginCall, checkAnswer } from "./calls.ts";
import { sampleWatches } from "./call_poll.ts";
import { allowance, type Due, dueAt, mustBeOnTime, offBy } from "./clock.ts";
import { CodeRunner } from "./code.ts";
import { runCommand } from "./commands.ts";
import { Mismatch, ScriptError, Unsupported } from "./errors.ts";
import { Expecter } from "./expect.ts";
import { mustBeThere } from "./features.ts";
import { SYN } from "./flags.ts";
import { buildPackets } from "./inject.ts";
import type { ScriptOptions } from "./script_options.ts";
import { showPacket } from "./show.ts";
import { infoConstants, snapshotInfo } from "./tcp_info.ts";
import type { World } from "./world.ts";

/** How long a call that waits may outlast what follows it, microseconds. */
const PATIENCE_US = 1_000_000;
/** Off by more than this is told, though not judged. */
const EXACT_US = 50;

/** A call that waits. */
interface Pending {
  readonly event: ScriptEvent;
  readonly call: Call;
  readonly attempt: Attempt;
  readonly started_us: number;
  readonly end: Due;
  answer?: Answer;
  ended_us?: number;
}

/** What a run leaves behind. */
export interface RunNotes {
  /** Lines that code blocks printed. */
  readonly printed: string[];
  /** Packets that the script lists no line for. */
  leftOver: number;
  /** The largest distance of an event from its time, microseconds. */
  off_us: number;
  /** Events off by more than 50 microseconds. */
  inexact: number;
}

/** One run of one script. */
export class Run {
  readonly notes: RunNotes = { printed: [], leftOver: 0, off_us: 0, inexact: 0 };
  /** Line of the event under way. */
  line = 0;
  readonly #code = new CodeRunner();
  readonly #expecter: Expecter;
  #previous_us = 0;
  #lastInbound_us: number | undefined = undefined;
  #pending: Pending | undefined = undefined;

  constructor(
    readonly world: World,
    readonly script: Script,
    readonly options: ScriptOptions,
  ) {
    this.#expecter = new Expecter(world, options);
    world.host.onStep = () => this.#onStep();
  }

  /** Runs it to the end. Throws `Mismatch`, `Unsupported` or `ScriptError`. */
  run(): void {
    const { setup, events, cleanup } = this.script;
    for (const event of events) {
      this.line = event.line;
      if (event.action.kind === "packet") mustBeThere(event.action);
    }
    if (setup) {
      this.line = setup.line;
      runCommand(this.world, setup.text);
    }
    for (const event of events) {
      this.line = event.line;
      this.#step(event);
    }
    this.#finishPending();
    this.world.host.collect();
    const { connection, host } = this.world;
    this.notes.leftOver = connection
      ? host.sent.filter((sent) => this.world.belongs(sent, connection, true)).length
      : 0;
    if (cleanup) this.#cleanUp(cleanup.text);
  }

  /** Commands that put a machine right again mean nothing to a stack that is thrown away. */
  #cleanUp(text: string): void {
    try {
      runCommand(this.world, text);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
    }
  }

  #step(event: ScriptEvent): void {
    const { host } = this.world;
    const { action } = event;
    const inbound = action.kind === "packet" && !action.outbound;
    const anchor = inbound ? this.#lastInbound_us ?? host.now_us : host.now_us;
    const due = dueAt(event.when, anchor);
    if (action.kind === "packet" && action.outbound) {
      this.#lastInbound_us = undefined;
      this.#expect(action, due);
      return;
    }
    host.advance(due.from_us);
    this.#mustNotBeLate(due, event);
    this.#previous_us = due.from_us;
    this.#lastInbound_us = inbound ? due.from_us : undefined;
    switch (action.kind) {
      case "packet":
        this.#inject(action);
        break;
      case "call":
        this.#call(event, action, due, anchor);
        break;
      case "command":
        runCommand(this.world, action.text);
        break;
      case "code":
        this.#runCode(action.text);
    }
    host.settle();
  }

  /** The clock may be ahead of an event only as far as events may be late. */
  #mustNotBeLate(due: Due, event: ScriptEvent): void {
    const { host } = this.world;
    const allowed = allowance(this.#tolerance, due.from_us - this.#previous_us);
    const name = `the event of line ${event.line}`;
    mustBeOnTime(name, due, Math.max(host.now_us, due.from_us), allowed, {
      expected: name,
      got: "the clock is ahead",
    });
  }

  get #tolerance() {
    return { us: this.options.tolerance_us, percent: this.options.tolerancePercent };
  }

  #inject(packet: Packet): void {
    const { world, options } = this;
    const { body, ports } = packet;
    const connection = body.kind === "icmp"
      ? world.connection ?? world.incoming("tcp", undefined, false)
      : world.incoming(body.kind, ports, body.kind === "tcp" && (body.flags & SYN) !== 0);
    const packets = buildPackets(packet, connection, {
      localIp: options.localIp,
      remoteIp: options.remoteIp,
      mtu: world.host.mtu,
      mss: options.mss,
      ecrScaled: options.ecrScaled,
    });
    world.host.input(packets);
  }

  #expect(packet: Packet, due: Due): void {
    const allowed = allowance(this.#tolerance, due.to_us - this.#previous_us);
    const found = this.#expecter.expect(packet, due);
    const off = offBy(due, found.at_us);
    this.notes.off_us = Math.max(this.notes.off_us, off);
    if (off > EXACT_US) this.notes.inexact++;
    const lines = { expected: showPacket(packet), got: found.text };
    mustBeOnTime("the packet came", due, found.at_us, due.bound ? allowed : 0, lines);
    this.#previous_us = due.bound ? due.from_us : found.at_us;
  }

  #runCode(text: string): void {
    const constants = infoConstants(this.world.config.dialect);
    const info = new Map([...constants, ...snapshotInfo(this.world)]);
    this.notes.printed.push(...this.#code.run(text, info));
  }

  #call(event: ScriptEvent, call: Call, due: Due, anchor_us: number): void {
    const { host } = this.world;
    this.#finishPending();
    const attempt = beginCall(this.world, call);
    const first = attempt();
    host.settle();
    const end_us = event.when.end_us;
    if (end_us === undefined) {
      const answer = first ?? this.#wait(attempt, call);
      checkAnswer(call, answer);
      return;
    }
    const end = dueAt({ kind: event.when.kind, at_us: end_us }, anchor_us);
    const pending: Pending = { event, call, attempt, started_us: due.from_us, end };
    if (first) {
      pending.answer = first;
      pending.ended_us = host.now_us;
    }
    this.#pending = pending;
    this.#onStep();
  }

  /** A call without an end is over before the next event; if it waits, the stack may go on. */
  #wait(attempt: Attempt, call: Call): Answer {
    const { host } = this.world;
    let answer = attempt();
    host.advance(host.now_us + PATIENCE_US, () => (answer ??= attempt()) !== undefined);
    host.alarm_us = Infinity;
    if (answer) return answer;
    throw new Mismatch("the call waits without end", call.text, `${call.name}(...) waits`);
  }

  #onStep(): void {
    sampleWatches(this.world);
    const pending = this.#pending;
    if (!pending || pending.answer) return;
    const { host } = this.world;
    const answer = pending.attempt();
    if (!answer) return;
    host.alarm_us = Infinity;
    pending.answer = answer;
    pending.ended_us = host.now_us;
    host.settle();
  }

  /** The call that waits must be over soon, and on time. */
  #finishPending(): void {
    const pending = this.#pending;
    if (!pending) return;
    const { host } = this.world;
    const line = this.line;
    this.line = pending.event.line;
    const until = Math.max(host.now_us, pending.end.to_us) + PATIENCE_US;
    host.advance(until, () => pending.answer !== undefined);
    this.#pending = undefined;
    host.alarm_us = Infinity;
    const { answer, ended_us, call, end } = pending;
    if (!answer || ended_us === undefined) {
      throw new Mismatch("the call does not end", call.text, `still waiting`);
    }
    checkAnswer(call, answer);
    const allowed = allowance(this.#tolerance, end.to_us - pending.started_us);
    const got = `${call.name}(...) ended`;
    mustBeOnTime("the call ended", end, ended_us, allowed, { expected: call.text, got });
    this.line = line;
  }
}

/** The line an error is about, and the error as a script error with that line. */
export function lineOf(error: unknown, run: Run): number {
  const own = error instanceof ScriptError || error instanceof Unsupported ? error.line : 0;
  return own || run.line;
}
