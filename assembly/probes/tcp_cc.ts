/** Lets tests drive congestion control with a Tcb of their own. */
export {
  acked as probe_cc_acked,
  ecn as probe_cc_ecn,
  idle as probe_cc_idle,
  init as probe_cc_init,
  reduce as probe_cc_reduce,
  sample as probe_cc_sample,
  select as probe_cc_select,
  start as probe_cc_start,
  timeout as probe_cc_timeout,
  undo as probe_cc_undo,
} from "../tcp/cc";
export { cbrt as probe_cubic_cbrt } from "../tcp/cc_cubic";
export { init as probe_tcp_settings_init } from "../tcp/settings";
