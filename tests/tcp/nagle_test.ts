/** Nagle's algorithm: RFC 9293 3.7.4, RFC 1122 4.2.3.4, RFC 896. */

import { IpProto } from "../../assembly/abi/proto.ts";
import { TcpOpt } from "../../assembly/abi/socket.ts";
import { pattern } from "./harness.ts";
import { established } from "./shake.ts";

Deno.test("RFC 9293 3.7.4: while data is in flight, small data waits and is joined", async () => {
  const c = await established();
  c.write("a");
  c.expect({ seq: 1, data: "a" });
  c.write("b");
  c.write("c");
  c.write("d");
  c.silentFor(100_000);
  c.send({ ack: 2 });
  c.expect({ seq: 2, data: "bcd" });
  c.end();
});

Deno.test("RFC 9293 3.7.4: a full segment never waits", async () => {
  const c = await established();
  c.write("a");
  c.expect({ seq: 1, data: "a" });
  c.write(pattern(2000));
  c.expect({ seq: 2, len: 1460 });
  c.silent();
  c.send({ ack: 1462 });
  c.expect({ flags: "PA", seq: 1462, len: 540 });
  c.end();
});

Deno.test("RFC 9293 3.7.4 (MUST-17): TCP_NODELAY switches it off", async () => {
  const c = await established({ options: [[IpProto.TCP, TcpOpt.NODELAY, 1]] });
  for (const [i, letter] of ["a", "b", "c"].entries()) {
    c.write(letter);
    c.expect({ flags: "PA", seq: 1 + i, data: letter });
  }
  c.end();
});

Deno.test("RFC 9293 3.7.4: setting TCP_NODELAY lets go what was held", async () => {
  const c = await established();
  c.write("a");
  c.expect({ data: "a" });
  c.write("b");
  c.silent();
  c.host.setopt(c.so, IpProto.TCP, TcpOpt.NODELAY, 1);
  c.expect({ seq: 2, data: "b" });
  c.end();
});

Deno.test("RFC 9293 3.7.4: FIN takes the waiting data along", async () => {
  const c = await established();
  c.write("a");
  c.expect({ data: "a" });
  c.write("b");
  c.shutdown(1);
  c.expect({ flags: "FPA", seq: 2, data: "b" });
  c.end();
});

Deno.test("RFC 9293 3.9.1: PSH marks the end of what was written", async () => {
  const c = await established();
  c.write(pattern(2920));
  c.expect({ flags: "A", seq: 1, len: 1460 });
  c.expect({ flags: "PA", seq: 1461, len: 1460 });
  c.end();
});

Deno.test("RFC 9293 A.3: a short segment behind full ones leaves, if that is set", async () => {
  const c = await established({ host: { tcp: { nagle: 1 } } });
  c.write(pattern(2000));
  c.expect({ seq: 1, len: 1460 });
  c.expect({ flags: "PA", seq: 1461, len: 540 });
  c.write("a");
  c.silent(); // a short one is in flight
  c.send({ ack: 1461 });
  c.silent();
  c.write(pattern(1460));
  c.expect({ seq: 2001, len: 1460 });
  c.silent();
  c.send({ ack: 2001 });
  c.expect({ flags: "PA", seq: 3461, len: 1 });
  c.end();
});
