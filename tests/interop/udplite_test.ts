/** Runs the cases of cases/udplite.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/udplite.ts";
import { interop } from "./kit/group.ts";

interop(group);
