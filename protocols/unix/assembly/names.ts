/**
 * Names of local sockets. A path name stays when its socket is closed, until it is unlinked, as on
 * every system where it is a file; a name that begins with a zero byte is abstract, as on Linux,
 * and goes with its socket. There are no folders: a path is just its bytes.
 */
import { LocalLimit } from "../../../assembly/abi/socket";
import * as pool from "../../../assembly/sys/pool";
import { Pool } from "../../../assembly/sys/pool";
import { limit } from "./pcb";
import { UnixName } from "./pcb_t";

const BUCKETS: u32 = 256;

const POOL: Pool = changetype<Pool>(memory.data(offsetof<Pool>(), 16));
const TABLE: usize = memory.data(1024, 16);

/** Makes the pool; false without memory. */
export function init(): bool {
  return pool.init(POOL, u32(offsetof<UnixName>()) + LocalLimit.PATH, limit() / 2);
}

/** Where the bytes of a name stand. */
export function bytes(name: UnixName): usize {
  return changetype<usize>(name) + offsetof<UnixName>();
}

/** FNV-1a of the bytes: where its bucket is. */
function bucket(path: usize, len: u32): usize {
  let hash: u32 = 2166136261;
  for (let i: u32 = 0; i < len; i++) hash = (hash ^ load<u8>(path + i)) * 16777619;
  return TABLE + ((hash ^ (hash >> 16)) % BUCKETS) * 4;
}

/** The name with these bytes; nil if there is none. */
export function find(path: usize, len: u32): UnixName {
  let name = load<UnixName>(bucket(path, len));
  while (name && !(name.len == len && memory.compare(bytes(name), path, len) == 0)) {
    name = name.next;
  }
  return name;
}

/** Makes a name that is not there yet; nil if there are too many. */
export function add(path: usize, len: u32): UnixName {
  const name = changetype<UnixName>(pool.get(POOL));
  if (!name) return name;
  const at = bucket(path, len);
  name.next = load<UnixName>(at);
  store<usize>(at, changetype<usize>(name));
  name.len = len;
  name.linked = true;
  memory.copy(bytes(name), path, len);
  return name;
}

/** From now on it cannot be found. */
export function unlink(name: UnixName): void {
  if (!name.linked) return;
  const at = bucket(bytes(name), name.len);
  let before = changetype<UnixName>(0);
  let one = load<UnixName>(at);
  while (one != name) {
    before = one;
    one = one.next;
  }
  if (before) before.next = name.next;
  else store<usize>(at, changetype<usize>(name.next));
  name.linked = false;
  tidy(name);
}

/** One more block refers to it. Nil is no name. */
export function ref(name: UnixName): UnixName {
  if (name) name.refs += 1;
  return name;
}

/** One less. */
export function unref(name: UnixName): void {
  if (!name) return;
  name.refs -= 1;
  tidy(name);
}

/** Whether it is abstract. */
export function isAbstract(name: UnixName): bool {
  return load<u8>(bytes(name)) == 0;
}

function tidy(name: UnixName): void {
  if (!name.linked && name.refs == 0) pool.put(POOL, changetype<usize>(name));
}
