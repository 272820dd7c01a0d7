/**
 * TCP (RFC 9293).
 *
 * @module
 */

import { bits, type Dissection, hex, sumWanted } from "./dissection.ts";
import type { FlowView } from "./flows.ts";
import { endsText, type IpPacket, pseudoSum } from "./payload.ts";
import { printTcpOptions } from "./tcp_options.ts";
import { printTcpData } from "./tcp_data.ts";

const HEADER_BYTES = 20;
const FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10, URG = 0x20;
const FLAGS = [
  [FIN, "F"],
  [SYN, "S"],
  [RST, "R"],
  [0x08, "P"],
  [ACK, "."],
  [URG, "U"],
  [0x40, "E"],
  [0x80, "W"],
] as const;

/** Tells a segment of `length` bytes. */
export function printTcp(d: Dissection, packet: IpPacket, at: number, length: number): void {
  d.protocol = "tcp";
  const { src, dst } = packet;
  if (!d.has(at, 4)) {
    d.print(`${src} > ${dst}: [|tcp]`);
    return;
  }
  const [sport, dport] = [d.u16(at), d.u16(at + 2)];
  d.print(endsText(packet, sport, dport));
  if (!d.has(at, HEADER_BYTES)) {
    d.cut();
    return;
  }
  const headerBytes = (d.u8(at + 12) >> 4) * 4;
  if (headerBytes < HEADER_BYTES) {
    const data = length - headerBytes >>> 0;
    d.print(` tcp ${data} [bad hdr length ${headerBytes} - too short, < ${HEADER_BYTES}]`);
    return;
  }
  const tooLong = headerBytes > length
    ? ` [bad hdr length ${headerBytes} - too long, > ${length}]`
    : "";
  if (d.options.quiet) {
    d.print(`tcp ${length - headerBytes >>> 0}${tooLong}`);
    return;
  }
  const flags = d.u8(at + 13);
  d.print(`Flags [${bits(flags, FLAGS, "")}]`);
  const [rawSeq, rawAck] = [d.u32(at + 4), d.u32(at + 8)];
  const view = d.options.absoluteSequence || (flags & ACK) === 0
    ? undefined
    : d.flows.of({ src, dst, sport, dport }, {
      seq: rawSeq,
      ack: rawAck,
      syn: (flags & SYN) !== 0,
    });
  if (tooLong !== "") {
    d.print(tooLong);
    return;
  }
  if (d.verbose > 0 && !packet.fragment) printSum(d, packet, at, length);
  printNumbers(d, { at, flags, dataBytes: length - headerBytes, rawSeq, rawAck }, view);
  if (headerBytes > HEADER_BYTES) {
    if (!printTcpOptions(d, at + HEADER_BYTES, headerBytes - HEADER_BYTES, view)) return;
  }
  d.print(`, length ${length - headerBytes}`);
  if (length > headerBytes) {
    const data = at + headerBytes;
    printTcpData(d, { sport, dport, reset: (flags & RST) !== 0 }, data, length - headerBytes);
  }
}

function printSum(d: Dissection, packet: IpPacket, at: number, length: number): void {
  if (d.options.uncheckedSums || !d.has(at, length)) return;
  const there = d.u16(at + 16);
  const sum = d.sum(at, length, pseudoSum(d, packet, length));
  d.print(`, cksum ${hex(there, 4)}`);
  d.print(sum === 0 ? " (correct)" : ` (incorrect -> ${hex(sumWanted(there, sum), 4)})`);
}

interface Numbers {
  readonly at: number;
  readonly flags: number;
  readonly dataBytes: number;
  readonly rawSeq: number;
  readonly rawAck: number;
}

function printNumbers(
  d: Dissection,
  { at, flags, dataBytes, rawSeq, rawAck }: Numbers,
  view: FlowView | undefined,
): void {
  let [seq, ack] = [rawSeq, rawAck];
  if (view?.known) {
    const { flow, reversed } = view;
    seq = seq - (reversed ? flow.ack : flow.seq) >>> 0;
    ack = ack - (reversed ? flow.seq : flow.ack) >>> 0;
  }
  if (d.verbose > 1 || dataBytes > 0 || (flags & (SYN | FIN | RST)) !== 0) {
    d.print(`, seq ${seq}`);
    if (dataBytes > 0) d.print(`:${seq + dataBytes >>> 0}`);
  }
  if ((flags & ACK) !== 0) d.print(`, ack ${ack}`);
  d.print(`, win ${d.u16(at + 14)}`);
  if ((flags & URG) !== 0) d.print(`, urg ${d.u16(at + 18)}`);
}
