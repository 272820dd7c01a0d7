/**
 * What a machine needs that boots from the network: a DHCP server with one address to give
 * (RFC 2131), and a web server with one script, both on a stack.
 */

import { Af, type Listener, So, Sock, Sol, type Stack } from "../../../mod.ts";

/** The stack's own address, and the one that is given away. */
export const SERVER = "10.0.0.1";
export const CLIENT = "10.0.0.77";

const BOOTREQUEST = 1;
const BOOTREPLY = 2;
const MAGIC = 0x63825363;
const SERVER_PORT = 67;
const CLIENT_PORT = 68;
const LEASE_S = 3600;
/** Message types, option 53. */
const DISCOVER = 1;
const OFFER = 2;
const REQUEST = 3;
const ACK = 5;

/** Where each part of a message stands. */
const YIADDR = 16;
const SIADDR = 20;
const COOKIE = 236;
const OPTIONS = 240;

function bytesOf(address: string): number[] {
  return address.split(".").map(Number);
}

/** The kind of a request, or 0 for what is none. */
function kindOf(message: Uint8Array): number {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  if (message.length < OPTIONS || message[0] !== BOOTREQUEST) return 0;
  if (view.getUint32(COOKIE) !== MAGIC) return 0;
  for (let at = OPTIONS; at + 1 < message.length && message[at] !== 255;) {
    if (message[at] === 53) return message[at + 2];
    at += message[at] === 0 ? 1 : 2 + message[at + 1];
  }
  return 0;
}

/** The answer to a request: everything as it came, with an address and the way to the script. */
function answer(request: Uint8Array, kind: number, url: string): Uint8Array {
  const head = request.slice(0, OPTIONS);
  head[0] = BOOTREPLY;
  head.set(bytesOf(CLIENT), YIADDR);
  head.set(bytesOf(SERVER), SIADDR);
  const lease = [0, 0, LEASE_S >>> 8, LEASE_S & 255];
  const file = [...new TextEncoder().encode(url)];
  const options: [number, number[]][] = [
    [53, [kind]],
    [54, bytesOf(SERVER)],
    [51, lease],
    [1, [255, 255, 255, 0]],
    [67, file],
    // iPXE's own options; 176 in it is "no-pxedhcp": it need not wait for another server.
    [175, [176, 1, 1]],
  ];
  const tail = options.flatMap(([code, value]) => [code, value.length, ...value]);
  return Uint8Array.from([...head, ...tail, 255]);
}

/** Serves until the stack is closed; `asked` hears of each request. */
export async function serveDhcp(
  { sys }: Stack,
  url: string,
  asked: (kind: number) => void,
): Promise<void> {
  const fd = sys.socket(Af.INET, Sock.DGRAM);
  sys.setsockopt(fd, Sol.SOCKET, So.BROADCAST, true);
  sys.bind(fd, { address: "0.0.0.0", port: SERVER_PORT });
  const buffer = new Uint8Array(2048);
  for (;;) {
    const { length } = await sys.recvfrom(fd, buffer);
    const request = buffer.subarray(0, length);
    const kind = kindOf(request);
    asked(kind);
    if (kind !== DISCOVER && kind !== REQUEST) continue;
    const reply = answer(request, kind === DISCOVER ? OFFER : ACK, url);
    await sys.sendto(fd, reply, 0, { address: "255.255.255.255", port: CLIENT_PORT });
  }
}

/** Serves files by path over HTTP/1.1, one request a connection; `asked` hears of each path. */
export async function serveFiles(
  listener: Listener,
  files: Readonly<Record<string, string>>,
  asked: (path: string) => void,
): Promise<void> {
  for await (const conn of listener) {
    const buffer = new Uint8Array(4096);
    let text = "";
    while (!text.includes("\r\n\r\n")) {
      const count = await conn.read(buffer);
      if (count === null) break;
      text += new TextDecoder().decode(buffer.subarray(0, count));
    }
    const path = /^GET (\S+) /.exec(text)?.[1] ?? "";
    const body = new TextEncoder().encode(files[path] ?? "");
    const status = files[path] === undefined ? "404 Not Found" : "200 OK";
    const head =
      `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    await conn.write(new TextEncoder().encode(head));
    await conn.write(body);
    await conn.closeWrite();
    asked(path);
    while (await conn.read(buffer) !== null);
    conn.close();
  }
}
