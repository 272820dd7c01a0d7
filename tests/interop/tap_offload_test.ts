/** Runs the cases of cases/tap_offload.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/tap_offload.ts";
import { interop } from "./kit/group.ts";

interop(group);
