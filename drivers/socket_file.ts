/**
 * Files of Unix sockets. A process that is killed leaves its file behind, and nobody can listen
 * there until it is removed.
 *
 * @module
 */

/** What is used of Deno. */
interface Host {
  lstatSync(path: string): FileInfo;
  removeSync(path: string): void;
  chmodSync(path: string, mode: number): void;
  connect(options: { transport: "unix"; path: string }): Promise<{ close(): void }>;
}

interface FileInfo {
  readonly isSocket: boolean | null;
  readonly dev: number;
  readonly ino: number | null;
  readonly mtime: Date | null;
}

/** Only its owner may connect. */
const OWNER_ONLY = 0o600;

function host(): Host {
  return (globalThis as unknown as { Deno: Host }).Deno;
}

/** The socket file at a path; undefined if there is none, or something else. */
function socketAt(path: string): FileInfo | undefined {
  try {
    const info = host().lstatSync(path);
    return info.isSocket ? info : undefined;
  } catch {
    return undefined;
  }
}

/** True if both are one file. Numbers are given out again, so the time has to be the same too. */
function same(one: FileInfo, other: FileInfo): boolean {
  return one.dev === other.dev && one.ino === other.ino &&
    one.mtime?.getTime() === other.mtime?.getTime();
}

/**
 * Removes a socket file that nobody has open any more, of whatever kind of socket; answers whether
 * there is a use in binding again. What is no socket stays, and so does what somebody listens on.
 */
export async function removeStaleFile(path: string): Promise<boolean> {
  const before = socketAt(path);
  if (before === undefined) return false;
  try {
    (await host().connect({ transport: "unix", path })).close();
    return false;
  } catch (error) {
    const { name, code } = error as { name?: string; code?: string };
    // Other errors tell of a socket that is there: it has no room, or is not for streams.
    if (name !== "ConnectionRefused" && code !== "ECONNREFUSED") return false;
  }
  // Another process may have asked the same, and listens there by now.
  const now = socketAt(path);
  if (now === undefined) return true;
  if (!same(before, now)) return false;
  try {
    host().removeSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Says who may connect to a socket file: its owner alone unless told. */
export function permit(path: string, mode: number = OWNER_ONLY): void {
  host().chmodSync(path, mode);
}
