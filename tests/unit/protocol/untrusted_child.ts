/** A program without permissions that loads an untrusted protocol, and just ends. */
import { createStack } from "../../../mod.ts";
import lldp from "../../../protocols/lldp/mod.ts";

const stack = await createStack();
const { kind, state } = await stack.protocols.load(lldp());
console.log(kind, state);
