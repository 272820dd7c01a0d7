/** Lets tests call the socket layer's parts: socket buffers, addresses, the protocol switch. */
import { Mt } from "../abi/mbuf";
import { Pru } from "../abi/proto";
import { Ss } from "../abi/socket";
import * as domain from "../protocol/domain";
import * as host from "../protocol/host";
import { Protosw } from "../protocol/protosw";
import * as so_event from "../socket/so_event";
import * as so_pool from "../socket/so_pool";
import * as sockbuf from "../socket/sockbuf";
import { Socket } from "../socket/socket_t";
import * as mbuf from "../sys/mbuf";
import { Mbuf } from "../sys/mbuf_t";

export {
  append as probe_sb_append,
  appendAddr as probe_sb_append_addr,
  appendRecord as probe_sb_append_record,
  consistent as probe_sb_consistent,
  drop as probe_sb_drop,
  dropRecord as probe_sb_drop_record,
  flush as probe_sb_flush,
  recordLength as probe_sb_record_length,
  reserve as probe_sb_reserve,
  seek as probe_sb_seek,
  seekOff as probe_sb_seek_off,
  space as probe_sb_space,
} from "../socket/sockbuf";
export {
  copyNormal as probe_sa_copy_normal,
  eq as probe_sa_eq,
  get4 as probe_sa_get4,
  is4 as probe_sa_is4,
  isAny as probe_sa_is_any,
  set4 as probe_sa_set4,
} from "../socket/sockaddr_ops";
export {
  addDomain as probe_dom_add,
  addRow as probe_dom_add_row,
  delDomain as probe_dom_del,
  delRow as probe_dom_del_row,
  find as probe_dom_find,
  findType as probe_dom_find_type,
  inputRow as probe_dom_input_row,
} from "../protocol/domain";
export { newconn as probe_so_newconn } from "../socket/so_event";

/** A chain of mbufs with `len` bytes from `ptr`, `each` in an mbuf; nil without memory. */
export function probe_chain(ptr: usize, len: u32, each: u32): Mbuf {
  let first = changetype<Mbuf>(0);
  let last = first;
  for (let done: u32 = 0; done < len || !first;) {
    const n = min<u32>(each, len - done);
    const m = n > 192 ? mbuf.getcl(Mt.DATA) : mbuf.get(Mt.DATA);
    if (!m) {
      mbuf.freem(first);
      return m;
    }
    memory.copy(m.data, ptr + done, n);
    m.len = n;
    if (last) last.next = m;
    else first = m;
    last = m;
    done += n;
  }
  return first;
}

/** The receive buffer of a socket. */
export function probe_so_rcv(so: Socket): usize {
  return changetype<usize>(so.rcv);
}

/** The send buffer of a socket. */
export function probe_so_snd(so: Socket): usize {
  return changetype<usize>(so.snd);
}

/** How many sockets there are. */
export function probe_so_used(): u32 {
  return so_pool.all().used;
}

/** A row's sockets. */
export function probe_row_sockets(row: Protosw): u32 {
  return row.sockets;
}

/** The index of host.packet, for a row's input entry. */
export function probe_host_input_index(): u32 {
  return host.packet.index;
}

/** How many rows of the protocol switch there are. */
export function probe_rows(): u32 {
  let n: u32 = 0;
  for (let d = domain.first(); d; d = d.next) {
    for (let row = d.rows; row; row = row.next) n++;
  }
  return n;
}

/** How many domains there are. */
export function probe_domains(): u32 {
  let n: u32 = 0;
  for (let d = domain.first(); d; d = d.next) n++;
  return n;
}

/** Hands a packet to the input entry of a row. */
export function probe_row_input(row: Protosw, m: usize, off: u32): void {
  call_indirect<void>(row.input, m, off);
}

/** Makes a row that a test protocol answers: see `record`. */
export function probe_row_recorded(row: Protosw): void {
  row.usrreq = record.index;
  row.ctlinput = recordCtl.index;
}

/** Runs the control input of all rows. */
export function probe_dom_ctlinput(cmd: i32): void {
  domain.ctlinput(cmd, 0);
}

/** Puts the state of a connection forward. */
export function probe_so_is_connected(so: Socket): void {
  so_event.isConnected(so);
}

/** The connection is gone, and the test protocol lets go of the socket. */
export function probe_so_is_disconnected(so: Socket): void {
  so.pcb = 0;
  so_event.isDisconnected(so);
}

/** Appends a chain to a socket's receive buffer and wakes its readers. */
export function probe_so_receive(so: Socket, m: Mbuf): void {
  sockbuf.append(so.rcv, m);
  so_event.rwakeup(so);
}

/** Requests seen by the test protocol: a count for each Pru, then one of control messages. */
const SEEN: usize = memory.data(32 * 4, 16);

/** How often the test protocol saw a request; 31 for control messages. */
export function probe_seen(req: u32): u32 {
  return load<u32>(SEEN + (req & 31) * 4);
}

function count(req: u32): void {
  const at = SEEN + (req & 31) * 4;
  store<u32>(at, load<u32>(at) + 1);
}

/** A protocol that says yes to everything, keeps no data and ends connections at once. */
function record(so: usize, req: i32, m: usize, _nam: usize, _arg: i32): i32 {
  const socket = changetype<Socket>(so);
  count(req);
  mbuf.freem(changetype<Mbuf>(m));
  if (req == Pru.ATTACH) {
    socket.pcb = so;
    if (!socket.rcv.hiwat) {
      sockbuf.reserve(socket.rcv, 8192);
      sockbuf.reserve(socket.snd, 8192);
    }
  }
  if (req == Pru.CONNECT) so_event.isConnecting(socket);
  if (req == Pru.SHUTDOWN) so_event.cantSendMore(socket);
  if (req == Pru.DISCONNECT) socket.state &= ~<u32> Ss.ISCONNECTED;
  if (req == Pru.DETACH || req == Pru.ABORT) {
    socket.pcb = 0;
    so_event.isDisconnected(socket);
  }
  return 0;
}

function recordCtl(_cmd: i32, _quote: usize): void {
  count(31);
}
