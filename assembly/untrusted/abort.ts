/** What a failed assertion does in an untrusted protocol: it traps, and the stack ends it. */
export function abort(_message: usize, _file: usize, _line: u32, _column: u32): void {
  unreachable();
}
