/**
 * Lines of JSON over a connection: what goes through a control socket.
 *
 * @module
 */

/** A line is longer than anybody should send. */
export class LineTooLong extends Error {
  /** `LineTooLong` */
  override readonly name = "LineTooLong";
}

/** What is used of a connection. */
export interface ByteStream {
  /** Reads some bytes; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some bytes. */
  write(bytes: Uint8Array): Promise<number>;
}

const CHUNK_BYTES = 65_536;
/** The only field of an object that stands for bytes. */
const BYTES = "$base64";

/** A value as a line. Bytes become `{"$base64":"..."}`, numbers that JSON has not become null. */
export function encodeLine(value: unknown): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(value, (_key, part) => {
    return part instanceof Uint8Array ? { [BYTES]: part.toBase64() } : part;
  });
  return new TextEncoder().encode(text + "\n");
}

/** The value of a line; `SyntaxError` if it is none. */
export function decodeLine(text: string): unknown {
  return JSON.parse(text, (_key, part) => {
    const base64 = typeof part === "object" && part !== null ? part[BYTES] : undefined;
    return typeof base64 === "string" ? Uint8Array.fromBase64(base64) : part;
  });
}

/** Writes a value as a line. */
export async function writeLine(stream: ByteStream, value: unknown): Promise<void> {
  const bytes = encodeLine(value);
  for (let at = 0; at < bytes.length;) at += await stream.write(bytes.subarray(at));
}

/** The values of the lines that come, to the end; `LineTooLong`, `SyntaxError`. */
export async function* readLines(
  stream: ByteStream,
  limit_bytes: number,
): AsyncGenerator<unknown, void> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  let pieces: Uint8Array[] = [];
  let held = 0;
  for (;;) {
    const got = await stream.read(buffer);
    if (got === null) return;
    let begin = 0;
    for (let end; (end = buffer.subarray(0, got).indexOf(10, begin)) >= 0; begin = end + 1) {
      pieces.push(buffer.slice(begin, end));
      const text = await new Blob(pieces as Uint8Array<ArrayBuffer>[]).text();
      pieces = [];
      held = 0;
      if (text !== "") yield decodeLine(text);
    }
    if (begin === got) continue;
    pieces.push(buffer.slice(begin, got));
    held += got - begin;
    if (held > limit_bytes) throw new LineTooLong(`a line has more than ${limit_bytes} bytes`);
  }
}
