/** Runs the cases of cases/af_packet.ts against the Linux kernel, in a network namespace. */

import { group } from "./cases/af_packet.ts";
import { interop } from "./kit/group.ts";

interop(group);
