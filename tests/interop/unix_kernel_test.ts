/**
 * Local sockets beside the Linux kernel's: the same calls, chosen at random, on both, and what each
 * of them answers. Where BSD and Linux differ, DIFFERENT says so.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Af, Shut, Sock } from "../../assembly/abi/socket.ts";
import {
  type ControlMessage,
  createStack,
  rightsMessage,
  rightsOf,
  SocketError,
  type Stack,
} from "../../mod.ts";
import { type Call, kernel, SLOTS } from "./kit/unix_kernel.ts";
import { requirements } from "./require.ts";

const { ignore, reason } = requirements({ tools: ["python3"] });
const SEED = 8192;
const SCRIPTS = 2000;
const CALLS = 40;
const PATHS = ["a", "b", "\0c"];
const TYPES = [Sock.STREAM, Sock.DGRAM, Sock.SEQPACKET];

const slot = fc.nat(SLOTS - 1);
const path = fc.nat(PATHS.length - 1);
const call: fc.Arbitrary<Call> = fc.oneof(
  { arbitrary: fc.tuple(fc.constant("socket"), slot, fc.nat(2)), weight: 2 },
  { arbitrary: fc.tuple(fc.constant("pair"), slot, fc.nat(2)), weight: 2 },
  { arbitrary: fc.tuple(fc.constant("bind"), slot, path), weight: 3 },
  { arbitrary: fc.tuple(fc.constant("listen"), slot, fc.constant(8)), weight: 2 },
  { arbitrary: fc.tuple(fc.constant("connect"), slot, path), weight: 4 },
  { arbitrary: fc.tuple(fc.constant("accept"), slot, slot), weight: 4 },
  { arbitrary: fc.tuple(fc.constant("send"), slot, fc.integer({ min: 1, max: 50 })), weight: 5 },
  { arbitrary: fc.tuple(fc.constant("sendto"), slot, path), weight: 2 },
  { arbitrary: fc.tuple(fc.constant("recv"), slot, fc.integer({ min: 1, max: 60 })), weight: 5 },
  { arbitrary: fc.tuple(fc.constant("pass"), slot, slot), weight: 2 },
  { arbitrary: fc.tuple(fc.constant("take"), slot, slot), weight: 3 },
  { arbitrary: fc.tuple(fc.constant("shutdown"), slot, fc.nat(2)), weight: 2 },
  { arbitrary: fc.tuple(fc.constant("close"), slot, fc.constant(0)), weight: 2 },
  { arbitrary: fc.tuple(fc.constant("unlink"), slot, fc.nat(1)), weight: 1 },
  { arbitrary: fc.tuple(fc.constant("name"), slot, fc.constant(0)), weight: 1 },
  { arbitrary: fc.tuple(fc.constant("peer"), slot, fc.constant(0)), weight: 1 },
);

const SENDING_ERRORS = ["ECONNREFUSED", "EPIPE", "ENOENT", "EPERM", "EPROTOTYPE"];

/**
 * `call linux godwit`: answers that may differ, by reason. What follows in a script is not compared
 * then, since the two are no longer in the same state.
 */
const DIFFERENT: Readonly<Record<string, readonly string[]>> = {
  "messages to an end that is shut are ESHUTDOWN, as on AIX": ["send", "pass", "sendto"].map(
    (name) => `${name} EPIPE ESHUTDOWN`,
  ),
  "a connected socket is asked first, the name after it, as in BSD": [
    ...["ENOENT", "ECONNREFUSED", "EPROTOTYPE"].flatMap((theirs) => [
      `connect ${theirs} EISCONN`,
      `connect ${theirs} EOPNOTSUPP`,
    ]),
    "connect EINVAL EOPNOTSUPP",
    "connect ENOENT EOPNOTSUPP",
    ...[...SENDING_ERRORS, "sent"].map((theirs) => `sendto ${theirs} EISCONN`),
    "sendto EISCONN EPIPE",
    "sendto EISCONN ESHUTDOWN",
    "bind EADDRINUSE EINVAL",
    "bind EINVAL EADDRINUSE",
  ],
  "a datagram socket hears once that its peer is gone, and has none then, as in BSD": [
    ...["send", "pass", "sendto", "recv", "take", "connect"].flatMap((name) =>
      [...SENDING_ERRORS, "EAGAIN", "EISCONN", "ok", "sent"].map((theirs) =>
        `${name} ${theirs} ECONNRESET`
      )
    ),
    ...["send", "pass"].flatMap((name) => [
      `${name} ECONNREFUSED EDESTADDRREQ`,
      `${name} EPIPE EDESTADDRREQ`,
      `${name} sent EDESTADDRREQ`, // connect takes the old peer away even if it fails
      `${name} EPERM EDESTADDRREQ`,
      `${name} EPERM EPIPE`,
      `${name} ENOTCONN EDESTADDRREQ`, // EDESTADDRREQ is what POSIX asks for
    ]),
    ...["", "a", "b", "\0c"].map((name) => `peer ${name} ENOTCONN`),
    "connect EPERM ok",
    "sendto EPERM sent",
    "sendto EPERM EPIPE",
  ],
  "a socket that was never connected is ENOTCONN to all, as POSIX has it": [
    "recv EINVAL ENOTCONN",
    "take EINVAL ENOTCONN",
    "sendto EOPNOTSUPP ENOTCONN",
    "shutdown ok ENOTCONN",
  ],
  "shutdown for reading throws away what came, and ends a datagram socket too, as in BSD": [
    ...["recv", "take"].flatMap((name) => [
      `${name} data end`,
      `${name} data ECONNRESET`,
      `${name} EAGAIN end`,
    ]),
    // nothing is unread then when it is closed
    ...["recv", "take"].map((name) => `${name} ECONNRESET end`),
    ...["send", "pass", "sendto"].flatMap((name) => [
      `${name} ECONNRESET EPIPE`,
      `${name} ECONNRESET ESHUTDOWN`,
      // nor are the descriptors under way that kept its peer alive
      `${name} sent EPIPE`,
      `${name} sent ESHUTDOWN`,
    ]),
  ],
  "what came before an error is given first": ["recv", "take"].map((name) =>
    `${name} ECONNRESET data`
  ),
  "Linux collects sockets that hold each other a while later": [
    "bind EADDRINUSE ok",
    ...["recv", "take"].map((name) => `${name} end ECONNRESET`),
    ...["EPROTOTYPE", "EPERM", "EAGAIN", "ok"].map((theirs) => `connect ${theirs} ECONNREFUSED`),
    ...["EPROTOTYPE", "EPERM", "EAGAIN", "sent"].map((theirs) => `sendto ${theirs} ECONNREFUSED`),
  ],
  "Linux throws away what came when a datagram socket gets another peer": [
    "recv EAGAIN data",
    "take EAGAIN data",
  ],
  "abstract names are of no type": [
    "bind ok EADDRINUSE",
    "connect ECONNREFUSED EPROTOTYPE",
    "sendto ECONNREFUSED EPROTOTYPE",
  ],
};
const KNOWN = new Set(Object.values(DIFFERENT).flat());

/** What kind of answer it is. */
function kind(answer: unknown): string {
  if (typeof answer === "number") return "sent";
  if (!Array.isArray(answer)) return String(answer);
  const data = Array.isArray(answer[0]) ? answer[0] : answer;
  return data.length > 0 ? "data" : "end";
}

function data(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
}

/** The same calls on a stack. */
class Calls {
  readonly #sys: Stack["sys"];
  readonly #fds = new Map<number, number>();

  constructor({ sys }: Stack) {
    this.#sys = sys;
  }

  /** Closes all, and takes the names away. */
  async end(): Promise<void> {
    for (const fd of this.#fds.values()) await this.#sys.close(fd);
    this.#fds.clear();
    for (const path of ["a", "b"]) await this.run(["unlink", 0, PATHS.indexOf(path)]);
  }

  /** What a call answers: "ok", what it gives, or the name of its error. */
  async run([name, slot, argument]: Call): Promise<unknown> {
    try {
      return await this.#run(name, slot, argument);
    } catch (error) {
      if (error instanceof SocketError) return error.code;
      throw error;
    }
  }

  async #set(slot: number, fd: number): Promise<void> {
    const old = this.#fds.get(slot);
    this.#fds.set(slot, fd);
    if (old !== undefined) await this.#sys.close(old);
  }

  async #run(name: string, slot: number, argument: number): Promise<unknown> {
    const sys = this.#sys;
    const path = PATHS[argument];
    if (name === "unlink") return sys.unlink(path), "ok";
    if (name === "socket" || name === "pair") {
      for (const at of name === "pair" ? [slot, (slot + 1) % SLOTS] : [slot]) {
        const old = this.#fds.get(at);
        if (old !== undefined) await sys.close(old);
        this.#fds.delete(at);
      }
      if (name === "socket") await this.#set(slot, sys.socket(Af.UNIX, TYPES[argument]));
      else {
        const [a, b] = sys.socketpair(Af.UNIX, TYPES[argument]);
        await this.#set(slot, a);
        await this.#set((slot + 1) % SLOTS, b);
      }
      return "ok";
    }
    const fd = this.#fds.get(slot);
    if (fd === undefined) return "none";
    switch (name) {
      case "bind":
        return sys.bind(fd, { path }), "ok";
      case "listen":
        return sys.listen(fd, argument), "ok";
      case "connect":
        return sys.nb.connect(fd, { path }), "ok";
      case "accept":
        return await this.#set(argument, sys.nb.accept(fd).fd), "ok";
      case "send":
        return sys.nb.send(fd, data(argument));
      case "sendto":
        return sys.nb.sendto(fd, new Uint8Array(9).fill(120), 0, { path });
      case "shutdown":
        return sys.shutdown(fd, [Shut.RD, Shut.WR, Shut.RDWR][argument]), "ok";
      case "name":
        return this.#known(sys.getsockname(fd).path);
      case "peer":
        return this.#known(sys.getpeername(fd).path);
      case "close":
        this.#fds.delete(slot);
        return await sys.close(fd), "ok";
      default:
        return await this.#data(name, fd, argument);
    }
  }

  async #data(name: string, fd: number, argument: number): Promise<unknown> {
    const sys = this.#sys;
    if (name === "recv") {
      const buffer = new Uint8Array(argument);
      return [...buffer.subarray(0, sys.nb.recv(fd, buffer))];
    }
    if (name === "pass") {
      const passed = this.#fds.get(argument);
      if (passed === undefined) return "none";
      const control = [rightsMessage([passed])];
      return sys.nb.sendmsg(fd, { iov: [Uint8Array.of(114)], control });
    }
    const message = { iov: [new Uint8Array(9)], control: [] as ControlMessage[] };
    const length = sys.nb.recvmsg(fd, message);
    const [first, ...more] = rightsOf(message.control);
    if (first !== undefined) await this.#set(argument, first);
    return [[...message.iov[0].subarray(0, length)], more.length + Number(first !== undefined)];
  }

  #known(name = ""): string {
    return PATHS.includes(name) ? name : "";
  }
}

Deno.test({
  name: "unix: calls answer what the Linux kernel's answer" +
    (ignore ? ` (skipped: ${reason})` : ""),
  ignore,
  fn: async () => {
    const scripts = fc.sample(fc.array(call, { minLength: CALLS, maxLength: CALLS }), {
      seed: SEED,
      numRuns: SCRIPTS,
    });
    const answers = await kernel(scripts);
    await using stack = await createStack({ memory: { bytes: 32 * 2 ** 20 } });
    const calls = new Calls(stack);
    let whole = 0;
    for (const [i, script] of scripts.entries()) {
      const differs = await firstDifference(calls, script, answers[i]);
      if (differs === -1) whole++;
      await calls.end();
    }
    assert(whole > SCRIPTS / 6, `only ${whole} of ${SCRIPTS} scripts are the same to the end`);
    assertEquals(stack.netstat().sockets, []);
    const { small, cluster } = stack.netstat().mbufs;
    assertEquals([small.used, cluster.used], [0, 0]);
  },
});

/** Does the calls of a script up to the first answer that may differ: its place, -1 for none. */
async function firstDifference(
  calls: Calls,
  script: readonly Call[],
  answers: readonly unknown[],
): Promise<number> {
  for (const [k, one] of script.entries()) {
    const ours = await calls.run(one);
    if (JSON.stringify(ours) === JSON.stringify(answers[k])) continue;
    const key = `${one[0]} ${kind(answers[k])} ${kind(ours)}`;
    if (KNOWN.has(key)) return k;
    const words = JSON.stringify(script.slice(0, k + 1));
    assertEquals(ours, answers[k], `${key}, after ${words}`);
  }
  return -1;
}
