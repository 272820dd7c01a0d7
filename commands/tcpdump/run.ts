/**
 * The tcpdump command over frames from anywhere: lines, objects, counts, or a copy.
 *
 * @module
 */

import {
  type CapturedFrame,
  type CaptureInterface,
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
import { Iff } from "../../assembly/abi/ifnet.ts";
import { FramePrinter, type PrintableFrame } from "../decode/mod.ts";
import { parseArguments, type TcpdumpOptions, UsageError } from "./options.ts";

/** A frame of any source. */
export type SourceFrame = Omit<CapturedFrame, "offset"> & Pick<PrintableFrame, "where">;

/** Frames that were filtered already, one after the other. */
export interface FrameSource {
  /** The interfaces met so far, at least the one of the frame just given. */
  readonly interfaces: readonly CaptureInterface[];
  /** The frames; ending them early ends the capture. */
  readonly frames: Iterable<SourceFrame> | AsyncIterable<SourceFrame>;
}

/** What a live source is asked for. */
export interface LiveWish {
  /** Name of the interface; the source chooses unless told. */
  readonly interface?: string;
  /** Expression of the filter; all frames unless told. */
  readonly filter?: string;
  /** Bytes of each frame to keep; all unless told. */
  readonly snaplen?: number;
  /** Leave frames for others to others. */
  readonly onlyOurs: boolean;
  /** Socket file of the stack; the host knows one unless told. */
  readonly control?: string;
}

/** An interface of a stack. */
export interface ListedInterface {
  readonly name: string;
  /** `Iff` bits. */
  readonly flags: number;
}

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
  /** Frames as they come, where a stack is at hand. */
  live?(wish: LiveWish): FrameSource | Promise<FrameSource>;
  /** The interfaces of the stack, where one is at hand. */
  interfaces?(control?: string): Promise<readonly ListedInterface[]>;
  /** What was put out is to be seen now: called for each frame of a live source. */
  flush?(): void;
}

/** Runs the command; returns its exit status. */
export async function tcpdump(args: readonly string[], host: TcpdumpHost): Promise<number> {
  try {
    await run(parseArguments(args), host);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      if (error.status === 0) host.out(error.message + "\n");
      else host.err(`${error.message.replace(/^error: /, "tcpdump: ")}\n`);
      return error.status;
    }
    host.err(`tcpdump: ${error instanceof Error ? error.message : error}\n`);
    if (error instanceof FilterError) host.err(`${error.picture}\n`);
    return 1;
  }
}

async function run(options: TcpdumpOptions, host: TcpdumpHost): Promise<void> {
  if (options.list) return await list(options, host);
  const expression = options.filterFile === undefined
    ? options.expression
    : new TextDecoder().decode(await host.read(options.filterFile)).trim();
  const filter = expression === "" ? undefined : expression;
  if (options.read === undefined && options.program > 0) {
    return host.out(programText(expression, options.program));
  }
  if (options.interface === "any" && options.write?.endsWith(".pcap")) {
    throw new UsageError("error: pcap has one kind of link: write -i any to a .pcapng file", 1);
  }
  const source = await open(options, host, filter);
  if (options.program > 0) {
    return host.out(programText(expression, options.program, source.interfaces[0]?.linktype));
  }
  if (options.write === undefined) {
    const seen = options.read === undefined ? () => host.flush?.() : () => {};
    await printFrames(source, options, (text) => {
      host.out(text);
      seen();
    });
  } else await copyFrames(source, options.write, options, host);
}

/** The interfaces, numbered. */
async function list({ control, json }: TcpdumpOptions, host: TcpdumpHost): Promise<void> {
  if (!host.interfaces) throw new UsageError("error: there is no stack to ask (see --help)", 1);
  (await host.interfaces(control)).forEach(({ name, flags }, i) => {
    const words = [
      ...(flags & Iff.UP ? ["Up"] : []),
      ...(flags & Iff.RUNNING ? ["Running"] : []),
      ...(flags & Iff.LOOPBACK ? ["Loopback"] : []),
    ];
    if (json) host.out(JSON.stringify({ name, flags: words }) + "\n");
    else host.out(`${i + 1}.${name} [${words.join(", ")}]\n`);
  });
}

/** The file that is to be read, or the frames that come. */
async function open(
  options: TcpdumpOptions,
  host: TcpdumpHost,
  filter: string | undefined,
): Promise<FrameSource> {
  if (options.read !== undefined) {
    const reader = openCapture(await host.read(options.read), { filter });
    return {
      frames: reader,
      get interfaces() {
        return reader.interfaces;
      },
    };
  }
  if (!host.live) {
    throw new UsageError("error: a capture file is wanted: -r FILE (see --help)", 1);
  }
  const { interface: name, snaplen, onlyOurs, control } = options;
  return await host.live({ interface: name, filter, snaplen, onlyOurs, ...control && { control } });
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
async function* chosen(
  frames: FrameSource["frames"],
  { count = Infinity, snaplen = Infinity }: TcpdumpOptions,
): AsyncGenerator<SourceFrame> {
  for await (const frame of frames) {
    const originalLength = frame.originalLength - frame.fcsLength;
    const data = frame.data.subarray(0, Math.min(snaplen, originalLength));
    yield { ...frame, data, originalLength, fcsLength: 0 };
    if (--count <= 0) return;
  }
}

/** Prints the frames in the form that the options say. */
export async function printFrames(
  { frames, interfaces }: FrameSource,
  options: TcpdumpOptions,
  print: (text: string) => void,
): Promise<void> {
  const printer = new FramePrinter(options.decode);
  let count = 0;
  for await (const frame of chosen(frames, options)) {
    count++;
    if (options.countOnly) continue;
    const line = printer.format(frame);
    const passed = frame.where ? { interface: interfaces[frame.interface].name } : {};
    const told = { ...record(frame, count, line), ...passed };
    print((options.json ? JSON.stringify(told) : line) + "\n");
  }
  if (options.countOnly) print(`${count} packet${count === 1 ? "" : "s"}\n`);
}

function record(frame: SourceFrame, number: number, text: string) {
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
  source: FrameSource,
  path: string,
  options: TcpdumpOptions,
  host: TcpdumpHost,
): Promise<void> {
  const sink = await host.create(path);
  const { linktype, snaplen } = source.interfaces[0] ?? { linktype: 1, snaplen: 0 };
  const settings = snaplen > 0 ? { snaplen: Math.min(snaplen, 262_144) } : {};
  const nanosecond = options.decode.precision === "nano";
  const writer: CaptureWriter = path.endsWith(".pcap")
    ? new PcapWriter(sink, { linktype, nanosecond, ...settings })
    : new PcapngWriter(sink, { nanosecond: true });
  const interfaces: number[] = [];
  try {
    for await (const frame of chosen(source.frames, options)) {
      // A pcapng file describes its interfaces as they come.
      for (let i = interfaces.length; i < source.interfaces.length; i++) {
        interfaces.push(writer.addInterface(source.interfaces[i]));
      }
      writer.write({ ...frame, interface: interfaces[frame.interface] });
    }
  } finally {
    // what came before a fault is a good file
    writer.close();
  }
}
