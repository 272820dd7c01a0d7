/**
 * Files and pipes: files are in memory and all zeros, a pipe is a number of bytes.
 *
 * @module
 */

import { type Answer, type Attempt, errorAnswer } from "./call_t.ts";
import { Unsupported } from "./errors.ts";
import type { Fd, FileFd, PipeFd } from "./fd.ts";
import type { World } from "./world.ts";

/** What a pipe of Linux holds: 16 pages. */
export const PIPE_BYTES = 65_536;

/** Bytes that a file has from an offset on. */
export function left(world: World, file: FileFd, offset: number): number {
  return Math.max((world.files.get(file.name) ?? 0) - offset, 0);
}

/** `read` and `write` on what is no socket. */
export function fileTransfer(world: World, fd: Fd, length: number, writes: boolean): Attempt {
  if (fd.kind === "file") return () => fileAnswer(world, fd, length, writes);
  if (fd.kind === "pipe") return () => pipeAnswer(fd, length, writes);
  throw new Unsupported(`${writes ? "write" : "read"} on an ${fd.kind} descriptor`);
}

function fileAnswer(world: World, file: FileFd, length: number, writes: boolean): Answer {
  const n = writes ? length : Math.min(length, left(world, file, file.offset));
  file.offset += n;
  const size = world.files.get(file.name) ?? 0;
  if (writes) world.files.set(file.name, Math.max(size, file.offset));
  return { value: n };
}

function pipeAnswer({ pipe, writes }: PipeFd, length: number, wanted: boolean): Answer | undefined {
  if (writes !== wanted) return errorAnswer("EBADF");
  if (writes) {
    if (pipe.readers === 0) return errorAnswer("EPIPE");
    const n = Math.min(length, PIPE_BYTES - pipe.bytes);
    pipe.bytes += n;
    return n > 0 || length === 0 ? { value: n } : undefined;
  }
  const n = Math.min(length, pipe.bytes);
  pipe.bytes -= n;
  return n > 0 || pipe.writers === 0 ? { value: n } : undefined;
}
