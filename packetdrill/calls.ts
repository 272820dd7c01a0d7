/**
 * System calls of scripts, by name.
 *
 * @module
 */

import type { Call } from "./ast.ts";
import { type Answer, type Attempt, errorAnswer, type Starter } from "./call_t.ts";
import { DATA_CALLS } from "./call_data.ts";
import { FILE_CALLS } from "./call_file.ts";
import { MESSAGE_CALLS } from "./call_message.ts";
import { OPTION_CALLS } from "./call_option.ts";
import { POLL_CALLS } from "./call_poll.ts";
import { SOCKET_CALLS } from "./call_socket.ts";
import { Mismatch, Unsupported } from "./errors.ts";
import { sameErrno, toNumber } from "./values.ts";
import { NoDescriptor, type World } from "./world.ts";

const STARTERS: Readonly<Record<string, Starter>> = {
  ...SOCKET_CALLS,
  ...DATA_CALLS,
  ...FILE_CALLS,
  ...MESSAGE_CALLS,
  ...OPTION_CALLS,
  ...POLL_CALLS,
};

/** Begins a call. Throws `Unsupported` if there is none of this name. */
export function beginCall(world: World, call: Call): Attempt {
  const starter = Object.hasOwn(STARTERS, call.name) ? STARTERS[call.name] : undefined;
  if (!starter) throw new Unsupported(`the call ${call.name}`);
  let attempt: Attempt | undefined;
  return () => {
    try {
      attempt ??= starter(world, call);
      return attempt();
    } catch (error) {
      // a descriptor that is not there is a fault of the script, unless that is what it is about
      if (error instanceof NoDescriptor && call.errno === "EBADF") return errorAnswer("EBADF");
      throw error;
    }
  };
}

/** Throws a `Mismatch` unless a call answered what the script says. */
export function checkAnswer(call: Call, answer: Answer): void {
  const errno = answer.errno ? ` ${answer.errno}` : "";
  const got = `${call.name}(...) = ${answer.value}${errno}`;
  if (call.result.kind !== "ellipsis") {
    const wanted = toNumber(call.result);
    const same = wanted === answer.value || wanted >>> 0 === answer.value >>> 0;
    if (!same) throw new Mismatch("the call's result", call.text, got);
  }
  if (call.errno && !sameErrno(call.errno, answer.errno ?? "")) {
    throw new Mismatch("the call's error", call.text, got);
  }
  if (answer.fault) throw new Mismatch(answer.fault, call.text, `${got}; ${answer.fault}`);
}
