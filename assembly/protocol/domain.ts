/**
 * Domains and the protocol switch: which protocols there are, by family, type and number. Rows are
 * added and taken away while the stack runs (AIX's add_domain_af and del_domain_af), by the engine
 * at boot and by the runtime for protocols it loads.
 *
 * @module
 */

import { Errno } from "../abi/errno";
import { IpProto, Pr } from "../abi/proto";
import { Af, Sock } from "../abi/socket";
import * as arena from "../sys/arena";
import * as pool from "../sys/pool";
import { Pool } from "../sys/pool";
import { Protosw } from "./protosw";

/** A communication domain: the protocols of one address family. */
@unmanaged
@final
export class Domain {
  next: Domain;
  rows: Protosw; // its protocols, in the order they were added
  family: u32; // Af
  slot: u32; // the module that added it, 0 for the engine itself
}

const DOMAINS_MAX: u32 = 16;
const ROWS_MAX: u32 = 128;

@unmanaged
@final
export class DomainState {
  first: Domain; // in the order they were added
  inputs: usize; // for IPv4: row by protocol number, 256 references
}

const S: DomainState = changetype<DomainState>(memory.data(offsetof<DomainState>(), 16));
const domains: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const rows: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));

/** Makes room for domains and rows; called once at boot. False when the memory is too small. */
export function init(): bool {
  S.inputs = arena.alloc(256 * sizeof<usize>(), 16);
  return pool.init(domains, <u32> offsetof<Domain>(), DOMAINS_MAX) &&
    pool.init(rows, <u32> offsetof<Protosw>(), ROWS_MAX) && S.inputs != 0;
}

/** The first domain, nil if there is none. */
export function first(): Domain {
  return S.first;
}

/** The domain of a family; nil when the family is not configured. */
export function ofFamily(family: u32): Domain {
  let d = S.first;
  while (d && d.family != family) d = d.next;
  return d;
}

/** Configures a family. EEXIST when it is there already, EINVAL for family 0, ENOBUFS. */
export function addDomain(family: u32): i32 {
  if (family == Af.UNSPEC || family > 0xffff) return -Errno.EINVAL;
  if (ofFamily(family)) return -Errno.EEXIST;
  const d = changetype<Domain>(pool.get(domains));
  if (!d) return -Errno.ENOBUFS;
  d.family = family;
  d.slot = arena.owner();
  if (!S.first) S.first = d;
  else {
    let last = S.first;
    while (last.next) last = last.next;
    last.next = d;
  }
  return 0;
}

/** Takes a family away with its rows. EBUSY while a row has sockets, ENOENT if it is not there. */
export function delDomain(family: u32): i32 {
  const d = ofFamily(family);
  if (!d) return -Errno.ENOENT;
  for (let row = d.rows; row; row = row.next) {
    if (row.sockets) return -Errno.EBUSY;
  }
  while (d.rows) delRow(d.rows);
  if (S.first == d) S.first = d.next;
  else {
    let before = S.first;
    while (before.next != d) before = before.next;
    before.next = d.next;
  }
  pool.put(domains, changetype<usize>(d));
  return 0;
}

/** Takes the domains away that a module has added and whose rows are gone; answers how many. */
export function delDomainsOf(slot: u32): u32 {
  let found: u32 = 0;
  for (let d = S.first; d;) {
    const next = d.next;
    if (d.slot == slot && !d.rows && delDomain(d.family) == 0) found++;
    d = next;
  }
  return found;
}

/**
 * Adds a protocol behind those its domain has; the caller fills in the entries. Nil when the family
 * is not configured, when another row has this type and protocol, when the flags contradict each
 * other (ADDR needs ATOMIC and excludes CONNREQUIRED), or when there is no room.
 */
export function addRow(family: u32, type: u32, protocol: u32, flags: u32): Protosw {
  const d = ofFamily(family);
  if (!d) return changetype<Protosw>(0);
  if (flags & Pr.ADDR && (flags & (Pr.ATOMIC | Pr.CONNREQUIRED)) != Pr.ATOMIC) {
    return changetype<Protosw>(0);
  }
  let last = changetype<Protosw>(0);
  for (let row = d.rows; row; row = row.next) {
    if (row.type == type && row.protocol == protocol) return changetype<Protosw>(0);
    last = row;
  }
  const row = changetype<Protosw>(pool.get(rows));
  if (!row) return row;
  row.family = <u16> family;
  row.type = <u16> type;
  row.protocol = <u16> protocol;
  row.flags = <u16> flags;
  row.slot = arena.owner();
  if (last) last.next = row;
  else d.rows = row;
  return row;
}

/** Takes a protocol away. EBUSY while it has sockets, ENOENT if it is not there. */
export function delRow(row: Protosw): i32 {
  const d = ofFamily(row.family);
  if (!d) return -Errno.ENOENT;
  let before = changetype<Protosw>(0);
  let at = d.rows;
  while (at && at != row) {
    before = at;
    at = at.next;
  }
  if (!at) return -Errno.ENOENT;
  if (row.sockets) return -Errno.EBUSY;
  if (before) before.next = row.next;
  else d.rows = row.next;
  if (row.family == Af.INET && row.protocol < 256) {
    const place = S.inputs + row.protocol * sizeof<usize>();
    if (load<usize>(place) == changetype<usize>(row)) store<usize>(place, 0);
  }
  pool.put(rows, changetype<usize>(row));
  return 0;
}

/**
 * The row for sockets of a protocol and type: the exact pair, else for SOCK_RAW the wildcard, else
 * nil (BSD's pffindproto). Rows without user requests have no sockets and are passed over.
 */
export function find(family: u32, protocol: u32, type: u32): Protosw {
  const d = ofFamily(family);
  if (!d) return changetype<Protosw>(0);
  let wildcard = changetype<Protosw>(0);
  for (let row = d.rows; row; row = row.next) {
    if (row.type != type || !row.usrreq) continue;
    if (row.protocol == protocol) return row;
    if (type == Sock.RAW && row.protocol == 0) wildcard = row;
  }
  return wildcard;
}

/** The first row for sockets of a type, nil if there is none (BSD's pffindtype). */
export function findType(family: u32, type: u32): Protosw {
  const d = ofFamily(family);
  if (!d) return changetype<Protosw>(0);
  let row = d.rows;
  while (row && !(row.type == type && row.usrreq)) row = row.next;
  return row;
}

/** Whether a family has a protocol with this number, whatever the type of its sockets. */
export function hasProtocol(family: u32, protocol: u32): bool {
  const d = ofFamily(family);
  if (!d) return false;
  for (let row = d.rows; row; row = row.next) {
    if (row.protocol == protocol && row.usrreq) return true;
  }
  return false;
}

/** The row that takes IPv4 packets of a protocol number; nil if none has an input entry. */
export function inputRow(protocol: u32): Protosw {
  const place = S.inputs + (protocol & 255) * sizeof<usize>();
  const known = load<Protosw>(place);
  if (known) return known;
  return protocol == IpProto.IP ? known : learnInput(protocol, place);
}

/** Finds an input row and remembers it: entries are filled in after a row is added. */
function learnInput(protocol: u32, place: usize): Protosw {
  const d = ofFamily(Af.INET);
  if (!d) return changetype<Protosw>(0);
  for (let row = d.rows; row; row = row.next) {
    if (row.protocol != protocol || !row.input) continue;
    store<usize>(place, changetype<usize>(row));
    return row;
  }
  return changetype<Protosw>(0);
}

/** Tells every protocol of every domain what lower layers report (BSD's pfctlinput). */
export function ctlinput(cmd: i32, quote: usize): void {
  for (let d = S.first; d; d = d.next) {
    for (let row = d.rows; row; row = row.next) {
      if (row.ctlinput) call_indirect<void>(row.ctlinput, cmd, quote);
    }
  }
}

/** Asks every protocol to free what is not vital; memory is short. */
export function drain(): void {
  for (let d = S.first; d; d = d.next) {
    for (let row = d.rows; row; row = row.next) {
      if (row.drain) call_indirect<void>(row.drain);
    }
  }
}

/** Runs the 200 ms entries. */
export function fasttimo(): void {
  for (let d = S.first; d; d = d.next) {
    for (let row = d.rows; row; row = row.next) {
      if (row.fasttimo) call_indirect<void>(row.fasttimo);
    }
  }
}

/** Runs the 500 ms entries. */
export function slowtimo(): void {
  for (let d = S.first; d; d = d.next) {
    for (let row = d.rows; row; row = row.next) {
      if (row.slowtimo) call_indirect<void>(row.slowtimo);
    }
  }
}
