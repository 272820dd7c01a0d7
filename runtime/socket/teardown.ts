/**
 * Closing all sockets of a stack.
 *
 * @module
 */

import type { SocketLayer } from "./so.ts";
import { release } from "./so_wait.ts";

/** Most turns, beside one for each socket closed, in which a closing stack sends what they say. */
const CLOSING_TURNS = 64;
/** Sockets closed before what they say is sent, lest a million wait for room in a queue. */
const CLOSED_AT_ONCE = 1024;

/**
 * Closes all sockets, and takes turns until what they say last is sent. Those that a program has
 * used come first, so that who waits on them is told before any turn.
 */
export function closeSockets({ engine, table, waits }: SocketLayer, turn: () => number): void {
  let closed = 0;
  const say = () => {
    for (let i = 0; i < CLOSING_TURNS + closed && turn() > 0; i++);
    closed = 0;
  };
  for (const [fd] of table.aliases()) table.drop(fd);
  for (const so of [...table.used()]) {
    if (so.fd >= 0) release(so);
    else waits.close(so);
    closed++;
  }
  for (const ptr of table.takeUnused()) {
    if (closed >= CLOSED_AT_ONCE) say();
    waits.scheduler.enter();
    engine.calls.so_close(ptr);
    closed++;
  }
  say();
}
