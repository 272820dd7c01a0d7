/** Programs of worker_test.ts: what each does is what it was given as data. */

import { Af, Sock } from "../../../assembly/abi/socket.ts";
import { SocketError } from "../../../runtime/errors.ts";
import { program, type StackClient } from "../../../runtime/process/client.ts";

const self = globalThis as unknown as Pick<Worker, "postMessage"> & { close(): void };
const { stack, data } = await program();
const { blocking, sys } = stack;
const here = { address: "127.0.0.1", port: 7 };

const ROLES: Record<string, (stack: StackClient) => unknown> = {
  /** Echoes one connection after the other, with calls that block. */
  server() {
    const listener = blocking.socket(Af.INET, Sock.STREAM);
    blocking.bind(listener, here);
    blocking.listen(listener);
    self.postMessage("ready");
    const buffer = new Uint8Array(100_000);
    for (;;) {
      const { fd } = blocking.accept(listener);
      for (let n = blocking.recv(fd, buffer); n > 0; n = blocking.recv(fd, buffer)) {
        blocking.send(fd, buffer.subarray(0, n));
      }
      blocking.close(fd);
    }
  },
  /** Sends a long message and gets it back, with both forms of the calls. */
  async client() {
    const message = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 255);
    const back = new Uint8Array(message.length);
    for (let round = 0; round < 3; round++) {
      const fd = blocking.socket(Af.INET, Sock.STREAM);
      blocking.connect(fd, here);
      const sent = sys.send(fd, message);
      for (let got = 0; got < back.length;) got += await sys.recv(fd, back.subarray(got));
      if (await sent !== message.length) throw new Error("not all was sent");
      if (back.some((byte, i) => byte !== message[i])) throw new Error("other bytes came back");
      for (let i = 0; i < 100; i++) {
        blocking.send(fd, Uint8Array.of(i));
        if (blocking.recv(fd, back) !== 1 || back[0] !== i) throw new Error("not what was sent");
      }
      blocking.close(fd);
    }
    stack.close();
    self.postMessage("done");
  },
  /** Opens a socket and waits in a call that blocks, which only the end of the program ends. */
  blocked() {
    const fd = bound();
    self.postMessage("ready");
    try {
      blocking.recv(fd, new Uint8Array(10));
    } catch (error) {
      self.postMessage(error instanceof SocketError ? error.code : `${error}`);
    }
  },
  /** The same in a promise. */
  waiting() {
    const fd = bound();
    const received = sys.recv(fd, new Uint8Array(10)).catch((error) => error.code);
    received.then((words) => self.postMessage(words));
    self.postMessage("ready");
  },
  /** Fails while it has a socket. */
  failing() {
    bound();
    setTimeout(() => {
      throw new Error("as asked for");
    });
    self.postMessage("ready");
  },
  /** Ends itself while it has a socket. */
  ending() {
    bound();
    self.postMessage("ready");
    self.close();
  },
};

/** A socket that is bound. */
function bound(): number {
  const fd = blocking.socket(Af.INET, Sock.DGRAM);
  blocking.bind(fd, { address: "127.0.0.1", port: 0 });
  return fd;
}

await ROLES[data as string](stack);
