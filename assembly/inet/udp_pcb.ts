/**
 * The control blocks of UDP.
 *
 * @module
 */

import { InpcbInfo } from "./in_pcb_hash";

/** Tables and list of UDP's control blocks. */
export const INFO: InpcbInfo = changetype<InpcbInfo>(memory.data(offsetof<InpcbInfo>(), 16));
