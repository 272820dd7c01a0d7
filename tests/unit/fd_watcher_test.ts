/** The Worker that waits for descriptors. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FdWatcher } from "../../drivers/fd_watcher.ts";
import { addressOf, openLibc } from "../../drivers/libc.ts";

const SYMBOLS = {
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  read: { parameters: ["i32", "u64", "u64"], result: "i64" },
  write: { parameters: ["i32", "u64", "u64"], result: "i64" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

const ignore = Deno.build.os !== "linux";

/** A descriptor that can be read once it has been rung, until it is hushed. */
class Bell implements Disposable {
  readonly #library = openLibc(SYMBOLS, "a test");
  readonly #word = new BigUint64Array(1);
  readonly #address = addressOf(new Uint8Array(this.#word.buffer));
  readonly fd = this.#library.symbols.eventfd(0, 0);

  ring(): void {
    this.#word[0] = 1n;
    assertEquals(this.#library.symbols.write(this.fd, this.#address, 8n), 8n);
  }

  hush(): void {
    assertEquals(this.#library.symbols.read(this.fd, this.#address, 8n), 8n);
  }

  [Symbol.dispose](): void {
    this.#library.symbols.close(this.fd);
    this.#library.close();
  }
}

function openFds(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].map((entry) => entry.name);
}

Deno.test({
  name: "fd watcher: calls once for each arm, when a descriptor can be read",
  ignore,
  fn: async () => {
    using first = new Bell();
    using second = new Bell();
    let calls = 0;
    let called = Promise.withResolvers<void>();
    // The watcher does not keep the process alive.
    const anchor = setInterval(() => {}, 1e6);
    const watcher = new FdWatcher([first.fd, second.fd], () => {
      calls++;
      called.resolve();
    });
    for (const bell of [first, second, first]) {
      called = Promise.withResolvers();
      assert(watcher.arm());
      assert(watcher.arm(), "armed already");
      bell.ring();
      await called.promise;
      bell.hush();
    }
    second.ring();
    called = Promise.withResolvers();
    assert(watcher.arm(), "readable already");
    await called.promise;
    clearInterval(anchor);
    assertEquals(calls, 4);
    await watcher.close();
  },
});

Deno.test({
  name: "fd watcher: close ends the Worker inside poll, and leaves no descriptor",
  ignore,
  fn: async () => {
    using bell = new Bell();
    let calls = 0;
    const open = async () => {
      const watcher = new FdWatcher([bell.fd], () => calls++);
      watcher.arm();
      await Promise.all([watcher.close(), watcher.close()]);
      assert(!watcher.arm());
    };
    await open();
    const before = openFds().length;
    for (let i = 0; i < 16; i++) await open();
    // The thread of a Worker that has ended lets go of its own a little later.
    const after = openFds().length;
    assert(after < before + 8, `${before} descriptors before, ${after} after`);
    bell.ring();
    assertEquals(calls, 0);
  },
});

Deno.test({
  name: "fd watcher: lets the process end while it watches",
  ignore,
  fn: async () => {
    const program = `
      import { FdWatcher } from ${
      JSON.stringify(import.meta.resolve("../../drivers/fd_watcher.ts"))
    };
      const watcher = new FdWatcher([], () => console.log("called"));
      console.log(watcher.arm());`;
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `data:text/typescript,${encodeURIComponent(program)}`],
      signal: AbortSignal.timeout(60_000),
    }).output();
    assert(success);
    assertStringIncludes(new TextDecoder().decode(stdout), "true");
  },
});
