/**
 * How the programs of this folder tell each other what they measured.
 *
 * @module
 */

/** Begins a line that holds a result. */
export const RESULT = "RESULT ";

/** One transfer. */
export interface Result {
  /** Who sent to whom. */
  readonly way: "stack to kernel" | "kernel to stack" | "kernel to kernel";
  /** Payload that arrived, by the time from the first byte to the last. */
  readonly mbit_s: number;
}

/** Port on which each end sends to whoever connects. */
export const PORT = 9000;

/** Runs ip(8). */
export async function ip(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args }).output();
  if (!success) throw new Error(`ip ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** Has this namespace's kernel forget paths: one transfer must not depend on the one before. */
export async function prepareKernel(): Promise<void> {
  Deno.writeTextFileSync("/proc/sys/net/ipv4/tcp_no_metrics_save", "1");
  await ip("link", "set", "lo", "up");
}

/** A route of the kernel on which it uses the stack's congestion control, whatever its own is. */
export function route(to: string, ...how: string[]): Promise<void> {
  return ip("route", "replace", to, ...how, "congctl", "cubic");
}

/** A connection of the kernel or of the stack. */
export interface Duplex {
  read(buffer: Uint8Array): Promise<number | null>;
  write(data: Uint8Array): Promise<number>;
  closeWrite(): Promise<void> | void;
  close(): void;
}

/** Sends for so long, then closes and waits until the other end has all of it. */
export async function send(conn: Duplex, seconds: number): Promise<void> {
  const chunk = new Uint8Array(65536);
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) await conn.write(chunk);
  await conn.closeWrite();
  while (await conn.read(chunk) !== null);
  conn.close();
}

/** Receives to the end; answers the goodput in Mbit/s. */
export async function receive(conn: Duplex): Promise<number> {
  const buffer = new Uint8Array(262144);
  let [bytes, began] = [0, 0];
  for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
    if (began === 0) began = performance.now();
    bytes += n;
  }
  const elapsed_ms = performance.now() - began;
  conn.close();
  return bytes * 8 / 1000 / elapsed_ms;
}
