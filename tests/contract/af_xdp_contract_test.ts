/**
 * Runs the contract cases over AF_XDP sockets, in a network namespace made for it.
 */

import { inNamespace } from "./in_namespace.ts";

inNamespace("af_xdp: the contract, in a network namespace", "./af_xdp_child.ts");
