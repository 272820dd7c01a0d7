/** Runs the cases of cases/af_packet_plain.ts against the Linux kernel, in a namespace. */

import { group } from "./cases/af_packet_plain.ts";
import { interop } from "./kit/group.ts";

interop(group);
