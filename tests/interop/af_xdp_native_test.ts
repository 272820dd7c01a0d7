/** Runs the cases of cases/af_xdp_native.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/af_xdp_native.ts";
import { interop } from "./kit/group.ts";

interop(group);
