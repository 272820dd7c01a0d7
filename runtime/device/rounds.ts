/**
 * What a turn does with the interfaces of a stack: takes frames in from all of them and hands
 * frames out to all of them, beginning with another one each turn.
 *
 * @module
 */

import type { Engine } from "../engine.ts";
import * as field from "../layout.ts";
import * as layout from "../wasm/layout.gen.ts";
import type { Attachment } from "./attach.ts";

/** Index of the loopback interface. */
const LOOPBACK = 1;

/** The interfaces of one stack. */
export class Rounds {
  /** The last round has left something to do at once. */
  more = false;
  readonly #engine: Engine;
  readonly #attachments: readonly Attachment[];
  /** Indices of the words that say where the loopback interface's send queue begins and ends. */
  readonly #head: number;
  readonly #tail: number;
  #first = 0;

  /** @param attachments the list may change between turns */
  constructor(engine: Engine, attachments: readonly Attachment[]) {
    this.#engine = engine;
    this.#attachments = attachments;
    const loopback = engine.calls.if_ptr(LOOPBACK);
    this.#head = (loopback + layout.Ifnet.snd_head) >>> 2;
    this.#tail = (loopback + layout.Ifnet.snd_tail) >>> 2;
  }

  /** Takes in at most one batch from each; answers the number of frames. */
  receive(now_us: number): number {
    const attachments = this.#attachments;
    const count = attachments.length;
    if (count === 0) return 0;
    let at = this.#first = this.#first + 1 < count ? this.#first + 1 : 0;
    let frames = 0;
    for (let i = 0; i < count; i++) {
      // A driver may have taken its interface away meanwhile, or closed the stack.
      const attachment = attachments[at];
      at = at + 1 < count ? at + 1 : 0;
      const taken = attachment?.receive(now_us) ?? 0;
      if (attachment?.isFull(taken)) this.more = true;
      frames += taken;
    }
    return frames;
  }

  /** Hands out at most one batch to each; answers the number of frames. */
  transmit(): number {
    const attachments = this.#attachments;
    const count = attachments.length;
    let at = this.#first < count ? this.#first : 0;
    let frames = 0;
    for (let i = 0; i < count; i++) {
      const attachment = attachments[at];
      at = at + 1 < count ? at + 1 : 0;
      if (attachment === undefined || !this.#queued(attachment.ifnet)) continue;
      const sent = attachment.transmit();
      if (sent > 0 && this.#queued(attachment.ifnet)) this.more = true;
      frames += sent;
    }
    return frames;
  }

  /** True if frames that mbufs were lacking for can be taken in now. */
  get resumable(): boolean {
    const attachments = this.#attachments;
    for (let i = 0; i < attachments.length; i++) if (attachments[i].resumable) return true;
    return false;
  }

  /** True if packets of the loopback interface wait to be taken in. */
  get looped(): boolean {
    const { u32 } = this.#engine;
    return u32[this.#head] !== u32[this.#tail];
  }

  /** True if frames wait to be handed out, or can be taken in that mbufs were lacking for. */
  get waiting(): boolean {
    if (this.looped) return true;
    const attachments = this.#attachments;
    for (let i = 0; i < attachments.length; i++) {
      if (this.#queued(attachments[i].ifnet) || attachments[i].resumable) return true;
    }
    return false;
  }

  /** True if frames wait in the send queue of the interface at an address. */
  #queued(ifnet: number): boolean {
    if (ifnet === 0) return false;
    const { Ifnet } = layout;
    const head = field.getU32(this.#engine, ifnet, Ifnet.snd_head);
    return head !== field.getU32(this.#engine, ifnet, Ifnet.snd_tail);
  }
}
