/** What the settings of kernels, which scripts change, do to the settings of the stack. */

import { assertEquals, assertThrows } from "@std/assert";
import { Unsupported } from "../../packetdrill/errors.ts";
import { Host } from "../../packetdrill/host.ts";
import { judge } from "../../packetdrill/judge.ts";
import { setSysctl } from "../../packetdrill/settings.ts";
import { BSD_SETTINGS } from "../../packetdrill/settings_bsd.ts";
import { LINUX_DEFAULTS, LINUX_SETTINGS } from "../../packetdrill/settings_linux.ts";
import { beginAs, type Kernel } from "../../packetdrill/settings_profile.ts";
import { addressOf, Sysctl } from "../../runtime/sysctl.ts";
import { SYSCTLS } from "../../runtime/sysctl_table.ts";
import type { SettingField as Field } from "../../runtime/sysctl_entry.ts";
import { SETTINGS_READ } from "../../runtime/wasm/settings.gen.ts";
import engine from "../engine_checked_module.js";

async function host(kernel: Kernel = "none"): Promise<Host> {
  const host = await Host.boot({ engine, ip: "192.168.0.1", prefix: 16, mtu: 1500 });
  beginAs(host, kernel);
  return host;
}

function value(host: Host, name: Field): number {
  return host.u32(addressOf(host.engine, name));
}

/** Sets one after the other, and answers what these fields hold then. */
async function after(lines: string, ...fields: Field[]): Promise<number[]> {
  const it = await host();
  for (const line of lines.split("\n")) {
    const [name, text] = line.trim().split("=");
    setSysctl(it, name, text);
  }
  return fields.map((name) => value(it, name));
}

function refused(host: Host, name: string, text: string): string {
  return assertThrows(() => setSysctl(host, name, text), Unsupported).feature;
}

Deno.test("a setting of Linux is the stack's of the same name", async () => {
  assertEquals(
    await after("net.ipv4.tcp_fin_timeout=7\n/proc/sys/net/ipv4/tcp_retries2=4", "fin_wait_2_us"),
    [7_000_000],
  );
  const read = SYSCTLS.filter(({ name, fields }) =>
    name.startsWith("net.ipv4.tcp_") && fields.length === 1 && SETTINGS_READ.has(fields[0])
  );
  const it = await host("linux");
  for (const { name, linux } of read) setSysctl(it, name, String(linux));
});

Deno.test("Linux counts buffers otherwise, and does not ask for a rising order", async () => {
  const fields = [
    "rcvbuf_min",
    "rcvbuf",
    "rcvbuf_max",
    "sndbuf_min",
    "sndbuf",
    "sndbuf_max",
  ] as const;
  assertEquals(
    await after("net.ipv4.tcp_rmem=4096 540000 15728640\nnet.ipv4.tcp_wmem=9 8 7", ...fields),
    [4096, 270_000, 15_728_640, 8, 8, 8],
  );
  assertEquals(await after("net.ipv4.tcp_rmem=4096\t4096\t4096", ...fields.slice(0, 3)), [
    2048,
    2048,
    4096,
  ]);
});

Deno.test("settings of FreeBSD that hang together", async () => {
  const tcp = "net.inet.tcp.";
  assertEquals(await after(`${tcp}rfc1323=2`, "window_scale", "timestamps"), [1, 0]);
  assertEquals(await after(`${tcp}finwait2_timeout=5000`, "fin_wait_2_us"), [600_000_000]);
  const recycled = `${tcp}finwait2_timeout=5000\n${tcp}fast_finwait2_recycle=1`;
  assertEquals(await after(recycled, "fin_wait_2_us"), [5_000_000]);
  assertEquals(await after(`${tcp}syncookies=0`, "syncookies"), [0]);
  assertEquals(await after(`${tcp}syncookies=0\n${tcp}syncookies_only=1`, "syncookies"), [2]);
  assertEquals(await after(`${tcp}cc.abe=1`, "ecn_beta"), [80]);
  assertEquals(await after(`${tcp}cc.abe=1\n${tcp}cc.newreno.beta_ecn=85`, "ecn_beta"), [85]);
  assertEquals(await after(`${tcp}ack_war_cnt=0`, "challenge_per_s"), [2 ** 31 - 1]);
  assertEquals(await after(`${tcp}delacktime=100`, "delack_us"), [100_000]);
});

Deno.test("what the stack does not have is unsupported, and named", async () => {
  const it = await host();
  assertEquals(refused(it, "net.ipv4.tcp_no_such", "1"), "sysctl net.ipv4.tcp_no_such");
  assertEquals(refused(it, "net.ipv4.tcp_ecn", "3"), "sysctl net.ipv4.tcp_ecn=3");
  assertEquals(refused(it, "net.ipv4.tcp_syn_retries", "x"), "sysctl net.ipv4.tcp_syn_retries=x");
  assertEquals(refused(it, "net.ipv4.tcp_congestion_control", "bbr").endsWith("=bbr"), true);
  assertEquals(refused(it, "net.inet.tcp.insecure_syn", "1"), "sysctl net.inet.tcp.insecure_syn=1");
  assertEquals(refused(it, "net.inet.tcp.msl", "soon"), "sysctl net.inet.tcp.msl=soon");
  assertEquals(refused(it, "net.inet.tcp.cc.algorithm", "vegas").endsWith("=vegas"), true);
  assertEquals(refused(it, "net.inet.tcp.keepcnt", "0"), "sysctl net.inet.tcp.keepcnt=0");
});

Deno.test("every setting that is translated means something that the stack has", () => {
  const known = new Set<string>(SYSCTLS.flatMap(({ fields }) => fields));
  for (const [name, setting] of Object.entries({ ...LINUX_SETTINGS, ...BSD_SETTINGS })) {
    if (!("apply" in setting)) continue;
    for (const text of setting.accepts ?? ["1", "fq", "newreno"]) {
      const fields = setting.apply([text], () => undefined);
      for (const field of Object.keys(fields)) assertEquals(known.has(field), true, name);
    }
  }
});

Deno.test("a script begins with the settings of the kernel that its commands name", async () => {
  const plain = await host();
  const linux = await host("linux");
  const freebsd = await host("freebsd");
  const tell = (name: Field) => [plain, linux, freebsd].map((it) => value(it, name));
  assertEquals(tell("persist_probe"), [0, 1, 0]);
  assertEquals(tell("slow_start_after_idle")[2], 1);
  assertEquals(tell("quickacks"), [0, 16, 0]);
  assertEquals(tell("fin_wait_2_us"), [60_000_000, 60_000_000, 600_000_000]);
  assertEquals(new Sysctl(linux.engine).get("net.ipv4.tcp_syn_retries"), 5);
  assertEquals(value(linux, "ecn"), Number(LINUX_DEFAULTS["net.ipv4.tcp_ecn"]));
});

/** Whether a listener that repeats its SYN-ACK gives up in time: Linux after 5, FreeBSD after 3. */
function repeats(command: string, times: number): string {
  const repeated = Array.from({ length: times }, (_, i) => `+${2 ** i} > S. 0:0(0) ack 1 <...>\n`);
  return `${command}
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 < S 0:0(0) win 1000 <mss 1000>
   +0 > S. 0:0(0) ack 1 <...>
   ${repeated.join("")}
   +200 < . 1:1(0) ack 1 win 1000
   +0 > R 1:1(0)
`;
}

Deno.test("the kernel of a script shows in its commands", async () => {
  const scripts: [string, number][] = [
    ["", 5],
    ["`../common/defaults.sh`", 5],
    ["`sysctl -q net.ipv4.tcp_sack=1`", 5],
    ["`sysctl -w net.inet.tcp.sack.enable=1`", 3],
    ["`sysctl -w kern.ipc.maxsockbuf=1000000`", 3],
  ];
  for (const [command, times] of scripts) {
    const told = await judge("x.pkt", repeats(command, times), "ipv4", { engine });
    assertEquals([told.verdict, told.reason], ["pass", ""], command);
  }
});
