/**
 * What snapshots say of loaded protocols.
 *
 * @module
 */

import type { ProtocolInfo, ProtocolModule } from "./module.ts";

/** What a snapshot says of a loaded protocol. */
export interface SavedProtocol {
  /** Its name. */
  readonly name: string;
  /** Its kind. */
  readonly kind: ProtocolInfo["kind"];
  /** Its number. */
  readonly slot: number;
  /** First place in the function table, and how many. */
  readonly places: readonly [first: number, count: number];
  /** A side module: where its variables are. */
  readonly base?: number;
  /** A protocol in TypeScript: what its `snapshot` answered. */
  readonly state?: unknown;
  /** The same: types and numbers of its rows. */
  readonly rows?: string;
  /** The same: sockets of its UDP ports. */
  readonly sockets?: readonly number[];
}

/** Types and numbers of a protocol's rows. */
export function rowsOf({ rows = [] }: ProtocolModule): string {
  return rows.map(({ type, protocol }) => `${type}/${protocol}`).join();
}
