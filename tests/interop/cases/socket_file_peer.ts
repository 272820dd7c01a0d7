/**
 * A stack in a process of its own, on a socket file: `socket_file_peer.ts listen|connect FILE`. It
 * serves as many bytes as it is asked for on port 7, and does what its standard input says, a line
 * each: `fetch BYTES` asks the other stack for so many, `look` tells of the driver. Answers are
 * lines of JSON; the process ends with its standard input.
 */

import { createHash } from "node:crypto";
import { StreamDriver } from "../../../drivers/stream.ts";
import { Content } from "../../../examples/start/content.ts";
import { createStack, IpProto, So, SocketError, Sol, type TcpConn, TcpOpt } from "../../../mod.ts";
import { linesOf } from "../kit/lines.ts";

const PORT = 7;
const SEED = 77;
/** How a peer that is gone is noticed soon, also by who has nothing to send. */
const VIGILANCE: readonly [level: number, name: number, value: number][] = [
  [Sol.SOCKET, So.KEEPALIVE, 1],
  [IpProto.TCP, TcpOpt.KEEPIDLE, 1],
  [IpProto.TCP, TcpOpt.KEEPINTVL, 1],
  [IpProto.TCP, TcpOpt.USER_TIMEOUT, 1500],
];

const [side, path] = Deno.args;
const [own, other] = side === "listen" ? ["10.0.0.1", "10.0.0.2"] : ["10.0.0.2", "10.0.0.1"];
const driver = new StreamDriver(side === "listen" ? { listen: { path } } : { connect: { path } }, {
  reconnect: { first_ms: 20, most_ms: 100 },
});
const stack = await createStack({
  interfaces: [{ driver, addresses: [`${own}/24`] }],
});

function say(what: unknown): void {
  console.log(JSON.stringify(what));
}

function words(error: unknown): string {
  return error instanceof SocketError ? error.code : String(error);
}

/** Sends as many bytes as it is asked for. */
async function answer(conn: TcpConn): Promise<void> {
  using held = conn;
  const question = new Uint8Array(8);
  for (let got = 0; got < 8;) got += (await held.read(question.subarray(got))) ?? Infinity;
  const content = new Content(new DataView(question.buffer).getFloat64(0), SEED);
  while (content.done < content.length) {
    const block = content.next();
    for (let at = 0; at < block.length;) at += await held.write(block.subarray(at));
  }
  await held.closeWrite();
}

async function serve(): Promise<void> {
  using listener = stack.listen({ port: PORT });
  for await (const conn of listener) {
    answer(conn).catch((error) => say({ served: words(error) }));
  }
}

/** Asks for bytes; tells when the first have come, and what came in all. */
async function fetchBytes(bytes: number): Promise<void> {
  let length = 0;
  const hash = createHash("sha256");
  try {
    using conn = await stack.connect({ hostname: other, port: PORT });
    for (const [level, name, value] of VIGILANCE) stack.sys.setsockopt(conn.fd, level, name, value);
    const question = new Uint8Array(8);
    new DataView(question.buffer).setFloat64(0, bytes);
    await conn.write(question);
    const buffer = new Uint8Array(1 << 18);
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      if (length === 0) say({ begun: true });
      length += n;
      hash.update(buffer.subarray(0, n));
    }
    say({ length, sha256: hash.digest("hex") });
  } catch (error) {
    say({ fetched: words(error) });
  }
}

serve();
say({ ready: driver.connected });
for await (const line of linesOf(Deno.stdin.readable)) {
  const [command, argument] = line.split(" ");
  if (command === "fetch") fetchBytes(Number(argument));
  else {
    const { reason } = stack.drivers.list()[0];
    const { rxDropped, rxInvalid, txNoPeer, reconnects } = driver.stats;
    say({ connected: driver.connected, reason, rxDropped, rxInvalid, txNoPeer, reconnects });
  }
}
await stack.close();
Deno.exit(0);
