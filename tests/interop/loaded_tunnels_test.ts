/** Runs the cases of cases/loaded_tunnels.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/loaded_tunnels.ts";
import { interop } from "./kit/group.ts";

interop(group);
