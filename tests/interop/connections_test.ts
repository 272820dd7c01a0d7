/** Runs the cases of cases/connections.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/connections.ts";
import { interop } from "./kit/group.ts";

interop(group);
