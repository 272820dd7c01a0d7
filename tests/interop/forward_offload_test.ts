/** Runs the cases of cases/forward_offload.ts: a router whose devices leave work to it. */

import { group } from "./cases/forward_offload.ts";
import { interop } from "./kit/group.ts";

interop(group);
