/** Runs the cases of cases/multicast.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/multicast.ts";
import { interop } from "./kit/group.ts";

interop(group);
