/** Runs the cases of cases/moved.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/moved.ts";
import { interop } from "./kit/group.ts";

interop(group);
