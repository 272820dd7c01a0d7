/**
 * Godwit: a network stack for Deno, in user space. A program gives it a driver, and gets the socket
 * calls of a kernel, or connections in the shape of Deno's.
 *
 * ```ts
 * import { createStack } from "@godwit/godwit";
 *
 * await using stack = await createStack();
 * using listener = stack.listen({ port: 7 });
 * using client = await stack.connect({ port: 7 });
 * using server = await listener.accept();
 * await client.write(new TextEncoder().encode("hello"));
 * const buffer = new Uint8Array(16);
 * console.log(await server.read(buffer)); // 5
 * ```
 *
 * @module
 */

export { createStack, Stack } from "./runtime/stack.ts";
export type { AttachOptions, InterfaceOptions, StackOptions } from "./runtime/stack_options.ts";
export { SnapshotError } from "./runtime/snapshot.ts";
export { type Clock, ManualClock, RealClock } from "./runtime/clock.ts";
export { type Entropy, SeededEntropy, SystemEntropy } from "./runtime/entropy.ts";
export { EnginePanic, errnoName, errnoNote, EWOULDBLOCK, SocketError } from "./runtime/errors.ts";
export { Engine, type EngineOptions, type MemoryOptions } from "./runtime/engine.ts";
export type { EngineCalls } from "./runtime/engine_calls.ts";

export type { DriverCaps, FrameBatch, Ifnet, Medium, NetDriver } from "./runtime/device/driver.ts";
export type { AttachHost, Attachment } from "./runtime/device/attach.ts";

export type {
  Domains,
  ProtocolOption,
  Protocols,
  SavedProtocol,
} from "./runtime/protocol/loader.ts";
export type { Loadable } from "./runtime/protocol/resolve.ts";
export type { ProtocolInfo } from "./runtime/protocol/module.ts";

export type {
  DriverClass,
  DriverExport,
  DriverFactory,
  DriverModule,
  DriverOptions,
  DriverSource,
} from "./runtime/device/load.ts";
export type { LinkOptions } from "./runtime/device/link.ts";
export type { DriverInfo, Drivers, DriversHost, LoadOptions } from "./runtime/stack_drivers.ts";

export type {
  InterfaceReport,
  NeighborReport,
  Netstat,
  PoolReport,
  SocketReport,
} from "./runtime/netstat.ts";
export type { DestinationReport } from "./runtime/netstat_destinations.ts";
export type {
  Route,
  RouteChoice,
  RouteOptions,
  RouteRank,
  Routes,
  RouteWay,
} from "./runtime/route.ts";
export type { Profile, Sysctl, SysctlEntry, SysctlValue } from "./runtime/sysctl.ts";

export type { Listener, StreamListener } from "./runtime/socket/listener.ts";
export type { NetAddr, TcpConn } from "./runtime/socket/conn.ts";
export type { StreamConn } from "./runtime/socket/stream_conn.ts";
export type { UnixAddr, UnixConn, UnixListener, UnixOptions } from "./runtime/socket/unix_conn.ts";
export type { SocketObject } from "./runtime/socket/restore.ts";
export type { SocketHandle } from "./runtime/socket/handle.ts";
export type { Datagram, DatagramConn, MulticastMembership } from "./runtime/socket/datagram.ts";
export type {
  ConnectOptions,
  ConnOf,
  DatagramOptions,
  ListenerOf,
  ListenOptions,
} from "./runtime/socket/network.ts";

export type { Syscalls } from "./runtime/socket/syscalls.ts";
export type { Accepted, NonBlockingCalls, Received } from "./runtime/socket/nonblocking.ts";
export {
  type ControlCalls,
  F_GETFL,
  F_SETFL,
  O_NONBLOCK,
  O_RDWR,
} from "./runtime/socket/control.ts";
export type { ControlMessage, RecvHeader, SendHeader } from "./runtime/socket/message.ts";
export { credsMessage, rightsMessage, rightsOf } from "./runtime/socket/rights.ts";
export { MessageBatch } from "./runtime/socket/message_batch.ts";
export type { IfRequest, IfStatistics, RouteRequest } from "./runtime/socket/ioctl.ts";
export type { Linger, Membership, OptionValue } from "./runtime/socket/options.ts";
export type { TcpInfo } from "./runtime/socket/tcp_info.ts";
export {
  POLLERR,
  type PollFd,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  type SelectResult,
  type SelectSets,
} from "./runtime/socket/select.ts";
export type { FileReader, SendFileParams } from "./runtime/socket/send_file.ts";
export type { SockAddr, SockAddrInit } from "./runtime/socket/sockaddr.ts";
export type { WaitOptions } from "./runtime/socket/so_wait.ts";

export { Errno } from "./assembly/abi/errno.ts";
export { Fate } from "./assembly/abi/fate.ts";
export { Iff, Sioc } from "./assembly/abi/ifnet.ts";
export { IpProto } from "./assembly/abi/proto.ts";
export { Rtf } from "./assembly/abi/route.ts";
export {
  Af,
  IpOpt,
  LocalOpt,
  Msg,
  Pmtud,
  Scm,
  Shut,
  So,
  Sock,
  Sol,
  TcpOpt,
} from "./assembly/abi/socket.ts";
export { Stat } from "./assembly/abi/stat.ts";
export { Cc, TcpState } from "./assembly/abi/tcp.ts";
