/** The control-block tables of TCP, at a fixed place. */
import { InpcbInfo } from "../inet/in_pcb";

export const INFO: InpcbInfo = changetype<InpcbInfo>(
  memory.data(offsetof<InpcbInfo>(), 16),
);
