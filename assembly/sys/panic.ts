/**
 * The end of the engine: an assert failed, so memory may be wrong and nothing may go on. The place
 * is left in memory, where the runtime finds it after the trap, and the engine traps.
 */

/** Where and why the engine stopped; all zeros while it runs. */
@unmanaged
@final
export class PanicState {
  msg: usize; // address of the message: UTF-16, its length in bytes stands 4 before it; or 0
  file: usize; // address of the file's name, in the same form
  line: u32; // 1 is the first
  column: u32;
}

const S: PanicState = changetype<PanicState>(memory.data(offsetof<PanicState>(), 16));

/** What `assert` and `abort` call (asc's abort). Never returns. */
export function panic(msg: usize, file: usize, line: u32, column: u32): void {
  S.msg = msg;
  S.file = file;
  S.line = line;
  S.column = column;
  unreachable();
}

/** Address of the PanicState; `line` is 0 unless the engine has stopped. */
export function panicInfo(): usize {
  return changetype<usize>(S);
}
