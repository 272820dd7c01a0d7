/**
 * What a line says of a frame, as with the switches of tcpdump.
 *
 * @module
 */

/** How the time of a frame is written; in brackets tcpdump's switch. */
export type TimeStyle =
  /** Hours, minutes and seconds of the local day. */
  | "day"
  /** Nothing (`-t`). */
  | "none"
  /** Seconds since 1970 (`-tt`). */
  | "epoch"
  /** Since the line before (`-ttt`). */
  | "since-last"
  /** Date and time of day (`-tttt`). */
  | "date"
  /** Since the first line (`-ttttt`). */
  | "since-first";

/** Which bytes follow the line. */
export type DumpStyle = "none" | "hex" | "hex-and-text" | "text";

/** How frames are told in lines; what is not given is as with no switch of tcpdump. */
export interface DecodeOptions {
  /** 0 to 3 (`-v`, `-vv`, `-vvv`). */
  readonly verbose?: number;
  /** Say less (`-q`). */
  readonly quiet?: boolean;
  /** Tell the link header (`-e`). */
  readonly link?: boolean;
  /** Tell sequence numbers of TCP as they are, not since the first seen (`-S`). */
  readonly absoluteSequence?: boolean;
  /** Leave checksums unchecked (`-K`). */
  readonly uncheckedSums?: boolean;
  /** Number the lines from 1 (`-#`). */
  readonly numbered?: boolean;
  /** How the time is written; `day` unless told. */
  readonly time?: TimeStyle;
  /** Minutes that local time is ahead of UTC; the machine's for that time unless told. */
  readonly utcOffset_min?: number;
  /** Digits of a second: microseconds unless told. */
  readonly precision?: "micro" | "nano";
  /** The bytes of the packet below its line (`-x`, `-X`, `-A`). */
  readonly dump?: DumpStyle;
  /** Dump the link header as well (`-xx`, `-XX`, `-AA`). */
  readonly dumpLink?: boolean;
}
