/**
 * The arguments of the tcpdump command.
 *
 * @module
 */

import { Command, CommanderError, InvalidArgumentError } from "commander";
import type { DecodeOptions, DumpStyle, TimeStyle } from "../decode/mod.ts";

/** What a run of the command is to do. */
export interface TcpdumpOptions {
  /** Socket file of the stack to listen on. */
  readonly control?: string;
  /** Capture file to read; `-` is the standard input. */
  readonly read?: string;
  /** Interface to listen on, where there is no file to read. */
  readonly interface?: string;
  /** List the interfaces of the stack. */
  readonly list: boolean;
  /** Leave frames that are for others to others. */
  readonly onlyOurs: boolean;
  /** Capture file to write instead of lines; `-` is the standard output. */
  readonly write?: string;
  /** Frames after which to end. */
  readonly count?: number;
  /** Bytes of each frame to keep. */
  readonly snaplen?: number;
  /** A file with the filter's expression. */
  readonly filterFile?: string;
  /** The filter's expression; empty for all frames. */
  readonly expression: string;
  /** Print the filter's program: 1 readable, 2 as C, 3 as numbers. */
  readonly program: number;
  /** Print only how many frames there were. */
  readonly countOnly: boolean;
  /** Print an object for each frame. */
  readonly json: boolean;
  /** What lines say. */
  readonly decode: DecodeOptions;
}

/** Arguments that make no sense, or a wish for help. */
export class UsageError extends Error {
  /** Exit status: 0 if help was asked for. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

const EXAMPLES = `
Examples:
  tcpdump -r trace.pcap                       every frame, a line each
  tcpdump -r trace.pcap -c 10 -vv tcp port 80 the first ten of HTTP, with all fields
  tcpdump -r trace.pcap -X 'icmp or arp'      with the bytes, and as text
  tcpdump -r trace.pcap -w web.pcapng port 80 copy what the filter keeps
  tcpdump -i eth0 -e --control /run/a.sock    an interface of a stack, as it goes
  tcpdump -d 'tcp[13] & 2 != 0'               the program of a filter

Addresses and ports are always numbers. The file to write is pcapng unless its name ends in .pcap.`;

const times = (_value: string, before: number) => before + 1;
const TIMES: readonly TimeStyle[] = [
  "day",
  "none",
  "epoch",
  "since-last",
  "date",
  "since-first",
];

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("A whole number is wanted.");
  return Number(text);
}

function countOfFrames(text: string): number {
  const count = wholeNumber(text);
  if (count > 0) return count;
  throw new InvalidArgumentError("A count above 0 is wanted.");
}

function command(): Command {
  return new Command("tcpdump")
    .description("Prints the frames of a capture file or a stack, as the tcpdump of Unix does.")
    .argument("[expression...]", "which frames, in the language of tcpdump")
    .option("-r, --read <file>", "read frames from a pcap or pcapng file (- for standard input)")
    .option("-i, --interface <name>", "listen on an interface of a stack that runs, or on any")
    .option("-D, --list-interfaces", "list the interfaces of a stack that runs")
    .option("--control <path>", "socket file of the stack; $GODWIT_CONTROL unless told")
    .option("-p, --no-promiscuous-mode", "leave frames for others to others")
    .option("-w, --write <file>", "write frames to a file instead of printing lines")
    .option("-c, --frames <count>", "end after so many frames", countOfFrames)
    .option("-s, --snapshot-length <bytes>", "bytes of each frame to keep", wholeNumber)
    .option("-F, --filter-file <file>", "read the expression from a file")
    .option("-n", "addresses are numbers (they always are)", times, 0)
    .option("-e", "tell the link header")
    .option("-v", "tell more; -vv and -vvv more still", times, 0)
    .option("-q", "tell less")
    .option("-t", "no time; -tt epoch, -ttt since last, -tttt date, -ttttt since first", times, 0)
    .option("-x", "the bytes of the packet; -xx with the link header", times, 0)
    .option("-X", "the bytes and as text; -XX with the link header", times, 0)
    .option("-A", "the bytes as text; -AA with the link header", times, 0)
    .option("-S", "sequence numbers of TCP as they are")
    .option("-K", "leave checksums of IP, TCP and UDP unchecked")
    .option("-#, --number", "number the lines")
    .option("--nano", "nine digits of a second")
    .option("-d", "print the filter's program; -dd as C, -ddd as numbers", times, 0)
    .option("--count", "print only how many frames there are")
    .option("--json", "print an object for each frame")
    .addHelpText("after", EXAMPLES)
    .exitOverride();
}

/** Reads the arguments; `UsageError` for those that make no sense, and for `--help`. */
export function parseArguments(args: readonly string[]): TcpdumpOptions {
  let said = "";
  const parser = command().configureOutput({
    writeOut: (text) => said += text,
    writeErr: (text) => said += text,
  });
  try {
    parser.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new UsageError(said.trimEnd(), error.exitCode);
  }
  const o = parser.opts();
  if (o.t >= TIMES.length) throw new UsageError("error: at most five -t", 1);
  const [dump, dumpLink] = dumpStyle(o.x, o.X, o.A);
  return {
    read: o.read,
    interface: o.interface,
    control: o.control,
    list: o.listInterfaces === true,
    onlyOurs: o.promiscuousMode === false,
    write: o.write,
    count: o.frames,
    snaplen: o.snapshotLength || undefined,
    filterFile: o.filterFile,
    expression: parser.args.join(" "),
    program: o.d,
    countOnly: o.count === true,
    json: o.json === true,
    decode: {
      verbose: o.v,
      quiet: o.q === true,
      link: o.e === true,
      absoluteSequence: o.S === true,
      uncheckedSums: o.K === true,
      numbered: o.number === true,
      time: TIMES[o.t],
      precision: o.nano ? "nano" : "micro",
      dump,
      dumpLink,
    },
  };
}

/** Of several the one that shows most. */
function dumpStyle(hex: number, both: number, text: number): [DumpStyle, boolean] {
  if (both > 0) return ["hex-and-text", both > 1];
  if (hex > 0) return ["hex", hex > 1];
  return text > 0 ? ["text", text > 1] : ["none", false];
}
