/**
 * Datagram sockets of the host, by whichever of its interfaces is there. Measured on Linux with
 * frames of 1400 bytes, `Deno.listenDatagram` takes 6.0 µs of CPU to send and 3.7 µs to receive
 * one, `node:dgram` in Deno 10.8 µs and more than twice as much for the round; but the first hides
 * behind `--unstable-net`, and only it has socket files.
 *
 * @module
 */

import { Errno } from "../assembly/abi/errno.ts";
import { SocketError } from "../runtime/errors.ts";
import { fromHostError } from "./host_error.ts";
import { removeStaleFile } from "./socket_file.ts";

/** Where datagrams go to and come from: an IP address and port, or a socket file. */
export type TunnelAddress =
  | { readonly hostname: string; readonly port: number }
  | { readonly path: string };

/** Which interface of the host is used. */
export type DatagramApi = "deno" | "node";

/** Whom a socket tells. */
export interface DatagramEvents {
  /** A datagram came; `port` is 0 for a socket file. The bytes are only valid during the call. */
  received(bytes: Uint8Array<ArrayBuffer>, host: string, port: number): void;
  /** The socket can receive no more. */
  failed(error: unknown): void;
}

/** A bound datagram socket. */
export interface DatagramSocket {
  /** Where it is bound. */
  readonly address: TunnelAddress;
  /** Sends a datagram, which must stay as it is until the promise is settled. */
  send(bytes: Uint8Array<ArrayBuffer>): Promise<unknown>;
  /** Says where `send` sends to. */
  aim(to: TunnelAddress): void;
  /** Closes the socket; nobody is told any more. */
  close(): Promise<void>;
}

/** What is used of Deno.DatagramConn. */
interface DenoDatagrams {
  readonly addr: unknown;
  receive(into: Uint8Array): Promise<[Uint8Array<ArrayBuffer>, Partial<DenoAddress>]>;
  send(bytes: Uint8Array, to: DenoAddress): Promise<number>;
  close(): void;
  ref?(): void;
  unref?(): void;
}

interface DenoAddress {
  transport: string;
  hostname: string;
  port: number;
  path: string;
}

type ListenDatagram = (options: Record<string, unknown>) => DenoDatagrams;

/**
 * Deno answers "Busy" to who sends on a socket file that somebody receives on, so datagrams leave
 * from a second file with this behind its name, which is taken for the first where they arrive.
 */
const SENDING_FILE = ".tx";

/** Errors that tell of one datagram, not of the socket: an ICMP message, as Windows reports it. */
const PASSING = /^(ConnectionReset|ConnectionRefused)$/;

/** The interfaces that this host has, the better one first. */
export function datagramApis(): DatagramApi[] {
  const node = typeof (globalThis as { process?: unknown }).process === "object";
  return [...(listenDatagram() ? ["deno" as const] : []), ...(node ? ["node" as const] : [])];
}

/**
 * Binds a socket.
 *
 * @param bytesMax longest datagram that is to be told from a longer one
 * @throws SocketError EADDRINUSE, EADDRNOTAVAIL, EACCES, or EOPNOTSUPP where the host has none
 */
export async function openDatagramSocket(
  local: TunnelAddress,
  bytesMax: number,
  events: DatagramEvents,
  api: DatagramApi | undefined,
): Promise<DatagramSocket> {
  const has = datagramApis();
  const chosen = api ?? has[0];
  if (chosen === undefined || !has.includes(chosen) || "path" in local && chosen === "node") {
    throw new SocketError(Errno.EOPNOTSUPP, "bind", missingWords(local));
  }
  try {
    if (chosen === "node" && !("path" in local)) return await NodeSocket.open(local, events);
    const open = () => new DenoSocket(local, bytesMax, events);
    return "path" in local ? await openFiles(local.path, open) : open();
  } catch (error) {
    throw fromHostError(error, "bind", `binding ${addressWords(local)} failed`);
  }
}

/** An address as text. */
export function addressWords(address: TunnelAddress): string {
  if ("path" in address) return address.path;
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function missingWords(local: TunnelAddress): string {
  if ("path" in local) return "datagrams over a socket file need Deno with --unstable-net";
  return "this host has no datagram sockets: Deno has with --unstable-net, or as node:dgram";
}

function listenDatagram(): ListenDatagram | undefined {
  const { Deno } = globalThis as unknown as { Deno?: { listenDatagram?: ListenDatagram } };
  return Deno?.listenDatagram;
}

class DenoSocket implements DatagramSocket {
  readonly address: TunnelAddress;
  readonly #conn: DenoDatagrams;
  readonly #sender: DenoDatagrams;
  readonly #done: Promise<void>;
  #to: DenoAddress | undefined = undefined;
  #closed = false;

  constructor(local: TunnelAddress, bytesMax: number, events: DatagramEvents) {
    const transport = "path" in local ? "unixpacket" : "udp";
    this.#conn = listenDatagram()!({ transport, ...local });
    this.#conn.unref?.();
    this.#sender = "path" in local ? this.#openSender(local.path) : this.#conn;
    this.address = this.#conn.addr as TunnelAddress;
    this.#done = this.#receive(bytesMax, events);
  }

  aim(to: TunnelAddress): void {
    const transport = "path" in to ? "unixpacket" : "udp";
    this.#to = { transport, ...to } as DenoAddress;
  }

  send(bytes: Uint8Array<ArrayBuffer>): Promise<unknown> {
    return this.#sender.send(bytes, this.#to!);
  }

  async close(): Promise<void> {
    this.#closed = true;
    // What is awaited here must keep the process until it has come.
    this.#conn.ref?.();
    this.#conn.close();
    if ("path" in this.address) {
      this.#sender.close();
      for (const end of ["", SENDING_FILE]) removeFile(this.address.path + end);
    }
    await this.#done;
  }

  #openSender(path: string): DenoDatagrams {
    try {
      return listenDatagram()!({ transport: "unixpacket", path: path + SENDING_FILE });
    } catch (error) {
      this.#conn.close();
      removeFile(path);
      throw error;
    }
  }

  /** One buffer serves all datagrams; the host makes a view and an address for each. */
  async #receive(bytesMax: number, events: DatagramEvents): Promise<void> {
    // One byte more than the longest: the host cuts a longer datagram without a word.
    const buffer = new Uint8Array(bytesMax + 1);
    while (!this.#closed) {
      try {
        const [bytes, from] = await this.#conn.receive(buffer);
        if (this.#closed) return;
        const host = from.hostname ?? fileOf(from.path ?? "");
        events.received(bytes, host, from.port ?? 0);
      } catch (error) {
        if (this.#closed) return;
        if (PASSING.test((error as Error).name)) continue;
        return events.failed(error);
      }
    }
  }
}

/** Opens; once more if files that nobody uses were in the way. */
async function openFiles<T>(path: string, open: () => T): Promise<T> {
  try {
    return open();
  } catch (error) {
    if ((error as Error).name !== "AddrInUse") throw error;
    let removed = 0;
    for (const end of ["", SENDING_FILE]) if (await removeStaleFile(path + end)) removed++;
    if (removed === 0) throw error;
    return open();
  }
}

/** The file that answers are to go to. */
function fileOf(path: string): string {
  return path.endsWith(SENDING_FILE) ? path.slice(0, -SENDING_FILE.length) : path;
}

/** Deno leaves the file of a closed datagram socket behind. */
function removeFile(path: string): void {
  const { removeSync } = (globalThis as { Deno?: { removeSync?(path: string): void } }).Deno ?? {};
  try {
    removeSync?.(path);
  } catch {
    // Somebody else has removed it.
  }
}

type NodeDgram = typeof import("node:dgram");

class NodeSocket implements DatagramSocket {
  readonly address: TunnelAddress;
  readonly #socket: ReturnType<NodeDgram["createSocket"]>;
  #host = "";
  #port = 0;
  #closed = false;

  private constructor(socket: ReturnType<NodeDgram["createSocket"]>, events: DatagramEvents) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.address = { hostname: address, port };
    socket.on("message", (bytes, from) => {
      if (!this.#closed) events.received(bytes as Uint8Array<ArrayBuffer>, from.address, from.port);
    });
    socket.on("error", (error) => {
      if (!this.#closed && !PASSING.test(error.name)) events.failed(error);
    });
  }

  static async open(
    local: { readonly hostname: string; readonly port: number },
    events: DatagramEvents,
  ): Promise<NodeSocket> {
    const { createSocket } = await import("node:dgram");
    const socket = createSocket(local.hostname.includes(":") ? "udp6" : "udp4");
    // Deno heeds this only before the socket is bound.
    socket.unref();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once("error", reject);
    socket.bind(local.port, local.hostname, resolve);
    try {
      await promise;
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.off("error", reject);
    return new NodeSocket(socket, events);
  }

  aim(to: TunnelAddress): void {
    if ("path" in to) return;
    this.#host = to.hostname;
    this.#port = to.port;
  }

  send(bytes: Uint8Array<ArrayBuffer>): Promise<unknown> {
    return new Promise<void>((resolve, reject) => {
      this.#socket.send(bytes, 0, bytes.length, this.#port, this.#host, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
