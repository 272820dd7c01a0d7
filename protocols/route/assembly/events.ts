/** What the engine tells of routes, interfaces and addresses: messages to all routing sockets. */
import { Rta, Rtf, Rtm, RtMsg } from "../../../assembly/abi/route";
import { PKT } from "../../../assembly/inet/pkt_t";
import { Ifaddr, Ifnet } from "../../../assembly/net/ifnet_t";
import { Rtentry } from "../../../assembly/net/route_t";
import { Socket } from "../../../assembly/socket/socket_t";
import * as listeners from "./listeners";
import * as message from "./message";

/** State of the module. */
@unmanaged
@final
export class EventsState {
  busy: u32; // 1 while a request of a program is done: its answer tells of it
  found: u32; // 1: the request has changed a route, and ROUTE is what it is
}

export const E: EventsState = changetype<EventsState>(memory.data(offsetof<EventsState>(), 16));
/** The route that a request is about, as it was when it was changed. */
export const ROUTE: Rtentry = changetype<Rtentry>(memory.data(offsetof<Rtentry>(), 16));

/** Takes what route_event tells. */
export function heard(type: u32, what: usize): void {
  const isRoute = type <= u32(Rtm.REDIRECT);
  if (isRoute && E.busy) return keep(changetype<Rtentry>(what));
  if (!listeners.any()) return;
  // a route that a redirect brings is told of as that
  if (type == Rtm.ADD && changetype<Rtentry>(what).flags & Rtf.DYNAMIC) return;
  listeners.C.events += 1;
  listeners.tellAll(message.OUT, compose(type, what), changetype<Socket>(0));
}

/** Remembers the route that a request is about. */
export function keep(rt: Rtentry): void {
  memory.copy(changetype<usize>(ROUTE), changetype<usize>(rt), offsetof<Rtentry>());
  E.found = 1;
}

/** Makes the message; its length. */
function compose(type: u32, what: usize): u32 {
  if (type == Rtm.IFINFO) return message.ofInterface(changetype<Ifnet>(what));
  if (type == Rtm.NEWADDR || type == Rtm.DELADDR) {
    return message.ofAddress(type, changetype<Ifaddr>(what));
  }
  message.begin(type);
  if (type == Rtm.MISS) {
    store<u32>(message.OUT, Rtf.DONE, RtMsg.FLAGS);
    return message.finish(message.putMore(message.OUT + RtMsg.SIZE, Rta.DST, u32(what)));
  }
  let p = message.putRoute(changetype<Rtentry>(what), 0);
  if (type == Rtm.REDIRECT) p = message.putMore(p, Rta.AUTHOR, PKT.src4);
  return message.finish(p);
}
