/** Runs the cases of cases/commands.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/commands.ts";
import { interop } from "./kit/group.ts";

interop(group);
