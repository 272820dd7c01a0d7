/**
 * The engine's verifier and interpreter, for tests.
 *
 * @module
 */

import { encodeProgram, type Program } from "../../../filter/program.ts";
import type { PacketFacts } from "../../../filter/run.ts";
import { type EngineUnderTest, engineWithMbufs, makeChain } from "../engine_instance.ts";

const PROGRAM_BYTES = 8 * 5000;
const WORK_BYTES = 2 * 5000;
const FRAME_BYTES = 256;
const PIECE_BYTES_MAX = 2048;

/** A packet for the engine; offsets are from the start of the first piece, -1 for unknown. */
export interface EnginePacket {
  readonly pieces: readonly Uint8Array[];
  readonly base?: number;
  readonly length?: number;
  readonly wireLength?: number;
  readonly link?: number;
  readonly net?: number;
  readonly facts?: PacketFacts;
}

/** An engine with mbufs and room for one program. */
export class EngineFilter {
  readonly e: EngineUnderTest & { readonly scratch: number };
  readonly #program: number;
  readonly #work: number;
  readonly #frame: number;

  constructor() {
    const keep = PROGRAM_BYTES + WORK_BYTES + FRAME_BYTES;
    this.e = engineWithMbufs({ small: 64, cluster: 64, keep });
    this.#program = this.e.scratch;
    this.#work = this.#program + PROGRAM_BYTES;
    this.#frame = this.#work + WORK_BYTES;
    const bytes = this.e.call.probe_bpf_frame_bytes();
    if (bytes > FRAME_BYTES) throw new Error(`a frame takes ${bytes} bytes`);
  }

  /** Puts a program in place; what the verifier says of it: 0, or a fault and where it is. */
  load(program: Program): { index: number; fault: number } {
    this.e.bytes.set(encodeProgram(program), this.#program);
    const found = this.e.call.probe_bpf_validate(this.#program, program.length, this.#work);
    return { index: found >>> 8, fault: found & 255 };
  }

  /** Runs the program that was loaded last; the chain is freed again. */
  run({ pieces, base = 0, length, wireLength, link = -1, net = -1, facts = {} }: EnginePacket) {
    const { call } = this.e;
    const specs = pieces.flatMap((piece) => {
      const parts: Uint8Array[] = [];
      for (let at = 0; at === 0 || at < piece.length; at += PIECE_BYTES_MAX) {
        parts.push(piece.subarray(at, at + PIECE_BYTES_MAX));
      }
      return parts.map((data) => ({ cluster: data.length > 192, lead: 0, data }));
    });
    const all = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const len = length ?? all - base;
    const m = makeChain(this.e, specs, true);
    if (m === 0) throw new Error("no mbufs left");
    call.probe_bpf_frame(this.#frame, m, base, len, wireLength ?? len, link, net);
    const { ifindex = 0, protocol = 0, hatype = 0, pkttype = 0, vlan } = facts;
    const tag = [vlan ? 1 : 0, vlan?.tci ?? 0, vlan?.tpid ?? 0] as const;
    call.probe_bpf_beside(this.#frame, ifindex, protocol, hatype, pkttype, ...tag);
    const verdict = call.probe_bpf_run(this.#program, this.#frame) >>> 0;
    call.probe_mbuf_freem(m);
    return verdict;
  }
}
