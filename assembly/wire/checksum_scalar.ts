/**
 * The Internet checksum without vector instructions: the plain twin of checksum.ts, which gives the
 * same sums. Tests hold the two against each other.
 */

/**
 * Adds the 16-bit words of `len` bytes at `ptr` to `acc`, in the machine's byte order; an odd last
 * byte counts as a word whose other byte is 0. The answer is at most 0x10000.
 */
export function sumScalar(ptr: usize, len: u32, acc: u32): u32 {
  let sum = u64(acc);
  const end = ptr + (len & ~1);
  for (; ptr < end; ptr += 2) sum += load<u16>(ptr);
  if (len & 1) sum += load<u8>(ptr);
  return fold(sum);
}

/** Copies `len` bytes from `src` to `dst`, which must not overlap, and adds them like sumScalar. */
export function copyScalar(dst: usize, src: usize, len: u32, acc: u32): u32 {
  let sum = u64(acc);
  const end = src + (len & ~1);
  for (; src < end; src += 2, dst += 2) {
    const word = load<u16>(src);
    store<u16>(dst, word);
    sum += word;
  }
  if (len & 1) {
    const byte = load<u8>(src);
    store<u8>(dst, byte);
    sum += byte;
  }
  return fold(sum);
}

/** Adds the carries back in: the same one's complement sum, at most 0x10000. */
export function fold(sum: u64): u32 {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
  return u32(sum & 0xffff) + u32(sum >> 16);
}
