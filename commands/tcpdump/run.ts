/**
 * The tcpdump command over frames from anywhere: lines, objects, counts, or a copy.
 *
 * @module
 */

import {
  type CapturedFrame,
  type CaptureReader,
  type CaptureWriter,
  openCapture,
  PcapngWriter,
  PcapWriter,
} from "../../drivers/capture.ts";
import {
  compileFilter,
  FilterError,
  FilterLinktype,
  formatAssembly,
  formatC,
  formatDecimal,
} from "../../filter/mod.ts";
import { FramePrinter } from "../decode/mod.ts";
import { parseArguments, type TcpdumpOptions, UsageError } from "./options.ts";

/** What the command needs of the machine that it runs on. */
export interface TcpdumpHost {
  /** All bytes of a file; `-` is the standard input. */
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Makes a file, and writes to it; `-` is the standard output. */
  create(path: string): Promise<(bytes: Uint8Array<ArrayBuffer>) => void>;
  /** Text for the standard output. */
  out(text: string): void;
  /** Text for the standard error output. */
  err(text: string): void;
}

/** Runs the command; returns its exit status. */
export async function tcpdump(args: readonly string[], host: TcpdumpHost): Promise<number> {
  try {
    await run(parseArguments(args), host);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      if (error.status === 0) host.out(error.message + "\n");
      else host.err(`${error.message}\n`);
      return error.status;
    }
    host.err(`tcpdump: ${error instanceof Error ? error.message : error}\n`);
    if (error instanceof FilterError) host.err(`${error.picture}\n`);
    return 1;
  }
}

async function run(options: TcpdumpOptions, host: TcpdumpHost): Promise<void> {
  const expression = options.filterFile === undefined
    ? options.expression
    : new TextDecoder().decode(await host.read(options.filterFile)).trim();
  const filter = expression === "" ? undefined : expression;
  if (options.read === undefined) {
    if (options.program > 0) return host.out(programText(expression, options.program));
    throw new UsageError("error: a capture file is wanted: -r FILE (see --help)", 1);
  }
  const reader = openCapture(await host.read(options.read), { filter });
  if (options.program > 0) {
    return host.out(programText(expression, options.program, reader.interfaces[0]?.linktype));
  }
  if (options.write === undefined) printFrames(reader, options, (text) => host.out(text));
  else await copyFrames(reader, options.write, options, host);
}

function programText(
  expression: string,
  style: number,
  linktype: number = FilterLinktype.ETHERNET,
): string {
  const program = compileFilter(expression, { linktype });
  if (style === 1) return formatAssembly(program);
  return style === 2 ? formatC(program) : formatDecimal(program);
}

/** The frames up to the count, without FCS, each cut to the length wanted. */
function* chosen(
  frames: Iterable<CapturedFrame>,
  { count = Infinity, snaplen = Infinity }: TcpdumpOptions,
): Generator<CapturedFrame> {
  for (const frame of frames) {
    const originalLength = frame.originalLength - frame.fcsLength;
    const data = frame.data.subarray(0, Math.min(snaplen, originalLength));
    yield { ...frame, data, originalLength, fcsLength: 0 };
    if (--count <= 0) return;
  }
}

/** Prints the frames in the form that the options say. */
export function printFrames(
  frames: Iterable<CapturedFrame>,
  options: TcpdumpOptions,
  print: (text: string) => void,
): void {
  const printer = new FramePrinter(options.decode);
  let count = 0;
  for (const frame of chosen(frames, options)) {
    count++;
    if (options.countOnly) continue;
    const line = printer.format(frame);
    print((options.json ? JSON.stringify(record(frame, count, line)) : line) + "\n");
  }
  if (options.countOnly) print(`${count} packet${count === 1 ? "" : "s"}\n`);
}

function record(frame: CapturedFrame, number: number, text: string) {
  return {
    number,
    timestamp_ns: String(frame.timestamp_ns),
    linktype: frame.linktype,
    length: frame.originalLength,
    captured: frame.data.length,
    text,
  };
}

async function copyFrames(
  reader: CaptureReader,
  path: string,
  options: TcpdumpOptions,
  host: TcpdumpHost,
): Promise<void> {
  const sink = await host.create(path);
  const { linktype, snaplen } = reader.interfaces[0] ?? { linktype: 1, snaplen: 0 };
  const settings = snaplen > 0 ? { snaplen: Math.min(snaplen, 262_144) } : {};
  const nanosecond = options.decode.precision === "nano";
  const writer: CaptureWriter = path.endsWith(".pcap")
    ? new PcapWriter(sink, { linktype, nanosecond, ...settings })
    : new PcapngWriter(sink, { nanosecond: true });
  const interfaces: number[] = [];
  for (const frame of chosen(reader, options)) {
    // A pcapng file describes its interfaces as they come.
    for (let i = interfaces.length; i < reader.interfaces.length; i++) {
      interfaces.push(writer.addInterface(reader.interfaces[i]));
    }
    writer.write({ ...frame, interface: interfaces[frame.interface] });
  }
  writer.close();
}
