/**
 * What the author of a protocol needs: the interface that a protocol implements, and the types of
 * what the stack gives it. See docs/protocols.md.
 *
 * @module
 */

export type {
  AnyModule,
  ControlQuote,
  ProtocolInfo,
  ProtocolModule,
  ProtocolSource,
} from "./module.ts";
export type { ProtoRow, SideModule, UntrustedModule, UserRequests } from "./module.ts";
export type { InterfaceSetup, Kernel, KernelTimer } from "./kernel.ts";
export type { KernelInterface } from "./interfaces.ts";
export type { IpOptions, IpRoute } from "./ip_sender.ts";
export type { UdpPort } from "./udp_port.ts";
export type { Receiver } from "./ring.ts";
export { Packet } from "./packet.ts";
export { PacketLedger } from "./packet_ledger.ts";
export { Sock } from "./sock.ts";
export { formatIpv4, parseIpv4 } from "../socket/inet_addr.ts";
export { Pr, Prc } from "../../assembly/abi/proto.ts";
