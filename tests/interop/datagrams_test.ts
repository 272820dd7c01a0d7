/** Runs the cases of cases/datagrams.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/datagrams.ts";
import { interop } from "./kit/group.ts";

interop(group);
