/** Runs the cases of cases/lldp.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/lldp.ts";
import { interop } from "./kit/group.ts";

interop(group);
