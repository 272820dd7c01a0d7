/** Runs the cases of cases/adversity.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/adversity.ts";
import { interop } from "./kit/group.ts";

interop(group);
