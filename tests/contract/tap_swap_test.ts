/** Drivers under interfaces with open connections are exchanged, with devices of the kernel. */

import { inNamespace } from "./in_namespace.ts";

inNamespace("swap: from pipe to TAP and back", "./tap_swap_child.ts", [], { tap: true });
