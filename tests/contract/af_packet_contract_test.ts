/**
 * Runs the contract cases over AF_PACKET sockets, in a network namespace made for it.
 */

import { inNamespace } from "./in_namespace.ts";

inNamespace("af_packet: the contract, in a network namespace", "./af_packet_child.ts");
