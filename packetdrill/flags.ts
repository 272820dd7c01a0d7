/**
 * The control bits of a segment and how scripts write them.
 *
 * @module
 */

/** Bits of the flags field; AE is the lowest bit of the reserved ones (RFC 9768). */
export const FIN = 0x01;
/** SYN. */
export const SYN = 0x02;
/** RST. */
export const RST = 0x04;
/** PSH. */
export const PSH = 0x08;
/** ACK. */
export const ACK = 0x10;
/** URG. */
export const URG = 0x20;
/** ECE. */
export const ECE = 0x40;
/** CWR. */
export const CWR = 0x80;
/** AE. */
export const AE = 0x100;

const LETTERS: readonly (readonly [string, number])[] = [
  ["F", FIN],
  ["S", SYN],
  ["R", RST],
  ["P", PSH],
  ["E", ECE],
  ["W", CWR],
  ["A", AE],
  [".", ACK],
  ["U", URG],
];

/** The three bits ACE stands for: AE, CWR, ECE, highest first. */
function aceBits(ace: number): number {
  return (ace & 4 ? AE : 0) | (ace & 2 ? CWR : 0) | (ace & 1 ? ECE : 0);
}

/** The bits that a word such as `SEW.` or `.5` stands for; undefined if it is none. */
export function parseFlags(text: string): number | undefined {
  if (text === "-") return 0;
  let flags = 0;
  for (const letter of text) {
    const known = LETTERS.find(([name]) => name === letter);
    if (known) flags |= known[1];
    else if (letter >= "1" && letter <= "7") flags |= aceBits(Number(letter));
    else return undefined;
  }
  return text === "" ? undefined : flags;
}

/** The bits as scripts write them; `-` for none. */
export function showFlags(flags: number): string {
  const text = LETTERS.map(([letter, bit]) => flags & bit ? letter : "").join("");
  return text || "-";
}
