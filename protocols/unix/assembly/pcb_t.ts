/** What the module keeps of a socket, and what hangs at that. */
import { Socket } from "../../../assembly/socket/socket_t";
import { Mbuf } from "../../../assembly/sys/mbuf_t";

/** One socket. */
@unmanaged
@final
export class UnixPcb {
  came: u64; // bytes of a stream, or messages, that were sent to it since it was made
  taken: u64; // of messages, those that the user has taken
  next: UnixPcb;
  prev: UnixPcb;
  so: Socket;
  name: UnixName; // its own, nil for none
  peer_name: UnixName; // that of the peer when it connected, nil for none
  peer: UnixPcb; // connected with
  blocker: UnixPcb; // who had no room for what was sent last
  needs: u32; // bytes that it must have room for
  blocked: u32; // how many have this one for their blocker
  held: Mbuf; // pieces of a stream that wait, joined by nextpkt; see held.ts
  held_last: Mbuf;
  held_len: u32; // bytes in them
  held_storage: u32; // bytes that they take
  rights: Rights; // what came with data that the user has not taken, in order
  rights_last: Rights;
  pid: i32; // its credentials
  uid: i32;
  gid: i32;
  peer_pid: i32; // those of the peer when it connected
  peer_uid: i32;
  peer_gid: i32;
  mark: u8; // for the collector: 1 reached, 2 looked into
  creds: bool; // wants the credentials of senders
  known: bool; // peer_pid and the others are set
}

/** A name that is bound, or was: its bytes follow, LocalLimit.PATH at most. */
@unmanaged
@final
export class UnixName {
  next: UnixName; // of the same hash
  owner: UnixPcb; // who is bound to it; nil once that is closed
  refs: u32; // blocks that refer to it
  len: u32;
  linked: bool; // it can be found
}

/** What came along with data: sockets, credentials, or both. */
@unmanaged
@final
export class Rights {
  at: u64; // number of the byte or message that it came with, from 0
  next: Rights;
  m: Mbuf; // the addresses of the sockets, nil for none
  count: u32; // how many
  pid: i32;
  uid: i32;
  gid: i32;
  creds: bool; // the three are set
}

/** A socket that messages hold. */
@unmanaged
@final
export class Flight {
  next: Flight; // of the same hash, or of those to be closed
  so: usize;
  count: u32; // how many times it is held
}
