/**
 * Parameters of requests, which may come from anybody: each is looked at before it is used.
 *
 * @module
 */

import { parseIpv4 } from "../runtime/socket/inet_addr.ts";
import { type Params, RequestError } from "./request.ts";

/** A text, if there is one. */
export function text(params: Params, name: string): string | undefined {
  const value = params[name];
  if (value === undefined || typeof value === "string") return value;
  throw new RequestError(`${name} is no text`);
}

/** A text that must be there. */
export function needed(params: Params, name: string): string {
  const value = text(params, name);
  if (value !== undefined && value !== "") return value;
  throw new RequestError(`${name} is missing`);
}

/** A number in a range; `otherwise` if there is none. */
export function number(
  params: Params,
  name: string,
  [min, max]: readonly [number, number],
  otherwise: number,
): number {
  const value = params[name];
  if (value === undefined) return otherwise;
  if (typeof value === "number" && value >= min && value <= max) return value;
  throw new RequestError(`${name} is a number from ${min} to ${max}, not ${JSON.stringify(value)}`);
}

/** A whole number in a range. */
export function whole(
  params: Params,
  name: string,
  range: readonly [number, number],
  otherwise: number,
): number {
  const value = number(params, name, range, otherwise);
  if (Number.isInteger(value) || params[name] === undefined) return value;
  throw new RequestError(`${name} is a whole number, not ${value}`);
}

/** True or false; false if nothing is said. */
export function flag(params: Params, name: string): boolean {
  const value = params[name] ?? false;
  if (typeof value === "boolean") return value;
  throw new RequestError(`${name} is true or false`);
}

/** A numeric IPv4 address; `localhost` is known, other names are not: there is no resolver. */
export function host(params: Params, name: string): string {
  const value = needed(params, name);
  if (value === "localhost") return "127.0.0.1";
  if (parseIpv4(value) !== undefined) return value;
  throw new RequestError(`"${value}" is no IPv4 address (names are not looked up)`);
}
