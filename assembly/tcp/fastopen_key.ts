/**
 * The server's cookies (RFC 7413 4.1.2): SipHash of both addresses under a key. A second key is
 * still good while the first has replaced it (4.1.2, rotation).
 */
import { PKT } from "../inet/pkt_t";
import * as rand from "../sys/rand";
import { FoQueue } from "./fastopen_t";
import { G } from "./seg";

/** Keys of the whole stack. */
@unmanaged
@final
export class FastopenKeyState {
  key_0: u64;
  key_1: u64;
  key_2: u64;
  key_3: u64;
  keys: u32; // how many, 0: none was needed yet
}

const S: FastopenKeyState = changetype<FastopenKeyState>(
  memory.data(offsetof<FastopenKeyState>(), 16),
);
const COOKIE: usize = memory.data(16, 16);

/** Bytes of our cookies. */
export const COOKIE_LEN: u32 = 8;
/** Bytes of a key. */
export const KEY_LEN: u32 = 16;

/** The stack's keys: 16 or 32 bytes at `ptr`. False if `len` is neither. */
export function setStack(ptr: usize, len: u32): bool {
  if (len != KEY_LEN && len != 2 * KEY_LEN) return false;
  memory.copy(changetype<usize>(S), ptr, len);
  S.keys = len / KEY_LEN;
  return true;
}

/** A listener's own keys. */
export function setOwn(q: FoQueue, ptr: usize, len: u32): bool {
  if (len != KEY_LEN && len != 2 * KEY_LEN) return false;
  memory.copy(changetype<usize>(q) + offsetof<FoQueue>("key_0"), ptr, len);
  q.keys = len / KEY_LEN;
  return true;
}

/** Writes the keys in force for `q`, nil for the stack's, to `ptr`; at most `len` bytes. */
export function get(q: FoQueue, ptr: usize, len: u32): u32 {
  const n = min<u32>(count(q) * KEY_LEN, len);
  memory.copy(ptr, at(q, 0), n);
  return n;
}

function count(q: FoQueue): u32 {
  if (q && q.keys) return q.keys;
  if (S.keys == 0) {
    S.key_0 = rand.secret64();
    S.key_1 = rand.secret64();
    S.keys = 1;
  }
  return S.keys;
}

function at(q: FoQueue, i: u32): usize {
  const own = q ? q.keys != 0 : false;
  const base = own
    ? changetype<usize>(q) + offsetof<FoQueue>("key_0")
    : changetype<usize>(S) + offsetof<FastopenKeyState>("key_0");
  return base + i * KEY_LEN;
}

/** The cookie for the peer at `faddr` with our address `laddr`, under key `i`; valid until next. */
function make(q: FoQueue, i: u32, laddr: usize, faddr: usize): usize {
  const key = at(q, i);
  const addresses = u64(load<u32>(faddr, 12)) | (u64(load<u32>(laddr, 12)) << 32);
  store<u64>(COOKIE, rand.siphashOf(load<u64>(key), load<u64>(key, 8), addresses));
  return COOKIE;
}

/** The cookie of COOKIE_LEN bytes for a peer, under the newest key; valid until the next call. */
export function cookieFor(q: FoQueue, laddr: usize, faddr: usize): usize {
  count(q);
  return make(q, 0, laddr, faddr);
}

/** Is the cookie in G one of ours? 0: no, 1: yes, 2: it was made with the key that is replaced. */
export function check(q: FoQueue): u32 {
  if (G.cookie_len != COOKIE_LEN) return 0;
  const keys = count(q);
  for (let i: u32 = 0; i < keys; i++) {
    if (load<u64>(make(q, i, PKT.dst, PKT.src)) == load<u64>(G.cookie)) return i + 1;
  }
  return 0;
}
