/** What tests of local sockets have in common. */
import { assertRejects, assertThrows } from "@std/assert";
import { Af, Sock } from "../../assembly/abi/socket.ts";
import {
  type ControlMessage,
  createStack,
  rightsOf,
  SocketError,
  type Stack,
  type StackOptions,
} from "../../mod.ts";
import checkedEngine from "../engine_checked_module.js";
import { holdings } from "../unit/protocol/net.ts";

/** Their types. */
export const STREAM = Sock.STREAM;
export const DGRAM = Sock.DGRAM;
export const SEQPACKET = Sock.SEQPACKET;

/** A stack of its own. */
export async function stack(options: StackOptions = {}): Promise<Stack> {
  return await createStack({ engine: checkedEngine, memory: { bytes: 32 * 2 ** 20 }, ...options });
}

/** The error of a call that waits. */
export async function errno(call: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => call, SocketError)).code;
}

/** The error of one that does not. */
export function code(call: () => unknown): string {
  return assertThrows(call, SocketError).code;
}

/** A connection through a name: both ends. */
export async function connected({ sys }: Stack, type: number = STREAM): Promise<[number, number]> {
  const listener = sys.socket(Af.UNIX, type);
  sys.bind(listener, {});
  sys.listen(listener, 1);
  const one = sys.socket(Af.UNIX, type);
  await sys.connect(one, sys.getsockname(listener));
  const { fd } = await sys.accept(listener);
  await sys.close(listener);
  return [one, fd];
}

/** What is held, with sockets that no descriptor has. */
export const held = (one: Stack) => ({ ...holdings(one), sockets: one.netstat().sockets.length });

/** Bytes. */
export const bytes = (...values: number[]) => Uint8Array.from(values);

/** What can be read at once. */
export function got({ sys }: Stack, fd: number, room = 1000): number[] {
  const buffer = new Uint8Array(room);
  return [...buffer.subarray(0, sys.nb.recv(fd, buffer))];
}

/** Receives a message with the descriptors it brings. */
export function take({ sys }: Stack, fd: number, flags = 0) {
  const header = { iov: [new Uint8Array(1000)], control: [] as ControlMessage[], flags: 0 };
  const length = sys.nb.recvmsg(fd, header, flags);
  const { control } = header;
  return { data: [...header.iov[0].subarray(0, length)], fds: rightsOf(control), control, header };
}
