/**
 * What the author of a protocol needs: the interface that a protocol implements, and the types of
 * what the stack gives it. See docs/protocols.md.
 *
 * @module
 */

export type { ControlQuote, ProtocolInfo, ProtocolModule, ProtocolSource } from "./module.ts";
export type { ProtoRow, SideModule, UserRequests } from "./module.ts";
export type { InterfaceSetup, IpOptions, Kernel, KernelTimer, UdpPort } from "./kernel.ts";
export type { Receiver } from "./ring.ts";
export { Packet, PacketLedger } from "./packet.ts";
export { Sock } from "./sock.ts";
export { Pr, Prc } from "../../assembly/abi/proto.ts";
