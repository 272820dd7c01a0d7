/** Runs the cases of cases/neighbours.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/neighbours.ts";
import { interop } from "./kit/group.ts";

interop(group);
