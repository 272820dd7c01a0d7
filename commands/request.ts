/**
 * What can be asked of a stack, by name: the same of one in this process, of one behind a control
 * socket, and of a snapshot.
 *
 * @module
 */

/** Values that go through a control socket: JSON, and bytes. */
export type Params = Readonly<Record<string, unknown>>;

/** What a request may use beside its parameters. */
export interface RequestContext {
  /** Ends a request that goes on. */
  readonly signal: AbortSignal;
  /** What whoever asks sends after the request: input of `nc`. */
  readonly input: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Whoever answers requests. */
export interface Target extends AsyncDisposable {
  /** True for a stack that runs; false for a snapshot, which can only be looked at. */
  readonly live: boolean;
  /**
   * Asks; the answers come as they are made.
   *
   * @throws RequestError for a request that is refused
   */
  ask(name: string, params: Params, context: RequestContext): AsyncIterable<unknown>;
}

/** A request that was refused, or that makes no sense; the message says why. */
export class RequestError extends Error {
  /** `RequestError` */
  override readonly name = "RequestError";
  /** `ECONNREFUSED` and the like; `EINVAL` for parameters that make no sense. */
  readonly code: string;

  /** Refused for this reason. */
  constructor(message: string, code = "EINVAL") {
    super(message);
    this.code = code;
  }
}

/** Nothing: the input of requests that take none. */
export async function* noInput(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  // it ends at once
}
