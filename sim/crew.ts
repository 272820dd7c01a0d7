/**
 * Threads that work a list of jobs off. A job that hangs or kills its thread is a failure of that
 * job; another thread takes the place of the first.
 *
 * @module
 */

/** What a worker tells, in this order for each job, and `idle` when it has done all there was. */
export interface FromWorker<J, R> {
  /** The job it begins. */
  readonly begins?: J;
  /** The end of that job. */
  readonly result?: R;
  /** It wants more. */
  readonly idle?: boolean;
}

/** What is to be done, and how. */
export interface CrewOptions<J, R> {
  /** The worker's module: it is sent arrays of jobs, and answers with {@link FromWorker}. */
  readonly module: URL;
  /** The next jobs for a thread; none if there are no more. */
  readonly next: () => J[];
  /** How many threads. */
  readonly workers: number;
  /** Told of each result, in the order in which they come. */
  readonly onResult: (result: R) => void;
  /** The result of a job that had no end. */
  readonly lost: (job: J, why: string) => R;
  /** Longest that one job may take by the machine's clock. */
  readonly limit_ms: number;
}

/** A thread. */
class Hand<J, R> {
  #worker: Worker | undefined = undefined;
  /** Jobs that it has been given and has not ended. */
  #jobs: J[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;

  constructor(readonly options: CrewOptions<J, R>, readonly finished: () => void) {
    this.#more([]);
  }

  #more(left: J[]): void {
    this.#jobs = left.length > 0 ? left : this.options.next();
    if (this.#jobs.length === 0) {
      this.#stop();
      this.finished();
      return;
    }
    this.#worker ??= this.#start();
    this.#worker.postMessage(this.#jobs);
  }

  #start(): Worker {
    const worker = new Worker(this.options.module, { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<FromWorker<J, R>>) => this.#told(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(`the thread died: ${event.message}`);
    };
    return worker;
  }

  #told({ begins, result, idle }: FromWorker<J, R>): void {
    clearTimeout(this.#timer);
    if (idle) return this.#more([]);
    if (result !== undefined) {
      this.#jobs.shift();
      this.options.onResult(result);
    }
    if (begins === undefined) return;
    const { limit_ms } = this.options;
    this.#timer = setTimeout(() => {
      this.#lose(`still running after ${limit_ms / 1000} s of the machine's clock`);
    }, limit_ms);
  }

  /** Gives the job up that the thread is at, and goes on with another thread. */
  #lose(why: string): void {
    this.#stop();
    const [job, ...left] = this.#jobs;
    if (job !== undefined) this.options.onResult(this.options.lost(job, why));
    this.#more(left);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}

/** Works them all off; the promise is kept when the last one has ended. */
export function runCrew<J, R>(options: CrewOptions<J, R>): Promise<void> {
  return new Promise((resolve) => {
    let busy = options.workers;
    const finished = () => {
      if (--busy === 0) resolve();
    };
    for (let i = 0; i < options.workers; i++) new Hand(options, finished);
  });
}

/** The worker's side: does jobs with `work`, one after the other. */
export function serve<J, R>(work: (job: J) => Promise<R>): void {
  const thread = globalThis as unknown as {
    onmessage: ((event: MessageEvent<readonly J[]>) => void) | null;
    postMessage(message: FromWorker<J, R>): void;
  };
  thread.onmessage = async ({ data: jobs }) => {
    for (const job of jobs) {
      thread.postMessage({ begins: job });
      thread.postMessage({ result: await work(job) });
    }
    thread.postMessage({ idle: true });
  };
}
