/**
 * What a test against the Linux kernel needs. Elsewhere such a test is skipped, with the reason
 * printed; in CI (`GODWIT_CI=1`, which .ci/run sets) a missing need is a failure.
 *
 * @module
 */

/** What a test needs. */
export interface Needs {
  /** The superuser, on Linux. */
  root?: boolean;
  /** A TUN/TAP device node that can be opened. */
  tap?: boolean;
  /** Network namespaces that may be made. */
  netns?: boolean;
  /** Programs that must be found in PATH. */
  tools?: readonly string[];
}

/** Spread into a test definition, or looked at by itself. */
export interface Requirement {
  /** True if the test cannot run here. */
  readonly ignore: boolean;
  /** Why it cannot; empty if it can. */
  readonly reason: string;
}

/** What of the machine the needs are held against; tests give their own. */
export interface Machine {
  readonly os: string;
  readonly uid: number | null;
  readonly ci: boolean;
  /** True if the file can be opened for reading and writing. */
  canOpen(path: string): boolean;
  /** True if PATH has the program. */
  has(program: string): boolean;
  /** True if the program ends with status 0. */
  succeeds(program: string, args: string[]): boolean;
}

const REAL: Machine = {
  os: Deno.build.os,
  uid: Deno.uid(),
  ci: Deno.env.get("GODWIT_CI") === "1",
  canOpen: (path) => {
    try {
      Deno.openSync(path, { read: true, write: true }).close();
      return true;
    } catch {
      return false;
    }
  },
  has: (program) =>
    (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
      try {
        return Deno.statSync(`${folder}/${program}`).isFile;
      } catch {
        return false;
      }
    }),
  succeeds: (program, args) => {
    try {
      return new Deno.Command(program, { args, stdout: "null", stderr: "null" })
        .outputSync().success;
    } catch {
      return false;
    }
  },
};

/**
 * Tells whether the needs are met here. Prints the reason if not; throws it in CI, so that the file
 * fails as a whole.
 *
 * ```ts ignore
 * const { ignore } = requirements({ root: true, tap: true, tools: ["ip", "curl"] });
 * Deno.test({ name: "curl downloads", ignore, fn: download });
 * ```
 */
export function requirements(needs: Needs, machine: Machine = REAL): Requirement {
  const reason = missing(needs, machine).join("; ");
  if (reason === "") return { ignore: false, reason };
  if (machine.ci) throw new Error(`interop tests must run in CI, but: ${reason}`);
  console.log(`interop test skipped: ${reason}`);
  return { ignore: true, reason };
}

function missing(needs: Needs, machine: Machine): string[] {
  if (machine.os !== "linux") return ["it needs Linux"];
  const reasons: string[] = [];
  const tools = (needs.tools ?? []).filter((tool) => !machine.has(tool));
  if (tools.length > 0) reasons.push(`install ${tools.join(", ")}`);
  if (needs.root && machine.uid !== 0) return [...reasons, "run as root"];
  if (needs.tap && !machine.canOpen("/dev/net/tun")) reasons.push("/dev/net/tun cannot be opened");
  if (needs.netns && !machine.succeeds("unshare", ["--net", "true"])) {
    reasons.push("network namespaces cannot be made");
  }
  return reasons;
}
