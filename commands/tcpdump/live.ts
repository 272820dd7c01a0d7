/**
 * Frames of a stack as they come, for the tcpdump command.
 *
 * @module
 */

import type { CaptureInterface } from "../../drivers/capture.ts";
import type { CapturedInterface, CaptureEvent } from "../capture.ts";
import { noInput, RequestError, type Target } from "../request.ts";
import type { FrameSource, LiveWish, SourceFrame } from "./run.ts";

/** Begins to capture what is wished for, until `signal` ends it; `tell` is given what happens. */
export async function liveFrames(
  target: Target,
  wish: LiveWish,
  signal: AbortSignal,
  tell: (words: string) => void,
): Promise<FrameSource> {
  const given = Object.entries({
    interface: wish.interface,
    filter: wish.filter,
    snaplen: wish.snaplen,
    onlyOurs: wish.onlyOurs,
  }).filter(([, value]) => value !== undefined);
  const context = { signal, input: noInput() };
  const events = target.ask("capture", Object.fromEntries(given), context) as AsyncIterable<
    CaptureEvent
  >;
  const iterator = events[Symbol.asyncIterator]();
  const { value: start } = await iterator.next();
  if (start?.kind !== "start") throw new RequestError("the capture ended before it began", "EINTR");
  for (const { name, linktype } of start.interfaces) {
    tell(`listening on ${name}, link-type ${linktype}\n`);
  }
  const interfaces = (start.interfaces as readonly CapturedInterface[]).map((it) => ({
    ...it,
    snaplen: wish.snaplen ?? 0,
  }));
  return { interfaces, frames: framesOf(iterator, interfaces, tell) };
}

/** In which columns tcpdump tells by which interface a frame came or went. */
function whereabouts(name: string, direction: "in" | "out"): string {
  return `${name.padEnd(5)} ${direction === "in" ? "In " : "Out"} `;
}

async function* framesOf(
  events: AsyncIterator<CaptureEvent>,
  interfaces: readonly CaptureInterface[],
  tell: (words: string) => void,
): AsyncGenerator<SourceFrame, void> {
  let count = 0;
  try {
    for (;;) {
      const { value: event, done } = await events.next();
      if (done) return;
      if (event.kind === "end") tell(`${event.dropped} packets dropped\n`);
      if (event.kind !== "frame") continue;
      count++;
      const { data, originalLength, direction } = event;
      const { name = "", linktype } = interfaces[event.interface];
      // The wall clock is exact to a microsecond at best.
      const timestamp_us = Math.round(event.timestamp_us);
      yield {
        timestamp_us,
        timestamp_ns: BigInt(timestamp_us) * 1000n,
        linktype,
        interface: event.interface,
        ...(interfaces.length > 1 ? { where: whereabouts(name, direction) } : {}),
        data,
        originalLength,
        fcsLength: 0,
        direction,
      };
    }
  } finally {
    await events.return?.();
    tell(`${count} packets captured\n`);
  }
}
