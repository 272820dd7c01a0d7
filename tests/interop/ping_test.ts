/** Runs the cases of cases/ping.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/ping.ts";
import { interop } from "./kit/group.ts";

interop(group);
