/** Verdicts: what passes, what fails and why, what is unsupported, and that nothing breaks off. */

import { assertEquals, assertMatch } from "@std/assert";
import { judge, type JudgeOptions, type Judgment, suits } from "../../packetdrill/judge.ts";
import { report } from "../../packetdrill/report.ts";
import { MODES } from "../../packetdrill/script_options.ts";
import engine from "../engine_checked_module.js";

const OPEN = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+.1 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
`;

function run(text: string, options: Partial<JudgeOptions> = {}): Promise<Judgment> {
  return judge("a.pkt", text, "ipv4", { engine, ...options });
}

async function verdict(text: string, options: Partial<JudgeOptions> = {}): Promise<string> {
  return (await run(text, options)).verdict;
}

Deno.test("a packet that differs: line, and both in script notation", async () => {
  const j = await run(OPEN + "+0 write(4, ..., 100) = 100\n+0 > . 1:201(200) ack 1\n");
  assertEquals([j.verdict, j.line], ["fail", 9]);
  assertEquals(j.expected, "0.100000 > . 1:201(200) ack 1");
  assertMatch(j.got, /> P\. 1:101\(100\) ack 1 win \d+/);
});

Deno.test("a packet that does not come, and one at the wrong time", async () => {
  const silent = await run(OPEN + "+0 > . 1:1(0) ack 1\n");
  assertEquals([silent.verdict, silent.reason, silent.got], ["fail", "no packet came", "nothing"]);
  const text = OPEN + "+0 write(4, ..., 100) = 100\n+.1 > P. 1:101(100) ack 1\n";
  assertMatch((await run(text)).reason, /at 0\.100000 instead of 0\.200000/);
  assertEquals(await verdict("--tolerance_usecs=100000\n" + text), "pass");
});

Deno.test("an unlisted packet fails the next expectation; at the end it is told", async () => {
  const text = OPEN + "+0 < F. 1:1(0) ack 1 win 65535\n+0 shutdown(4, SHUT_WR) = 0\n";
  assertEquals(await verdict(text + "+0 > F. 1:1(0) ack 2\n"), "fail");
  const j = await run(text);
  assertEquals([j.verdict, j.reason], ["pass", "2 packets came that the script does not list"]);
  assertEquals(await verdict("--tolerate_acks\n" + text + "+0 > F. 1:1(0) ack 2\n"), "pass");
});

Deno.test("results of calls: value, error, what comes beside them", async () => {
  assertEquals(await verdict(OPEN + "+0 write(4, ..., 100) = 99\n"), "fail");
  const wrong = await run(OPEN + "+0 bind(4, ..., ...) = -1 EADDRINUSE\n");
  assertMatch(wrong.got, /bind\(\.\.\.\) = -1 EINVAL/);
  const get = "+0 getsockopt(4, IPPROTO_TCP, TCP_NODELAY, [1], [4]) = 0\n";
  assertEquals((await run(OPEN + get)).reason, "it is 0");
  assertEquals(await verdict(OPEN + "+0 read(4, ..., 10) = 0\n"), "fail");
});

Deno.test("calls that wait: they end on time, or not at all", async () => {
  const data = "+.1 < P. 1:11(10) ack 1 win 65535\n";
  assertEquals(await verdict(OPEN + "+0...0.1 read(4, ..., 10) = 10\n" + data), "pass");
  const late = await run(OPEN + "+0...0.05 read(4, ..., 10) = 10\n" + data);
  assertMatch(late.reason, /the call ended at 0\.200000 instead of 0\.150000/);
  const never = await run(OPEN + "+0...0.05 read(4, ..., 10) = 10\n");
  assertEquals([never.reason, never.line], ["the call does not end", 8]);
});

Deno.test("what the stack does not have is unsupported, and named", async () => {
  const cases: [string, RegExp][] = [
    ["+0 `iptables -F`\n", /command iptables -F/],
    ["+0 `sysctl -w net.ipv4.tcp_no_such_thing=3`\n", /tcp_no_such_thing/],
    ["+0 > A. 1:1(0) ack 1\n", /Accurate ECN/],
    ["+0 `sysctl -w net.ipv4.tcp_ecn=3`\n", /net\.ipv4\.tcp_ecn=3/],
    ["+0 setsockopt(4, SOL_SOCKET, SO_TIMESTAMP, [1], 4) = 0\n", /SO_TIMESTAMP/],
    ["+0 setsockopt(4, IPPROTO_IP, IP_RECVTOS, [1], 4) = 0\n", /IP_RECVTOS = 1/],
    ["+0 getsockopt(4, SOL_UDP, 1, [0], [4]) = 0\n", /level SOL_UDP/],
    ["+0 send(4, ..., 10, MSG_PROBE) = 10\n", /MSG_PROBE/],
    ["+0 > . 1:1(0) ack 1 <md5 00000000000000000000000000000000,nop,nop>\n", /MD5/],
    ["+0 psp_rx_assoc(4, [1]) = 0\n", /the call psp_rx_assoc/],
    ["+0 %{ assert tcpi_no_such_field == 0 }%\n", /tcpi_no_such_field/],
    ["+0 %{ import os }%\n", /import/],
    ["+0 connect(4, {sa_family = AF_UNIX}, 16) = 0\n", /AF_UNIX/],
  ];
  for (const [line, reason] of cases) {
    const j = await run(OPEN + line);
    assertEquals([j.verdict, j.line], ["unsupported", 8], line);
    assertMatch(j.reason, reason);
  }
  for (const mode of ["ipv4-mapped-ipv6", "ipv6"] as const) {
    assertEquals((await judge("a.pkt", OPEN, mode, { engine })).verdict, "unsupported");
  }
});

Deno.test("commands are never run; settings reach the stack", async () => {
  const text = "`../common/defaults.sh\n../common/set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0`\n" +
    OPEN.replace("<mss 1000>", "<mss 1000,sackOK,nop,nop>");
  assertEquals(await verdict(text), "pass");
  const count = (state: string, n: number) =>
    OPEN + `+0 \`sockstat -4 -P tcp -s | grep packetdril | grep -c ${state} | grep ${n}\`\n`;
  assertEquals(await verdict(count("ESTABLISHED", 1)), "pass");
  assertEquals(await verdict(count("ESTABLISHED", 2)), "fail");
  assertEquals(await verdict(count("LISTEN", 1)), "pass");
  const dropped = OPEN + "+0 `tc qdisc replace dev tun0 root pfifo limit 0`\n" +
    "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n";
  assertEquals((await run(dropped)).reason, "no packet came");
  const slept = OPEN + "+0 `sleep 1`\n1.1 write(4, ..., 10) = 10\n1.1 > P. 1:11(10) ack 1\n";
  assertEquals(await verdict(slept), "pass");
  assertEquals(await verdict(OPEN + "+0 `nstat | grep TcpPassiveOpens`\n"), "pass");
  assertEquals(await verdict(OPEN + "+0 `nstat | grep TcpOutRsts`\n"), "fail");
});

Deno.test("lenient reading", async () => {
  const text = OPEN.replace("ack 1 <mss 1460>", "ack 1 win 7 <mss 1,nop,wscale 3>") +
    "+0 getsockopt(4, SOL_SOCKET, SO_RCVBUF, [1], [4]) = 0\n";
  assertEquals(await verdict(text), "fail");
  assertEquals(await verdict(text, { lenient: true }), "pass");
});

Deno.test("scripts that cannot be read fail with a reason", async () => {
  for (
    const text of [
      "",
      "nonsense",
      "0 close(",
      "0 < . 1:1(0) ack 1",
      "\u0000\u0001",
      "0 read(7, ..., 1) = 0",
      "0 write(3) = 0",
      "--mtu=x\n0 close(3) = 0",
      "0 poll(3, 1, 0) = 0",
      "0.1 close(3) = 0",
      OPEN + "+0 accept(3, ..., ...) = 4",
      OPEN + "+0 pipe([4, 5]) = 0",
      OPEN + "+0 open(5, O_RDONLY) = 5",
      OPEN + "+0 write(4, ..., -1) = 0",
      OPEN + "+0 epoll_wait(4, {events=1, fd=4}, 1, 0) = 0",
      OPEN + "+0 < . 1:65500(65499) ack 1 win 1",
      OPEN + "+0 < . 1:1(0) ack 1 win 1 <nop>",
      OPEN + "+0 < . 1:1(0) ack 1 win 1 <nop,nop,TS val 1 ecr 77>",
    ]
  ) {
    const j = await run(text);
    assertEquals(j.verdict, "fail", text);
    assertEquals(j.reason.length > 0 && !/broke off/.test(j.reason), true, `${text}: ${j.reason}`);
  }
});

Deno.test("modes: the name of a file and its options leave some out", async () => {
  const modesOf = (file: string, text = "") => MODES.filter((mode) => suits(file, text, mode));
  assertEquals(modesOf("a.pkt"), [...MODES]);
  assertEquals(modesOf("x-v6.pkt"), ["ipv6"]);
  assertEquals(modesOf("x-ipv4.pkt"), ["ipv4", "ipv4-mapped-ipv6"]);
  assertEquals(modesOf("a.pkt", "--ip_version=ipv4_mapped_ipv6\n"), ["ipv4-mapped-ipv6"]);
  const other = await judge("x-v6.pkt", OPEN, "ipv4", { engine });
  assertEquals([other.verdict, other.mode], ["unsupported", "ipv4"]);
});

Deno.test("the report counts the three apart", () => {
  const plain = { file: "d/a.pkt", mode: "ipv4", line: 1, expected: "", got: "" } as const;
  const text = report([
    { ...plain, verdict: "pass", reason: "" },
    { ...plain, verdict: "fail", reason: "why" },
    { ...plain, verdict: "unsupported", reason: "IPv6" },
    { ...plain, verdict: "unsupported", reason: "IPv6" },
  ]);
  assertMatch(text, /^d\s+ipv4\s+1\s+1\s+2$/m);
  assertMatch(text, /^all\s+1\s+1\s+2$/m);
  assertMatch(text, /^d\/a\.pkt:1 \[ipv4\] why$/m);
  assertMatch(text, /^\s+2\s+IPv6$/m);
});

Deno.test("the command: JSON on standard output, exit status 1 if something failed", async () => {
  const folder = await Deno.makeTempDir();
  const main = new URL("../../packetdrill/main.ts", import.meta.url).pathname;
  const packetdrill = (...args: string[]) =>
    new Deno.Command(Deno.execPath(), { args: ["run", "-A", main, ...args] }).output();
  try {
    await Deno.writeTextFile(`${folder}/good.pkt`, OPEN);
    await Deno.writeTextFile(`${folder}/bad.pkt`, OPEN + "+0 close(N) = 0\n");
    const failed = await packetdrill(folder, "--json", "--mode", "ipv4", "--define", "N=77");
    assertEquals(failed.code, 1);
    const verdicts = JSON.parse(new TextDecoder().decode(failed.stdout));
    assertEquals(verdicts.map((v: Judgment) => v.verdict), ["fail", "pass"]);
    assertEquals(Object.keys(verdicts[0]), [
      "file",
      "mode",
      "verdict",
      "line",
      "expected",
      "got",
      "reason",
    ]);
    assertEquals((await packetdrill(folder, "-D", "N=4")).code, 0);
    assertEquals((await packetdrill(`${folder}/none.pkt`)).code, 2);
    assertEquals((await packetdrill(folder, "--no-such-option")).code, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
