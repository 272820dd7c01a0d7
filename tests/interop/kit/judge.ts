/**
 * What tshark says about a capture: a second opinion on every frame of a run, by a program that
 * shares nothing with the stack.
 *
 * @module
 */

/** An expert error that a run may show, and why. */
export interface Allowed {
  /** Text that the message of the error contains. */
  readonly message: string;
  /** The only address that may send such a frame; anybody unless told. */
  readonly from?: string;
  /** Why it is right to see it; for the reader of the test. */
  readonly reason: string;
}

/** A frame that tshark does not like. */
export interface Fault {
  /** Number of the frame in the file, from 1. */
  readonly frame: number;
  /** Its protocols, and who sent it. */
  readonly summary: string;
  /** Its complaints: errors, and whatever it says of checksums. */
  readonly messages: readonly string[];
}

/**
 * Checksums are verified, and what is carried over TCP and UDP is data: test data that looks like
 * some protocol would be found malformed.
 */
const OPTIONS = [
  ...["ip", "tcp", "udp"].flatMap((protocol) => ["-o", `${protocol}.check_checksum:TRUE`]),
  ...["-o", "tcp.desegment_tcp_streams:FALSE", "-o", "tcp.try_heuristic_first:FALSE"],
  ...["-o", "udp.try_heuristic_first:FALSE"],
  ...["-d", "tcp.port==1-65535,data"],
];

/** Severity of an expert message that is an error (Wireshark's PI_ERROR). */
const SEVERITY_ERROR = 8388608;

/** Group of the expert messages about checksums (Wireshark's PI_CHECKSUM): not all are errors. */
const GROUP_CHECKSUM = 16777216;

const FIELDS = [
  ...["frame.number", "ip.src", "frame.protocols"],
  ...["_ws.expert.severity", "_ws.expert.group", "_ws.expert.message"],
];

const FAULTY = [
  "_ws.malformed",
  ...["ip", "tcp", "udp", "icmp", "igmp"].map((protocol) => `${protocol}.checksum.status == 0`),
  `_ws.expert.severity == ${SEVERITY_ERROR}`,
].join(" || ");

/** Between the values of a field that occurs several times in a frame. */
const AGGREGATOR = "|";

/** Longest that tshark may take, in milliseconds. */
const TSHARK_MS_MAX = 300_000;

/**
 * Runs tshark over a capture; answers a list of values for each frame that the filter selects.
 * `decode` is the rule for what is in UDP.
 */
export async function tshark(
  path: string,
  filter: string,
  fields: readonly string[],
  decode = "udp.port==1-65535,data",
): Promise<string[][]> {
  const args = [...OPTIONS, "-d", decode, "-n", "-r", path, "-Y", filter, "-T", "fields"];
  args.push("-E", "separator=/t", "-E", `aggregator=${AGGREGATOR}`);
  for (const field of fields) args.push("-e", field);
  const { code, stdout, stderr } = await new Deno.Command("tshark", {
    args,
    stdin: "null",
    signal: AbortSignal.timeout(TSHARK_MS_MAX),
  }).output();
  const text = new TextDecoder();
  if (code !== 0) throw new Error(`tshark ended with ${code}: ${text.decode(stderr)}`);
  const lines = text.decode(stdout).split("\n").filter((line) => line !== "");
  return lines.map((line) => line.split("\t"));
}

/** How many frames of a capture a display filter selects. */
export async function countFrames(
  path: string,
  filter: string,
  decode?: string,
): Promise<number> {
  return (await tshark(path, filter, ["frame.number"], decode)).length;
}

/** Frames that are malformed, have a wrong checksum, or an error that is not allowed. */
export async function findFaults(
  path: string,
  allowed: readonly Allowed[] = [],
  decode?: string,
): Promise<Fault[]> {
  const faults: Fault[] = [];
  const found = await tshark(path, FAULTY, FIELDS, decode);
  for (const [number, sources, protocols, ...expert] of found) {
    // An ICMP error has the addresses of the packet that it quotes, too.
    const [from] = sources.split(AGGREGATOR);
    const [severities, groups, texts] = expert.map((values) => values.split(AGGREGATOR));
    const messages = (texts ?? []).filter((_, i) =>
      Number(severities[i]) === SEVERITY_ERROR || Number(groups[i]) === GROUP_CHECKSUM
    );
    const excused = messages.length > 0 &&
      messages.every((message) =>
        allowed.some((one) => message.includes(one.message) && (one.from ?? from) === from)
      );
    if (!excused) {
      faults.push({ frame: Number(number), summary: `${protocols} from ${from}`, messages });
    }
  }
  return faults;
}

/** Throws, with the first faults in words, if tshark finds any; a capture of nothing is one. */
export async function judge(
  path: string,
  allowed: readonly Allowed[] = [],
  decode?: string,
): Promise<void> {
  const faults = await findFaults(path, allowed, decode);
  if (faults.length > 0) {
    const lines = faults.slice(0, 20).map(({ frame, summary, messages }) =>
      `  frame ${frame}: ${summary} [${messages.join("; ")}]`
    );
    throw new Error(`${faults.length} frames of ${path} are faulty:\n${lines.join("\n")}`);
  }
  if (await countFrames(path, "frame.number == 1") === 0) throw new Error(`${path} has no frame`);
}
