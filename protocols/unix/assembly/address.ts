/** Names of local sockets as addresses; see assembly/socket/so_local.ts. */
import { Errno } from "../../../assembly/abi/errno";
import { Af, LocalLimit } from "../../../assembly/abi/socket";
import { path } from "../../../assembly/socket/so_local";
import { SockAddr } from "../../../assembly/socket/sockaddr";
import * as names from "./names";
import { S } from "./pcb";
import { UnixName, UnixPcb } from "./pcb_t";

const HEX: i32 = 5;

/** Gives a socket the name that an address says. EINVAL, EADDRINUSE, ENOBUFS. */
export function bind(pcb: UnixPcb, nam: SockAddr): i32 {
  if (pcb.name || !nam || nam.family != u16(Af.UNIX)) return -Errno.EINVAL;
  let len: u32 = nam.port;
  if (len > u32(LocalLimit.PATH)) return -Errno.EINVAL;
  if (len == 0) len = choose();
  else if (names.find(path(), len)) return -Errno.EADDRINUSE;
  const name = names.add(path(), len);
  if (!name) return -Errno.ENOBUFS;
  name.owner = pcb;
  pcb.name = names.ref(name);
  return 0;
}

/** An abstract name of five digits that is free, as Linux gives them; answers its length. */
function choose(): u32 {
  do {
    S.auto = (S.auto + 1) & 0xfffff;
    store<u8>(path(), 0);
    for (let i = 0; i < HEX; i++) {
      const digit = (S.auto >> (4 * (HEX - 1 - i))) & 15;
      store<u8>(path() + 1 + i, u8(digit < 10 ? 48 + digit : 87 + digit));
    }
  } while (names.find(path(), HEX + 1));
  return HEX + 1;
}

/** Fills in an address; nil is a socket without a name. */
export function fill(nam: SockAddr, name: UnixName): void {
  memory.fill(changetype<usize>(nam), 0, offsetof<SockAddr>());
  nam.family = u16(Af.UNIX);
  if (!name) return;
  nam.port = u16(name.len);
  memory.copy(path(), names.bytes(name), name.len);
}

/** What a search has found besides the socket. */
@unmanaged
@final
export class FoundState {
  pcb: UnixPcb;
}

const FOUND: FoundState = changetype<FoundState>(memory.data(offsetof<FoundState>(), 16));

/**
 * Finds the socket that an address names. ENOENT: no such path; ECONNREFUSED: nobody has the name
 * any more, or nobody an abstract one; EPROTOTYPE: it is of another type.
 */
export function find(nam: SockAddr, type: u32): i32 {
  if (nam.family != u16(Af.UNIX)) return -Errno.EAFNOSUPPORT;
  const len: u32 = nam.port;
  if (len == 0 || len > u32(LocalLimit.PATH)) return -Errno.EINVAL;
  const name = names.find(path(), len);
  if (!name) return load<u8>(path()) == 0 ? -Errno.ECONNREFUSED : -Errno.ENOENT;
  if (!name.owner) return -Errno.ECONNREFUSED;
  if (name.owner.so.type != u16(type)) return -Errno.EPROTOTYPE;
  FOUND.pcb = name.owner;
  return 0;
}

/** The socket that was found. */
export function found(): UnixPcb {
  return FOUND.pcb;
}
