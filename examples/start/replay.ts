/**
 * Plays a capture file to a stack and says what the stack made of every frame. The clock is that of
 * the capture: it stands still except from frame to frame.
 *
 * @module
 */

import {
  type CapturedFrame,
  type CaptureReader,
  type CaptureWriter,
  openCapture,
} from "../../drivers/capture.ts";
import { CaptureWire } from "../../drivers/capture_wire.ts";
import {
  Af,
  createStack,
  type DriverCaps,
  type FrameBatch,
  type Ifnet,
  ManualClock,
  type NetDriver,
  Sock,
  type Stack,
} from "../../mod.ts";
import { FATE_NAMES } from "../../runtime/wasm/names.gen.ts";
import { count, table } from "./format.ts";
import { summarize } from "./frame_summary.ts";
import { guessHost } from "./guess_address.ts";
import type { Prefix, ReplayOptions } from "./options.ts";
import type { JobOutput } from "./two_hosts.ts";

/** Fates from here on are drops. */
const FIRST_DROP = 64;
/** Turns that one frame may cause before something is wrong. */
const TURNS_MAX = 64;
const NOT_SEEN = -1;

/** Lets a frame through only when it is its turn, so that timers can go before it. */
class Gate implements NetDriver {
  readonly name = "capture";
  open = false;
  readonly #wire: CaptureWire;

  constructor(wire: CaptureWire) {
    this.#wire = wire;
  }

  get caps(): DriverCaps {
    return this.#wire.caps;
  }

  attach(ifp: Ifnet): void {
    this.#wire.attach(ifp);
  }

  start(tx: FrameBatch): number {
    return this.#wire.start(tx);
  }

  rx(free: FrameBatch): number {
    if (!this.open) return 0;
    this.open = false;
    return this.#wire.rx(free);
  }

  detach(): void {
    this.#wire.detach();
  }
}

/** Does the job; answers true if the whole file could be read. */
export async function runReplay(options: ReplayOptions, output: JobOutput): Promise<boolean> {
  const capture = readCapture(options.file);
  const host = chooseHost(capture, options.address);
  output.log(`the stack is ${host.prefix.address}/${host.prefix.bits}${host.why}`);
  const replay = new Replay(capture, host.hwaddr, options.totals ? undefined : output.log);
  const failure = await replay.run(host.prefix, options);
  output.log(replay.totals());
  if (failure === undefined) return true;
  output.log(`the file is bad after frame ${replay.frames}: ${failure.message}`);
  return false;
}

function readCapture(file: string): CaptureReader {
  try {
    return openCapture(Deno.readFileSync(file));
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    if (error instanceof Deno.errors.NotFound) throw new Error(`there is no file ${file}`);
    throw new Error(`${file}: ${words}`);
  }
}

interface Host {
  readonly prefix: Prefix;
  readonly hwaddr: Uint8Array | undefined;
  readonly why: string;
}

/** Whom the stack stands for, and which hardware address it needs to take the frames. */
function chooseHost(capture: CaptureReader, wanted: Prefix | undefined): Host {
  const frames: CapturedFrame[] = [];
  try {
    for (const frame of capture) frames.push(frame);
  } catch {
    // The replay meets the same place, and tells.
  }
  const guess = guessHost(frames, wanted?.address);
  if (wanted !== undefined) return { prefix: wanted, hwaddr: guess?.hwaddr, why: "" };
  if (guess === undefined) {
    throw new Error("no frame is for a single IPv4 host; say who the stack is with --address");
  }
  const why = `, the destination of ${count(guess.frames)} frames (--address chooses another)`;
  return { prefix: { address: guess.address, bits: 24 }, hwaddr: guess.hwaddr, why };
}

/** One playback. */
class Replay {
  /** Frames played. */
  frames = 0;
  readonly #clock = new ManualClock();
  readonly #wire: CaptureWire;
  readonly #gate: Gate;
  readonly #log: ((line: string) => void) | undefined;
  /** By fate: how many frames, and how many of them were answered. */
  readonly #fates = new Map<number, { frames: number; answered: number }>();
  readonly #answers: string[] = [];
  #sentByTimers = 0;
  #cut = 0;
  #next: CapturedFrame | undefined;
  #seen: CapturedFrame | undefined;

  constructor(
    capture: CaptureReader,
    hwaddr: Uint8Array | undefined,
    log: ((line: string) => void) | undefined,
  ) {
    this.#log = log;
    this.#wire = new CaptureWire(this.#watch(capture), {
      hwaddr: hwaddr !== undefined && (hwaddr[0] & 1) === 0 ? hwaddr : undefined,
      batch: 1,
      record: this.#recorder(),
      onFrame: (frame) => this.#seen = frame,
    });
    this.#gate = new Gate(this.#wire);
  }

  /** Plays everything; answers what is wrong with the file, if something is. */
  async run(prefix: Prefix, options: ReplayOptions): Promise<Error | undefined> {
    await using stack = await createStack({
      ...options.settings,
      clock: this.#clock,
      seed: 1,
      interfaces: [{
        driver: this.#gate,
        name: "eth0",
        addresses: [`${prefix.address}/${prefix.bits}`],
      }],
    });
    listenOn(stack, options);
    this.#settle(stack);
    this.#answers.length = 0;
    const first_us = this.#next?.timestamp_us ?? 0;
    const begin_us = this.#clock.now_us();
    while (this.#next !== undefined) {
      const frame = this.#next;
      const due_us = begin_us + Math.max(0, frame.timestamp_us - first_us);
      await this.#passTime(stack, due_us);
      this.#play(stack, frame);
      await Promise.resolve();
    }
    // An empty file has ended without having begun.
    this.#gate.open = true;
    this.#settle(stack);
    return await this.#wire.done.then(() => undefined, (error) => error);
  }

  /** What became of all frames. */
  totals(): string {
    const rows = [...this.#fates].sort(([a], [b]) => a - b).map(([fate, { frames, answered }]) => [
      frames,
      answered,
      kindOf(fate),
      nameOf(fate),
      noteOf(fate),
    ]);
    const dropped = [...this.#fates].filter(([fate]) => fate >= FIRST_DROP || fate === NOT_SEEN)
      .reduce((sum, [, { frames }]) => sum + frames, 0);
    const timers = this.#sentByTimers > 0
      ? `\n${count(this.#sentByTimers)} more were sent by timers, between frames`
      : "";
    const cut = this.#cut > 0
      ? `\n${count(this.#cut)} are not whole in the file, and were played as short as they are`
      : "";
    return `${table(["frames", "answered", "kind", "fate", "why"], rows)}\n` +
      `${count(this.frames)} frames: ${count(this.frames - dropped)} used, ` +
      `${count(dropped)} dropped${cut}${timers}`;
  }

  /** Remembers the frame that the wire will play next. */
  *#watch(capture: CaptureReader): IterableIterator<CapturedFrame> {
    this.#next = undefined;
    for (const frame of capture) {
      this.#next = frame;
      yield frame;
      this.#next = undefined;
    }
  }

  /** Moves the clock to the frame, letting every timer before it go off in its time. */
  async #passTime(stack: Stack, due_us: number): Promise<void> {
    for (;;) {
      const at_us = Math.min(stack.nextDeadline(), due_us);
      if (at_us > this.#clock.now_us()) this.#clock.set(at_us);
      this.#settle(stack);
      // Whoever waits on the stack gets his turn.
      await Promise.resolve();
      if (this.#clock.now_us() >= due_us) break;
    }
    this.#sentByTimers += this.#answers.length;
    for (const answer of this.#answers.splice(0)) this.#log?.(`       timer → ${answer}`);
  }

  #play(stack: Stack, frame: CapturedFrame): void {
    this.#seen = undefined;
    this.#gate.open = true;
    stack.turn();
    const fate = this.#seen === undefined ? NOT_SEEN : stack.engine.calls.last_fate();
    this.#settle(stack);
    this.frames++;
    const entry = this.#fates.get(fate) ?? { frames: 0, answered: 0 };
    entry.frames++;
    if (this.#answers.length > 0) entry.answered++;
    this.#fates.set(fate, entry);
    const number = String(this.frames).padStart(6);
    const length = String(frame.originalLength).padStart(5);
    const what = summarize(frame.data, this.#wire.caps.medium);
    const cut = frame.data.length < frame.originalLength;
    if (cut) this.#cut++;
    this.#log?.(`${number} ${length}  ${what}${cut ? ` (cut to ${frame.data.length})` : ""}`);
    this.#log?.(`              ${kindOf(fate)}: ${nameOf(fate)}, ${noteOf(fate)}`);
    for (const answer of this.#answers.splice(0)) this.#log?.(`              → ${answer}`);
  }

  /** Takes turns until nothing moves any more. */
  #settle(stack: Stack): void {
    for (let i = 0; i < TURNS_MAX && stack.turn() > 0; i++);
  }

  /** What the stack sends, in words. */
  #recorder(): CaptureWriter {
    return {
      addInterface: () => 0,
      write: ({ data }) => void this.#answers.push(summarize(data, this.#wire.caps.medium)),
      flush: () => {},
      close: () => {},
    };
  }
}

/** Sockets for frames to find; nobody reads from them. */
function listenOn({ sys }: Stack, { listen }: ReplayOptions): void {
  for (const { protocol, port } of listen) {
    const fd = sys.socket(Af.INET, protocol === "tcp" ? Sock.STREAM : Sock.DGRAM);
    sys.bind(fd, { port });
    if (protocol === "tcp") sys.listen(fd);
  }
}

function kindOf(fate: number): string {
  return fate === NOT_SEEN || fate >= FIRST_DROP ? "dropped" : "used";
}

function nameOf(fate: number): string {
  return fate === NOT_SEEN ? "NOT_SEEN" : FATE_NAMES[fate]?.name ?? `FATE_${fate}`;
}

function noteOf(fate: number): string {
  if (fate === NOT_SEEN) return "the driver found no frame in the record that fits";
  return FATE_NAMES[fate]?.note ?? "";
}
