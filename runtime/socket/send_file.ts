/**
 * AIX's send_file: a header, part of a file and a trailer in one call.
 *
 * @module
 */

/** A file as send_file reads it; `Deno.FsFile` is one. */
export interface FileReader {
  /** Reads up to `buffer.length` bytes; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** What send_file sends (struct sf_parms). */
export interface SendFileParams {
  /** Goes before the file. */
  readonly header?: Uint8Array;
  /** The file, read from where it stands. */
  readonly file?: FileReader;
  /** How many bytes of the file; all that is left unless told. */
  readonly file_bytes?: number;
  /** Goes after the file. */
  readonly trailer?: Uint8Array;
}

const CHUNK_BYTES = 65536;

/** Sends through `send`, which answers how many bytes it took; stops early if it takes less. */
export async function sendFile(
  send: (data: Uint8Array) => Promise<number>,
  params: SendFileParams,
): Promise<number> {
  let total = 0;
  const whole = async (data: Uint8Array | undefined): Promise<boolean> => {
    if (data === undefined || data.length === 0) return true;
    const sent = await send(data);
    total += sent;
    return sent === data.length;
  };
  if (!await whole(params.header)) return total;
  let left = params.file === undefined ? 0 : params.file_bytes ?? Infinity;
  const chunk = new Uint8Array(CHUNK_BYTES);
  while (left > 0) {
    const got = await params.file!.read(chunk.subarray(0, Math.min(left, CHUNK_BYTES)));
    if (got === null) break;
    if (!await whole(chunk.subarray(0, got))) return total;
    left -= got;
  }
  await whole(params.trailer);
  return total;
}
