/** Runs the cases of cases/transfer.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/transfer.ts";
import { interop } from "./kit/group.ts";

interop(group);
