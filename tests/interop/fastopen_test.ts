/** Runs the cases of cases/fastopen.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/fastopen.ts";
import { interop } from "./kit/group.ts";

interop(group);
