/**
 * Commands for a person, as functions: what netstat, ifconfig, route, arp, ping, traceroute and nc
 * do, on a stack in this process, behind a control socket, or in a snapshot.
 *
 * @module
 */

export {
  capture,
  type CapturedInterface,
  type CaptureEnd,
  type CaptureEvent,
  type CaptureFrame,
  type CaptureOptions,
  type CaptureStart,
} from "./capture.ts";
export { ControlTarget } from "./control_client.ts";
export { type ControlOptions, ControlServer, serveControl } from "./control_server.ts";
export { LocalTarget, openSnapshot } from "./local.ts";
export { monitor, type MonitorLoss } from "./monitor.ts";
export { netcat, type NetcatEvent, type NetcatOptions } from "./netcat.ts";
export {
  ping,
  type PingEvent,
  type PingFailure,
  type PingOptions,
  type PingReply,
  type PingSummary,
} from "./ping.ts";
export { type Params, type RequestContext, RequestError, type Target } from "./request.ts";
export { type TraceProbe, traceroute, type TracerouteOptions } from "./traceroute.ts";
