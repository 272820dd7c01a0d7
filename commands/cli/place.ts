/**
 * Where the stack is that a command is for.
 *
 * @module
 */

/** The socket file: the one given, else that of the environment; an Error if there is none. */
export function controlPath(given: string | undefined): string {
  const runtime = Deno.env.get("XDG_RUNTIME_DIR");
  const usual = runtime ? `${runtime}/godwit.sock` : undefined;
  const path = given ?? (Deno.env.get("GODWIT_CONTROL") || usual);
  if (path) return path;
  throw new Error("which stack? give --control PATH, or set GODWIT_CONTROL");
}

/** The bytes of a file; an Error that names it, in the usual words, if it cannot be read. */
export async function readFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw fileError(path, error);
  }
}

/** What is wrong with a file, in the usual words. */
export function fileError(path: string, error: unknown): Error {
  const { message } = error as Error;
  return new Error(`${path}: ${message.replace(/ \(os error.*/, "")}`, { cause: error });
}
