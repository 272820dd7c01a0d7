/** A stack that moves to another process in mid-download, with the kernel as its peer. */

import { assert, assertEquals } from "@std/assert";
import type { Group } from "../kit/case.ts";
import { contentHash } from "../kit/content.ts";
import { Peer, run } from "../kit/kernel.ts";
import { MOVING_PORT } from "../kit/moving_server.ts";

const BYTES = 24 * 2 ** 20;
const DEVICE = "gw1";
const KERNEL = "10.78.0.1";
const GODWIT = "10.78.0.2";
const SERVER = "./moving_server.ts";

/** The cases. */
export const group: Group = {
  name: "interop moved",
  module: import.meta.url,
  tools: ["curl", "sha256sum"],
  cases: [
    {
      name: "a curl download goes on when its server is restored in a second process",
      seconds: 60,
      run: async (host) => {
        // The device stays while no program holds it, as a cable that is pulled.
        await run("ip", "tuntap", "add", "dev", DEVICE, "mode", "tap");
        await run("ip", "addr", "add", `${KERNEL}/24`, "dev", DEVICE);
        await run("ip", "link", "set", DEVICE, "up");
        const file = `${host.folder}/download`;
        const snapshot = `${host.folder}/stack.snapshot`;
        const url = `http://${GODWIT}:${MOVING_PORT}/`;
        await using first = await Peer.of(SERVER, "begin", DEVICE, GODWIT, snapshot, `${BYTES}`);
        const download = run("curl", "--silent", "--show-error", "--fail", "-o", file, url);
        await first.expect("moved");
        const before = Deno.statSync(file).size;
        assert(before < BYTES, `${before} bytes had come already`);
        await using second = await Peer.of(SERVER, "go-on", DEVICE, snapshot, `${BYTES}`);
        await download;
        await second.expect("done");
        const [digest] = (await run("sha256sum", file)).split(" ");
        assertEquals(digest, contentHash(BYTES));
        await run("ip", "link", "del", DEVICE);
      },
    },
  ],
};
