/** Runs the cases of cases/forward.ts: the stack as a router between two kernels. */

import { group } from "./cases/forward.ts";
import { interop } from "./kit/group.ts";

interop(group);
