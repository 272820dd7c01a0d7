/**
 * The settings that a script begins with: those of the kernel it was written for.
 *
 * @module
 */

import { Sysctl } from "../runtime/sysctl.ts";
import { Unsupported } from "./errors.ts";
import { setSysctl, type SettingsHost, write } from "./settings.ts";
import { LINUX_DEFAULTS } from "./settings_linux.ts";
import type { Fields } from "./settings_t.ts";

/** Which kernel's settings a script's commands name; `none` if it has no such commands. */
export type Kernel = "linux" | "freebsd" | "none";

/** FreeBSD's values where they are not those of the profile `strict`. */
const BSD_DEFAULTS: Fields = {
  // its base stack counts duplicate ACKs and has no tail loss probes
  recovery: 0,
  early_retrans: 0,
  frto: 0,
  abc_l: 2,
  rto_min_us: 30_000,
  rto_slop_us: 200_000,
  syn_linear: 4,
  keep_init_ms: 75_000,
  mss_min: 216,
  rto_max_us: 64_000_000,
  delack_us: 40_000,
  delack_min_us: 40_000,
  delack_max_us: 40_000,
  msl_us: 30_000_000,
  fin_wait_2_us: 600_000_000, // keepcnt * keepintvl
  keep_cnt: 8,
  persist_min_us: 5_000_000,
  synack_retries: 3,
  ecn: 2,
  ecn_fallback: 2,
  fastopen: 0,
  mtu_probing: 0,
  no_metrics_save: 0,
  rcvbuf: 65_536,
  rcvbuf_max: 2_097_152,
  sndbuf: 32_768,
  sndbuf_max: 2_097_152,
};

/** Sets what a kernel has before a script changes it. */
export function beginAs(host: SettingsHost, kernel: Kernel): void {
  if (kernel === "none") return;
  new Sysctl(host.engine).apply(kernel === "linux" ? "linux" : "strict");
  if (kernel === "linux") setLinuxDefaults(host);
  else write(host, BSD_DEFAULTS);
}

/** What `defaults.sh` sets; what the stack does not have of it is left as it is. */
export function setLinuxDefaults(host: SettingsHost): void {
  for (const [key, value] of Object.entries(LINUX_DEFAULTS)) {
    try {
      setSysctl(host, key, value);
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
    }
  }
}
