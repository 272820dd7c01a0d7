/**
 * A listener's two queues: q0 of connections still being made, q of connections ready to accept.
 * Backlog rule: `listen(n)` lets n completed connections wait; those still being made may be half
 * as many again, together with the completed ones (BSD's 3 * qlimit / 2).
 *
 * @module
 */

import { Socket } from "./socket_t";

/** Whether one more completed connection would go beyond the backlog. */
export function full(head: Socket): bool {
  return head.qlen >= head.qlimit || head.q0len + head.qlen >= head.qlimit + (head.qlimit + 1) / 2;
}

/** Puts so at the end of q (ready) or q0. */
export function insert(head: Socket, so: Socket, ready: bool): void {
  so.head = head;
  so.qnext = changetype<Socket>(0);
  if (ready) {
    if (head.qtail) head.qtail.qnext = so;
    else head.q = so;
    head.qtail = so;
    head.qlen += 1;
  } else {
    if (head.q0tail) head.q0tail.qnext = so;
    else head.q0 = so;
    head.q0tail = so;
    head.q0len += 1;
  }
}

/** Takes so off q0; false if it is not there. */
export function removePartial(head: Socket, so: Socket): bool {
  let before = changetype<Socket>(0);
  let at = head.q0;
  while (at && at != so) {
    before = at;
    at = at.qnext;
  }
  if (!at) return false;
  if (before) before.qnext = so.qnext;
  else head.q0 = so.qnext;
  if (head.q0tail == so) head.q0tail = before;
  head.q0len -= 1;
  so.qnext = changetype<Socket>(0);
  so.head = changetype<Socket>(0);
  return true;
}

/** Takes the first socket off q; nil if none is ready. */
export function takeReady(head: Socket): Socket {
  const so = head.q;
  if (!so) return so;
  head.q = so.qnext;
  if (!head.q) head.qtail = changetype<Socket>(0);
  head.qlen -= 1;
  so.qnext = changetype<Socket>(0);
  so.head = changetype<Socket>(0);
  return so;
}
