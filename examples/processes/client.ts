/**
 * A client that asks the server in both forms of the calls: blocking its thread, and with promises.
 * A program of main.ts.
 *
 * @module
 */

import { Af, program, Sock } from "../../runtime/process/client.ts";

const { stack, data } = await program();
const { blocking, sys } = stack;
const { port, rounds } = data as { port: number; rounds: number };
const { postMessage } = globalThis as unknown as Pick<Worker, "postMessage">;

const fd = blocking.socket(Af.INET, Sock.STREAM);
blocking.connect(fd, { address: "127.0.0.1", port });
const question = new TextEncoder().encode("hello from another thread");
const answer = new Uint8Array(question.length);

blocking.send(fd, question);
for (let got = 0; got < answer.length;) got += blocking.recv(fd, answer.subarray(got));
const words = new TextDecoder().decode(answer);

let begin = performance.now();
for (let i = 0; i < rounds; i++) {
  blocking.send(fd, answer.subarray(0, 1));
  blocking.recv(fd, answer);
}
const blocked_us = (performance.now() - begin) * 1000 / rounds;

begin = performance.now();
for (let i = 0; i < rounds; i++) {
  await sys.send(fd, answer.subarray(0, 1));
  await sys.recv(fd, answer);
}
const awaited_us = (performance.now() - begin) * 1000 / rounds;

stack.close();
postMessage([
  `client: ${words}`,
  `client: a round trip takes ${blocked_us.toFixed(0)} µs with calls that block, ` +
  `${awaited_us.toFixed(0)} µs with promises`,
].join("\n"));
