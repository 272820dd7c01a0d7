/**
 * Where the stack is that a command is for.
 *
 * @module
 */

/** The socket file: the one given, else that of the environment; an Error if there is none. */
export function controlPath(given: string | undefined): string {
  const runtime = Deno.env.get("XDG_RUNTIME_DIR");
  const usual = runtime ? `${runtime}/godwit.sock` : undefined;
  const path = given ?? Deno.env.get("GODWIT_CONTROL") ?? usual;
  if (path !== undefined) return path;
  throw new Error("which stack? give --control PATH, or set GODWIT_CONTROL");
}
