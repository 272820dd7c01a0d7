/**
 * A server in the manner of the books, with calls that block: one connection after the other, each
 * answered in capitals. A program of main.ts.
 *
 * @module
 */

import { Af, program, So, Sock, Sol } from "../../runtime/process/client.ts";

const { stack: { blocking: sys }, data } = await program();
const { port } = data as { port: number };
const { postMessage } = globalThis as unknown as Pick<Worker, "postMessage">;

const listener = sys.socket(Af.INET, Sock.STREAM);
sys.setsockopt(listener, Sol.SOCKET, So.REUSEADDR, true);
sys.bind(listener, { port });
sys.listen(listener);
postMessage(`server: listening on port ${port}`);

const buffer = new Uint8Array(65_536);
for (;;) {
  const { fd } = sys.accept(listener);
  for (let length = sys.recv(fd, buffer); length > 0; length = sys.recv(fd, buffer)) {
    for (let i = 0; i < length; i++) {
      if (buffer[i] >= 97 && buffer[i] <= 122) buffer[i] -= 32;
    }
    sys.send(fd, buffer.subarray(0, length));
  }
  sys.close(fd);
}
