/**
 * Scripts of public suites that contradict the RFCs. They are judged like all others; when one
 * fails, the report says why that is right.
 *
 * @module
 */

/** End of the path, and what is wrong. */
const KNOWN: readonly (readonly [path: string, reason: string])[] = [
  [
    "ts_recent/invalid_ack.pkt",
    "it forbids the ACK that RFC 9293 3.10.7.4 asks for when an ACK is not acceptable",
  ],
];

/** Why a script is wrong; undefined if nothing is known against it. */
export function knownWrong(file: string): string | undefined {
  const path = "/" + file.replaceAll("\\", "/");
  return KNOWN.find(([end]) => path.endsWith("/" + end))?.[1];
}
