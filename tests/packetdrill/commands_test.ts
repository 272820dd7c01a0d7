/** Shell text of scripts: how it is read, what passes output through, what it asks and changes. */

import { assertEquals, assertThrows } from "@std/assert";
import { Unsupported } from "../../packetdrill/errors.ts";
import { filter, grep } from "../../packetdrill/filters.ts";
import { judge } from "../../packetdrill/judge.ts";
import { readShell } from "../../packetdrill/shell.ts";
import engine from "../engine_checked_module.js";

const OPEN = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
`;

/** The verdict on a command behind a connection that is made, and the reason. */
async function after(command: string, rest = ""): Promise<[string, string]> {
  const text = `${OPEN}+0 \`${command}\`\n${rest}`;
  const { verdict, reason } = await judge("a.pkt", text, "ipv4", { engine });
  return [verdict, reason];
}

function words(text: string): string[][][] {
  return readShell(text).map(({ commands }) => commands.map(({ words }) => [...words]));
}

Deno.test("shell: lists, pipes, quotes, redirections, remarks", () => {
  assertEquals(words("a b; c && d\ne"), [[["a", "b"]], [["c"]], [["d"]], [["e"]]]);
  assertEquals(words('a \'b c\' "d \\" e" f\\ g | h'), [[["a", "b c", 'd " e', "f g"], ["h"]]]);
  assertEquals(words("a \\\n b # c\n# d\n"), [[["a", "b"]]]);
  assertEquals(words("a > f 2>&1; b >> g; c 2> h; d < i"), [[["a"]], [["b"]], [["c"]], [["d"]]]);
  assertEquals(readShell("a > f; b 2> g").map(({ commands }) => commands[0].target), [
    "f",
    undefined,
  ]);
  assertEquals(readShell("! a | b")[0].negated, true);
  assertEquals(readShell(""), []);
  for (const text of ["a || b", "a 'b"]) assertThrows(() => readShell(text), Unsupported);
});

Deno.test("filters: what grep finds and says", () => {
  const lines = ["one 1", "two 2", "Three (3)"];
  assertEquals(grep(["grep", "o"], lines), { lines: ["one 1", "two 2"], ok: true });
  assertEquals(grep(["grep", "-c", "o"], lines), { lines: ["2"], ok: true });
  assertEquals(grep(["grep", "-vc", "o"], lines).lines, ["1"]);
  assertEquals(grep(["grep", "-q", "four"], lines), { lines: [], ok: false });
  assertEquals(grep(["grep", "-i", "-e", "THREE"], lines).ok, true);
  assertEquals(grep(["grep", "(3)"], lines).ok, true); // plain characters, in a basic pattern
  assertEquals(grep(["grep", "-E", "t(wo|hree) [0-9]"], lines).lines, ["two 2"]);
  assertEquals(grep(["grep", "-w", "on"], lines).ok, false);
  assertEquals(grep(["grep", "-x", "two 2"], lines).ok, true);
  assertEquals(grep(["grep", "-F", "."], lines).ok, false);
  const all = { lines, ok: true };
  assertEquals(filter(["wc", "-l"], all).lines, ["3"]);
  assertEquals(filter(["head", "-n1"], all).lines, ["one 1"]);
  assertEquals(filter(["tail", "-1"], all).lines, ["Three (3)"]);
  for (const program of ["sed", "awk"]) assertThrows(() => filter([program], all), Unsupported);
  assertThrows(() => grep(["grep"], lines), Unsupported);
  assertThrows(() => grep(["grep", "-Z", "a"], lines), Unsupported);
});

Deno.test("commands ask the stack for its sockets", async () => {
  for (
    const command of [
      "ss -tn | grep ESTAB",
      "ss -tan | grep -c LISTEN | grep 1",
      "! ss -tn | grep LISTEN",
      "ss -tln | grep 192.168.0.1:8080",
      "ss -tn state established | wc -l | grep 1",
      "netstat -an | grep ESTABLISHED",
      "grep -q ' 01 ' /proc/net/tcp",
      "cat /proc/net/tcp | grep 0100A8C0:1F90 | grep -c ' 0A ' | grep 1",
      "! grep ' 06 ' /proc/net/tcp",
      "sockstat -4 -P tcp -s | grep packetdril | grep -c ESTABLISHED | grep 1",
    ]
  ) assertEquals(await after(command), ["pass", ""], command);
  assertEquals(await after("ss -tn | grep TIME-WAIT"), ["fail", "the command fails"]);
  assertEquals((await after("ss -ti"))[0], "unsupported");
  assertEquals((await after("cat /etc/hosts"))[0], "unsupported");
});

Deno.test("commands ask for counters, each time for what is new", async () => {
  assertEquals(await after("nstat | grep TcpPassiveOpens"), ["pass", ""]);
  assertEquals((await after("nstat > /dev/null; nstat | grep TcpPassiveOpens"))[0], "fail");
  assertEquals(await after("nstat; nstat -a | grep TcpPassiveOpens"), ["pass", ""]);
  assertEquals(await after("! nstat | grep TcpOutRsts"), ["pass", ""]);
  assertEquals(await after("nstat | grep TcpExtNoSuch"), [
    "unsupported",
    "the counter TcpExtNoSuch",
  ]);
});

Deno.test("commands change routes, queues and settings", async () => {
  const write = "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n";
  assertEquals((await after("tc qdisc add dev tun0 root pfifo limit 0", write))[0], "fail");
  assertEquals(await after("tc qdisc replace dev tun0 root fq", write), ["pass", ""]);
  assertEquals((await after("tc qdisc add dev tun0 root netem delay 1ms"))[0], "unsupported");
  for (
    const command of [
      "echo 3 > /sys/module/tcp_cubic/parameters/hystart_detect",
      "echo 0 > /proc/sys/net/ipv4/tcp_sack",
      "ip tcp_metrics flush all > /dev/null 2>&1",
      "ip -6 route change ::/0 dev tun0 advmss 5",
      "ip route change 192.0.2.0/24 via 192.168.0.2 dev tun0 mtu lock 1400 initcwnd 20 advmss 500",
      "ethtool -K tun0 tso off gso off",
      "../common/sysctl_restore_1234.sh",
    ]
  ) assertEquals(await after(command), ["pass", ""], command);
  for (
    const command of [
      "echo 1 > /sys/kernel/mm/what",
      "ip route change default dev tun0 rto_min 5ms",
      "ip link set dev tun0 down",
    ]
  ) assertEquals((await after(command))[0], "unsupported", command);
});

Deno.test("commands make files in memory", async () => {
  const open = '+0 open("f", O_RDONLY) = 5\n+0 read(5, ..., 9000) = ';
  assertEquals(await after("dd bs=1k count=4 if=/dev/zero of=f", `${open}4096\n`), ["pass", ""]);
  assertEquals(await after("truncate -s 2000 f", `${open}2000\n`), ["pass", ""]);
  assertEquals(await after("head -c 100 /dev/zero > f", `${open}100\n`), ["pass", ""]);
  assertEquals(await after("touch f; rm -f f", '+0 open("f", 0) = -1 ENOENT\n'), ["pass", ""]);
  assertEquals((await after("dd of=f"))[0], "unsupported");
});
