/**
 * Messages to a routing socket.
 *
 * @module
 */

import { Rta, Rtf, Rtm, RtMsg, RtmVersion, Rtv } from "../../assembly/abi/route.ts";
import { Af } from "../../assembly/abi/socket.ts";
import { addressBytes, invalid, maskBytes } from "./text.ts";

/** A request about a route. */
export interface RouteRequestMessage {
  /** `Rtm.ADD`, `DELETE`, `CHANGE` or `GET`. */
  readonly type: Rtm;
  /**
   * A network `10.0.0.0/8`, a host `10.0.0.1`, or `default`. For `GET` a host is any address: the
   * answer is the route that packets to it take; a network asks for the route to just that.
   */
  readonly destination: string;
  /** Next hop. */
  readonly gateway?: string;
  /** Name or index of the interface. */
  readonly interface?: string | number;
  /** `Rtf` bits beside those that follow from the rest, such as `Rtf.REJECT`. */
  readonly flags?: number;
  /** Bytes of the largest packet along it. */
  readonly mtu?: number;
  /** Metric: of two routes to one network that with the lower one is used. */
  readonly metric?: number;
  /** Whether the answer is to name the interface and the source address. */
  readonly verbose?: boolean;
  /** Number of the program, for whoever sees the answer; the stack has none. */
  readonly pid?: number;
  /** Number of the request, which the answer bears. */
  readonly seq?: number;
}

const IN_LENGTH = 16;
const DL_DATA = 8;
const DL_LENGTH = 20;

/** The bytes of a request; `SocketError` EINVAL for what no message can say. */
export function encodeMessage(request: RouteRequestMessage): Uint8Array<ArrayBuffer> {
  const addresses = addressesOf(request);
  const bits = addresses.reduce((sum, [bit]) => sum | bit, 0);
  const length = addresses.reduce((sum, [, bytes]) => sum + bytes.length, RtMsg.SIZE as number);
  const message = new Uint8Array(length);
  const view = new DataView(message.buffer);
  const u32 = (at: number, value: number) => view.setUint32(at, value, true);
  view.setUint16(RtMsg.LENGTH, length, true);
  message[RtMsg.VERSION] = RtmVersion.NOW;
  message[RtMsg.TYPE] = request.type;
  const isHost = !isNetwork(request.destination);
  const gateway = request.gateway === undefined ? 0 : Rtf.GATEWAY;
  u32(RtMsg.FLAGS, Rtf.UP | gateway | (isHost ? Rtf.HOST : 0) | (request.flags ?? 0));
  u32(RtMsg.ADDRS, bits);
  u32(RtMsg.PID, request.pid ?? 0);
  u32(RtMsg.SEQ, request.seq ?? 0);
  const { mtu, metric } = request;
  u32(RtMsg.INITS, (mtu === undefined ? 0 : Rtv.MTU) | (metric === undefined ? 0 : Rtv.HOPCOUNT));
  u32(RtMsg.MTU, mtu ?? 0);
  u32(RtMsg.HOPCOUNT, metric ?? 0);
  let at: number = RtMsg.SIZE;
  for (const [, bytes] of addresses) {
    message.set(bytes, at);
    at += bytes.length;
  }
  return message;
}

function isNetwork(destination: string): boolean {
  return destination === "default" || destination.includes("/");
}

/** The addresses, in the order of their bits. */
function addressesOf(request: RouteRequestMessage): [Rta, Uint8Array][] {
  const { destination, gateway, verbose } = request;
  const [net, bits] = destination === "default" ? ["0.0.0.0", "0"] : destination.split("/");
  const addresses: [Rta, Uint8Array][] = [[Rta.DST, inet(addressBytes(net))]];
  if (gateway !== undefined) addresses.push([Rta.GATEWAY, inet(addressBytes(gateway))]);
  if (bits !== undefined) {
    if (!/^\d+$/.test(bits)) throw invalid(`"${destination}" is no network`);
    addresses.push([Rta.NETMASK, inet(maskBytes(Number(bits)))]);
  }
  if (request.interface !== undefined) addresses.push([Rta.IFP, link(request.interface)]);
  else if (verbose) addresses.push([Rta.IFP, link(0)]);
  if (verbose) addresses.push([Rta.IFA, inet(new Uint8Array(4))]);
  return addresses;
}

/** A sockaddr_in. */
function inet(address: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(IN_LENGTH);
  bytes[0] = IN_LENGTH;
  bytes[1] = Af.INET;
  bytes.set(address, 4);
  return bytes;
}

/** A sockaddr_dl, with its bytes up to a multiple of four. */
function link(which: string | number): Uint8Array {
  const name = new TextEncoder().encode(typeof which === "string" ? which : "");
  if (name.length > 15) throw invalid(`"${which}" is no name of an interface`);
  const length = Math.max(DL_LENGTH, DL_DATA + name.length);
  const bytes = new Uint8Array(Math.ceil(length / 4) * 4);
  bytes[0] = length;
  bytes[1] = Af.LINK;
  if (typeof which === "number") new DataView(bytes.buffer).setUint16(2, which, true);
  bytes[5] = name.length;
  bytes.set(name, DL_DATA);
  return bytes;
}
