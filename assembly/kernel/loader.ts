/**
 * What the loader of protocols asks of the engine: see module.ts, and protocol/host.ts for the
 * entries that queue packets for protocols in the runtime.
 */
export { alloc as module_alloc, busy as module_busy, enter as module_enter } from "./module";
export { held as module_held, leave as module_leave, release as module_release } from "./module";
export { reset as module_reset } from "./module";
export {
  datagram as host_datagram,
  frame as host_frame,
  packet as host_packet,
} from "../protocol/host";
export { queue as host_queue } from "../protocol/host";
export { if_carried } from "./carried";
