/** What so_poll answers, so_want asks for, and the event queue reports, as bits. */
export const enum Ev {
  READ = 1, // readable: data, end of stream, a connection to accept, or an error
  WRITE = 2, // writable, or writing fails at once
  STATE = 4, // connected, disconnected or failed
  OOB = 8, // urgent data or mark arrived
  HUP = 16, // both directions are finished
  ERROR = 32, // so_error is set
}
