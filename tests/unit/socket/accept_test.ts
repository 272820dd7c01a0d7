/** Listeners: backlog, queues, and connections that end before they are accepted. */

import { assert, assertEquals } from "@std/assert";
import { Errno } from "../../../assembly/abi/errno.ts";
import { Ev } from "../../../assembly/abi/event.ts";
import { Limits } from "../../../assembly/abi/limits.ts";
import { Pr, Pru } from "../../../assembly/abi/proto.ts";
import { So, Sock, Sol, Ss } from "../../../assembly/abi/socket.ts";
import { Kernel } from "./kernel.ts";

const FAMILY = 30;

/** A kernel with a protocol that says yes to everything, and a listener of it. */
async function recorded(backlog: number): Promise<{ k: Kernel; head: number }> {
  const k = await Kernel.boot();
  k.call("probe_dom_add", FAMILY);
  k.call(
    "probe_row_recorded",
    k.call("probe_dom_add_row", FAMILY, Sock.STREAM, 7, Pr.CONNREQUIRED),
  );
  const head = k.call("so_create", FAMILY, Sock.STREAM, 7);
  assertEquals(k.call("so_listen", head, backlog), 0);
  return { k, head };
}

Deno.test("listen: the backlog is 1 to SOMAXCONN, and may be changed", async () => {
  const k = await Kernel.boot();
  const so = k.socket();
  for (const [asked, got] of [[0, 1], [-5, 1], [7, 7], [100_000, Limits.SOMAXCONN]]) {
    assertEquals(k.call("so_listen", so, asked), 0);
    assertEquals(k.field(so, "qlimit"), got);
  }
  assertEquals(k.getopt(so, Sol.SOCKET, So.ACCEPTCONN), 1);
  assertEquals(k.connect(so, "127.0.0.1", 9), -Errno.EOPNOTSUPP);
  assertEquals(k.accept(so), -Errno.EAGAIN);
  k.end(so);
});

Deno.test("a listener holds as many completed connections as its backlog", async () => {
  const { k, head } = await recorded(4);
  const made = Array.from({ length: 6 }, () => k.call("probe_so_newconn", head, Ss.ISCONNECTED));
  assertEquals(made.filter((so) => so > 0).length, 4);
  assertEquals(k.field(head, "qlen"), 4);
  assertEquals(k.accept(head), made[0]);
  assertEquals(k.accept(head), made[1]);
  assert(k.call("probe_so_newconn", head, Ss.ISCONNECTED) > 0);
  k.call("so_close", made[0]);
  k.call("so_close", made[1]);
  k.end(head);
});

Deno.test("half-open connections may be half as many again, and are not accepted", async () => {
  const { k, head } = await recorded(4);
  const made = Array.from({ length: 9 }, () => k.call("probe_so_newconn", head, 0));
  assertEquals(made.filter((so) => so > 0).length, 6);
  assertEquals(k.accept(head), -Errno.EAGAIN);
  k.call("so_want", head, Ev.READ);
  assertEquals(k.events(), []);
  k.call("probe_so_is_connected", made[3]);
  assertEquals(k.events(), [[head, Ev.READ]]);
  assertEquals(k.accept(head), made[3]);
  assertEquals(k.field(head, "q0len"), 5);
  k.call("so_close", made[3]);
  k.end(head);
});

Deno.test("a half-open connection that ends leaves the queue and is freed", async () => {
  const { k, head } = await recorded(4);
  const [first, second, third] = [0, 0, 0].map(() => k.call("probe_so_newconn", head, 0));
  for (const so of [second, third, first]) k.call("probe_so_is_disconnected", so);
  assertEquals(k.field(head, "q0len"), 0);
  assertEquals(k.call("probe_so_used"), 1);
  assert(k.call("probe_so_newconn", head, 0) > 0);
  k.end(head);
});

Deno.test("accept: ECONNABORTED once for a connection that ended in the queue", async () => {
  const { k, head } = await recorded(4);
  const [first, second] = [0, 0].map(() => k.call("probe_so_newconn", head, Ss.ISCONNECTED));
  k.call("probe_so_is_disconnected", first);
  assertEquals(k.accept(head), -Errno.ECONNABORTED);
  assertEquals(k.accept(head), second);
  assertEquals(k.accept(head), -Errno.EAGAIN);
  k.call("so_close", second);
  k.end(head);
});

Deno.test("closing a listener drops what waits on both queues", async () => {
  const { k, head } = await recorded(4);
  k.call("probe_so_newconn", head, Ss.ISCONNECTED);
  k.call("probe_so_newconn", head, Ss.ISCONNECTED);
  k.call("probe_so_newconn", head, 0);
  k.call("so_close", head);
  assertEquals(k.call("probe_seen", Pru.ABORT), 3);
  k.end();
});

Deno.test("an accepted socket has its listener's options and buffer sizes", async () => {
  const k = await Kernel.boot();
  const listener = k.socket();
  k.setopt(listener, Sol.SOCKET, So.RCVBUF, 30_000);
  k.setopt(listener, Sol.SOCKET, So.KEEPALIVE, 1);
  k.setopt(listener, Sol.SOCKET, So.LINGER, 1, 9);
  k.bind(listener, "127.0.0.1", 4000);
  k.call("so_listen", listener, 5);
  const client = k.socket();
  k.connect(client, "127.0.0.1", 4000);
  k.settle();
  const server = k.accept(listener);
  assertEquals(k.getopt(server, Sol.SOCKET, So.RCVBUF), 30_000);
  assertEquals(k.getopt(server, Sol.SOCKET, So.KEEPALIVE), 1);
  assertEquals(k.getopt(server, Sol.SOCKET, So.ACCEPTCONN), 0);
  assertEquals(k.field(server, "linger_s"), 9);
  k.end(client, server, listener);
});

Deno.test("a TCP connection reset before accept", async () => {
  const k = await Kernel.boot();
  const listener = k.socket();
  k.bind(listener, "127.0.0.1", 4000);
  k.call("so_listen", listener, 5);
  const client = k.socket();
  k.connect(client, "127.0.0.1", 4000);
  k.settle();
  k.setopt(client, Sol.SOCKET, So.LINGER, 1, 0);
  k.call("so_close", client);
  k.settle();
  assertEquals(k.accept(listener), -Errno.ECONNABORTED);
  k.end(listener);
});
