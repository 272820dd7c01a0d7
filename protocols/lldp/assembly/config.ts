/**
 * What the program has set, as bytes: interval, hold, capabilities (16 bits each, little-endian),
 * the lengths of three texts, and these: chassis ID, system name, system description.
 */
const HEAD: u32 = 9;
const BYTES_MAX: u32 = HEAD + 3 * 255;
const CONFIG: usize = memory.data(HEAD + 3 * 255, 4);

/** Takes the configuration; what is too long traps. */
export function set(from: usize, length: u32): void {
  assert(length >= HEAD && length <= BYTES_MAX);
  memory.copy(CONFIG, from, length);
  assert(HEAD + chassisLength() + nameLength() + descriptionLength() == length);
}

/** msgTxInterval: seconds between announcements. */
export function interval_s(): u32 {
  return load<u16>(CONFIG);
}

/** msgTxHold: how many intervals an announcement is good for. */
export function hold(): u32 {
  return load<u16>(CONFIG, 2);
}

/** What the system can do (IEEE 802.1AB-2016 table 8-4). */
export function capabilities(): u32 {
  return load<u16>(CONFIG, 4);
}

/** Chassis ID; of length 0 if it is to be a hardware address. */
export function chassis(): usize {
  return CONFIG + HEAD;
}

export function chassisLength(): u32 {
  return load<u8>(CONFIG, 6);
}

/** System name. */
export function name(): usize {
  return chassis() + chassisLength();
}

export function nameLength(): u32 {
  return load<u8>(CONFIG, 7);
}

/** System description. */
export function description(): usize {
  return name() + nameLength();
}

export function descriptionLength(): u32 {
  return load<u8>(CONFIG, 8);
}
