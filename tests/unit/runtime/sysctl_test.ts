/** Settings by name: what they are called, which values they take, and where they lie. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { Limits } from "../../../assembly/abi/limits.ts";
import { createStack, SocketError, type Stack } from "../../../mod.ts";
import * as field from "../../../runtime/layout.ts";
import { addressOf, PROFILES, Sysctl } from "../../../runtime/sysctl.ts";
import { SYSCTLS } from "../../../runtime/sysctl_table.ts";
import { type Profile, scaleOf, type SettingField } from "../../../runtime/sysctl_entry.ts";
import { NetSettings, TcpSettings } from "../../../runtime/wasm/layout.gen.ts";
import { withTable } from "../../../tools/sysctl_doc.ts";
import engine from "../../engine_checked_module.js";
import { manual, memory } from "./manual_stack.ts";

/** A word of the engine's settings. */
function word({ engine }: Stack, name: SettingField): number {
  return field.getU32(engine, addressOf(engine, name), 0);
}

function made(options: { profile?: Profile; snapshot?: Uint8Array } = {}): Promise<Stack> {
  return createStack({ engine, memory, seed: 1, ...options });
}

/** What a call is refused with. */
function refusal(call: () => unknown): string {
  const error = assertThrows(call, SocketError);
  assertEquals(error.syscall, "sysctl");
  return error.message;
}

Deno.test("every setting of the engine has one name, and every name one setting", () => {
  const fields = SYSCTLS.flatMap((row) => row.fields);
  const below = Object.keys(NetSettings).map((name) => `net.${name}`);
  const known = [...Object.keys(TcpSettings), ...below].filter((name) => !/\bsize$/.test(name));
  assertEquals<string[]>(fields.toSorted(), known.toSorted());
  const names = SYSCTLS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  for (const name of names) assertMatch(name, /^net\.(ipv4|godwit|core)(\.[a-z\d_]+)+$/);
});

Deno.test("the table in docs/sysctl.md is that of the code", async () => {
  const text = await Deno.readTextFile(new URL("../../../docs/sysctl.md", import.meta.url));
  const plain = (text: string) => text.replaceAll(/[ -]+/g, " ");
  assertEquals(plain(text), plain(withTable(text)), "run deno run -RW tools/sysctl_doc.ts");
});

Deno.test("a stack begins with the profile linux, unless strict is asked for", async () => {
  await using linux = await made();
  await using strict = await made({ profile: "strict" });
  for (const { name, linux: one, strict: other } of linux.sysctl.list()) {
    assertEquals([linux.sysctl.get(name), strict.sysctl.get(name)], [one, other], name);
  }
  assertEquals([word(linux, "rto_min_us"), word(strict, "rto_min_us")], [200_000, 1_000_000]);
  linux.sysctl.apply("strict");
  assertEquals([...linux.sysctl], [...strict.sysctl]);
  assertThrows(() => linux.sysctl.apply("bsd" as Profile), RangeError, "linux, strict");
  await assertRejects(() => made({ profile: "bsd" as Profile }), RangeError, "not bsd");
});

Deno.test("both profiles meet what the settings ask of each other", async () => {
  await using stack = await made();
  for (const profile of PROFILES) {
    stack.sysctl.apply(profile);
    for (const row of SYSCTLS) stack.sysctl.set(row.name, row[profile]);
  }
});

Deno.test("what is set is what the engine has, and what is read again", async () => {
  await using stack = await manual();
  const { sysctl } = stack;
  sysctl.set("net.ipv4.tcp_fin_timeout", 17);
  assertEquals([sysctl.get("net.ipv4.tcp_fin_timeout"), word(stack, "fin_wait_2_us")], [17, 17e6]);
  sysctl.set("net.ipv4.tcp_keepalive_time", "90");
  assertEquals([sysctl.get("net/ipv4/tcp_keepalive_time"), word(stack, "keep_idle_ms")], [90, 9e4]);
  sysctl.set("/proc/sys/net/ipv4/tcp_fastopen", "0x403");
  assertEquals([sysctl.get("net.ipv4.tcp_fastopen"), word(stack, "fastopen")], [0x403, 0x403]);
  sysctl.set("net.ipv4.tcp_sack", false);
  assertEquals([sysctl.get("net.ipv4.tcp_sack"), word(stack, "sack")], [0, 0]);
  sysctl.set("net.ipv4.tcp_wmem", "4096\t8192   16384");
  assertEquals(sysctl.get("net.ipv4.tcp_wmem"), "4096 8192 16384");
  assertEquals([word(stack, "sndbuf"), word(stack, "sndbuf_max")], [8192, 16384]);
  sysctl.set("net.ipv4.tcp_rmem", [1, 2, 3]);
  assertEquals(word(stack, "rcvbuf_min"), 1);
  sysctl.set("net.ipv4.tcp_congestion_control", "reno");
  assertEquals(sysctl.get("net.ipv4.tcp_congestion_control"), "reno");
});

Deno.test("every setting takes its least and its largest value, and nothing beyond", async () => {
  await using stack = await manual();
  const sysctl = new Sysctl(stack.engine);
  for (const row of SYSCTLS.filter(({ fields, words }) => fields.length === 1 && !words)) {
    for (const value of [row.max, row.min]) {
      // what stands beside it must not refuse it
      for (const other of SYSCTLS.flatMap(({ fields }) => fields)) {
        if (!/_(min|max|initial)_us$|base_mss|floor/.test(other)) continue;
        const open = /min|floor|initial/.test(other) ? 0 : 0xffffffff;
        field.setU32(stack.engine, addressOf(stack.engine, other), 0, open);
      }
      sysctl.set(row.name, value);
      assertEquals(sysctl.get(row.name), value, row.name);
      assertEquals(word(stack, row.fields[0]), value * scaleOf(row), row.name);
    }
    const range = ` takes a whole number from ${row.min} to ${row.max}`;
    for (const value of [row.min - 1, row.max + 1, row.min + 0.5, NaN, "", "x", "1 2"]) {
      const words = refusal(() => sysctl.set(row.name, value));
      assert(words.startsWith(`sysctl: EINVAL: ${row.name}${range}`), words);
    }
    assertEquals(sysctl.get(row.name), row.min, "what is refused changes nothing");
  }
});

Deno.test("a refusal says what there is, and what is allowed", async () => {
  await using stack = await manual();
  const { sysctl } = stack;
  const set = (name: string, value: string | number | number[]) =>
    refusal(() => sysctl.set(name, value));
  assertEquals(
    set("net.ipv4.tcp_ecn", 9),
    "sysctl: EINVAL: net.ipv4.tcp_ecn takes a whole number from 0 to 2, not 9",
  );
  assertEquals(
    set("net.ipv4.tcp_rmem", "4096 2 3"),
    "sysctl: EINVAL: net.ipv4.tcp_rmem takes 3 whole numbers in rising order from 1 to " +
      `${Limits.SB_MAX} bytes, not "4096 2 3"`,
  );
  assertMatch(set("net.ipv4.tcp_wmem", [1, 2]), /3 whole numbers/);
  assertMatch(set("net.ipv4.tcp_congestion_control", "bbr"), /takes .*reno.*, not "bbr"$/);
  assertEquals(
    set("net.ipv4.tcp_rto_min_us", 130_000_000),
    "sysctl: EINVAL: net.ipv4.tcp_rto_min_us must not be above net.ipv4.tcp_rto_max_ms, which " +
      "is 120000 ms",
  );
  assertMatch(set("net.ipv4.tcp_rto_max_ms", 100), /below net\.ipv4\.tcp_rto_min_us, .*200000 us/);
  assertEquals(
    refusal(() => sysctl.get("net/ipv4/hystart")),
    "sysctl: ENOENT: there is no net.ipv4.hystart; there is net.godwit.tcp_hystart",
  );
  assertEquals(
    refusal(() => sysctl.describe("vm.swappiness")).split(";")[0].slice(-13),
    "vm.swappiness",
  );
  assertMatch(refusal(() => sysctl.get("")), /ENOENT/);
});

Deno.test("settings that differ from the profile can be given at once", async () => {
  const own = { "net.ipv4.tcp_ecn": 1, "net/godwit/tcp_quickacks": 3, "net.ipv4.tcp_dsack": false };
  await using stack = await createStack({ engine, memory, profile: "strict", sysctl: own });
  const { sysctl } = stack;
  const names = Object.keys(own).map((name) => sysctl.get(name));
  assertEquals(names, [1, 3, 0]);
  assertEquals(sysctl.get("net.ipv4.tcp_rto_min_us"), 1_000_000);
  const wrong = { "net.ipv4.tcp_ecn": "x" };
  await assertRejects(() => createStack({ engine, memory, sysctl: wrong }), SocketError, "EINVAL");
});

Deno.test("settings are part of a snapshot, which a profile does not override", async () => {
  await using before = await made({ profile: "strict" });
  before.sysctl.set("net.ipv4.tcp_retries2", 77);
  const snapshot = before.snapshot();
  await using after = await made({ snapshot, profile: "linux" });
  assertEquals([...after.sysctl], [...before.sysctl]);
  assertEquals(after.sysctl.get("net.ipv4.tcp_retries2"), 77);
  const sysctl = { "net.ipv4.tcp_retries2": 78 };
  await using changed = await createStack({ engine, snapshot, sysctl });
  assertEquals(changed.sysctl.get("net.ipv4.tcp_retries2"), 78);
});

Deno.test("settings tell of themselves, one by one and as a table", async () => {
  await using stack = await manual();
  const { sysctl } = stack;
  const ecn = sysctl.describe("net.ipv4.tcp_ecn");
  assertEquals([ecn.min, ecn.max, ecn.unit, ecn.count, ecn.linux], [0, 2, "", 1, 2]);
  assertMatch(ecn.doc, /RFC 3168/);
  assertEquals(sysctl.list("net/godwit").every(({ name }) => /^net\.godwit\./.test(name)), true);
  assertEquals(sysctl.list("net.ipv4.tcp_ecn").map(({ name }) => name), [
    "net.ipv4.tcp_ecn",
    "net.ipv4.tcp_ecn_fallback",
  ]);
  sysctl.set("net.ipv4.tcp_fin_timeout", 61);
  const lines = String(sysctl).trimEnd().split("\n");
  assertEquals(lines.length, sysctl.list().length + 1);
  const line = lines.find((line) => line.startsWith("net.ipv4.tcp_fin_timeout"));
  assertEquals(line?.split(/ +/), ["net.ipv4.tcp_fin_timeout", "61", "s", "60", "240"]);
});
