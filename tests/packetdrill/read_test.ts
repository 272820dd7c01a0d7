/** Reading scripts: tokens, branches, options, times, packets and calls. */

import { assertEquals, assertThrows } from "@std/assert";
import type { Call, Packet, TcpBody } from "../../packetdrill/ast.ts";
import { ScriptError, Unsupported } from "../../packetdrill/errors.ts";
import { parseFlags, showFlags } from "../../packetdrill/flags.ts";
import { Lexer } from "../../packetdrill/lexer.ts";
import { parseScript } from "../../packetdrill/parser.ts";
import { chooseBranches, readOptions } from "../../packetdrill/preprocess.ts";
import { showPacket } from "../../packetdrill/show.ts";

function tokens(text: string): string[] {
  const lexer = new Lexer(text);
  const found: string[] = [];
  for (let t = lexer.take(); t.kind !== "end"; t = lexer.take()) found.push(`${t.kind} ${t.text}`);
  return found;
}

/** The packet of a script of one line. */
function packet(line: string): Packet {
  const [{ action }] = parseScript(`0 ${line}\n`).events;
  if (action.kind !== "packet") throw new Error(line);
  return action;
}

function tcp(line: string): TcpBody {
  const { body } = packet(line);
  if (body.kind !== "tcp") throw new Error(line);
  return body;
}

function call(line: string): Call {
  const [{ action }] = parseScript(`0 ${line}\n`).events;
  if (action.kind !== "call") throw new Error(line);
  return action;
}

Deno.test("lexer: the longest token wins", () => {
  assertEquals(tokens("0...0.300"), ["integer 0", "ellipsis ...", "float 0.300"]);
  assertEquals(tokens("+.1...0.2"), ["char +", "float .1", "ellipsis ...", "float 0.2"]);
  assertEquals(tokens("1:1001(1000)").map((t) => t.split(" ")[1]), [
    "1",
    ":",
    "1001",
    "(",
    "1000",
    ")",
  ]);
  assertEquals(tokens("192.168.0.1 1.5 0x1F -3"), [
    "address 192.168.0.1",
    "float 1.5",
    "hex 0x1F",
    "integer -3",
  ]);
  assertEquals(tokens("fd3d:0a0b:17d6::1 ::1"), ["address fd3d:0a0b:17d6::1", "address ::1"]);
});

Deno.test("lexer: comments, strings, commands and code", () => {
  assertEquals(tokens('a // b\n/* c\n d */ "x\\n\\x41\\"" `ls\n-l` %{ p }%'), [
    "word a",
    'string x\nA"',
    "command ls\n-l",
    "code  p ",
  ]);
  for (const broken of ["/* a", '"a', "`a", "%{ a"]) {
    assertThrows(() => tokens(broken), ScriptError, undefined, broken);
  }
  const lexer = new Lexer("a\n\n  b");
  lexer.take();
  assertEquals(lexer.take().line, 3);
});

/** Definitions with these names. */
function table(names: readonly string[]): Map<string, string> {
  return new Map(names.map((name) => [name, "1"]));
}

Deno.test("branches: lines keep their numbers", () => {
  const text = "a\n#ifdef X\nb\n#ifdef Y\nc\n#endif\n#else\nd\n#endif\ne";
  const on = (...names: string[]) => chooseBranches(text, table(names));
  assertEquals(on("X"), "a\n\nb\n\n\n\n\n\n\ne");
  assertEquals(on("X", "Y"), "a\n\nb\n\nc\n\n\n\n\ne");
  assertEquals(on(), "a\n\n\n\n\n\n\nd\n\ne");
  for (const broken of ["#endif", "#ifdef A\n", "#define", "#else"]) {
    assertThrows(() => chooseBranches(broken, table(["A"])), ScriptError);
  }
  const defined = table([]);
  chooseBranches("#define A 0x10 // ten\n#define B\n#ifndef B\n#define C\n#endif", defined);
  assertEquals([...defined], [["A", "0x10"], ["B", "1"]]);
  chooseBranches("#undef A\n", defined);
  assertEquals(defined.has("A"), false);
});

Deno.test("options: with and without a value, behind comments", () => {
  const text = '// c\n--a=1 --b\n--define=X="y z"\n--c=`d e`\n0 close(3) = 0';
  const { options, end } = readOptions(text);
  assertEquals(options, [["a", "1"], ["b", ""], ["define", 'X="y z"'], ["c", "`d e`"]]);
  assertEquals(text.slice(end), "0 close(3) = 0");
});

Deno.test("symbols: the runner's override the script's; STANDARD is always there", () => {
  const text =
    "--define=N=5\n#ifdef STANDARD\n0 close(N) = M\n#endif\n#ifdef FreeBSD\n0 x\n#endif\n";
  const [{ action }] = parseScript(text, { defines: new Map([["M", "7"]]) }).events;
  assertEquals((action as Call).args, [{ kind: "number", value: 5 }]);
  assertEquals((action as Call).result, { kind: "number", value: 7 });
  const over = parseScript(text, { defines: new Map([["N", "9"], ["M", "0"]]) }).events[0].action;
  assertEquals((over as Call).args, [{ kind: "number", value: 9 }]);
});

Deno.test("times: absolute, relative, windows, any, and calls that wait", () => {
  const { events } = parseScript(
    "0 close(3) = 0\n+.5 close(3) = 0\n1~2 > . 1:1(0)\n+0~+5 > . 1:1(0)\n* > . 1:1(0)\n" +
      "+.1...0.2 close(3) = 0\n",
  );
  assertEquals(events.map(({ when }) => when), [
    { kind: "abs", at_us: 0 },
    { kind: "rel", at_us: 500_000 },
    { kind: "abs", at_us: 1_000_000, until_us: 2_000_000 },
    { kind: "rel", at_us: 0, until_us: 5_000_000 },
    { kind: "any", at_us: 0 },
    { kind: "rel", at_us: 100_000, end_us: 200_000 },
  ]);
  for (
    const broken of [
      "1 close(3) = 0\n0 close(3) = 0",
      "* close(3) = 0",
      "0~1 < . 1:1(0) win 1",
      "0~1 close(3) = 0",
      "0...1 > . 1:1(0)",
      "2~1 > . 1:1(0)",
      "-1 close(3) = 0",
      "",
      "`a`",
      "0 close(3) = 0\n`a`\n0 close(4) = 0",
      "0.1 close(3) = 0",
      "+1 close(3) = 0",
    ]
  ) assertThrows(() => parseScript(broken), ScriptError, undefined, broken);
});

Deno.test("control bits: letters, ACE, none", () => {
  assertEquals(parseFlags("FP."), 0x19);
  assertEquals(parseFlags("SEWA"), 0x1c2);
  assertEquals(parseFlags(".5"), 0x10 | 0x100 | 0x40);
  assertEquals(parseFlags("-"), 0);
  assertEquals(parseFlags("X"), undefined);
  for (const text of ["F.", "SEW", "P.U", "R", "-", "S."]) {
    assertEquals(showFlags(parseFlags(text)!), text);
  }
  assertEquals(tcp("> .5 1:1(0) ack 1").flags, 0x150);
});

Deno.test("packets are shown as they were written", () => {
  for (
    const line of [
      "> P. 1:1001(1000) ack 1 win 256 urg 3 <nop,nop,TS val 100 ecr 200>",
      "< S 0:0(0) win 65535 <mss 1460,sackOK,nop,nop,nop,wscale 7>",
      "> . 1:1(0) ack 1 <nop,nop,sack 1001:2001 3001:4001>",
      "> . 1:1(0) ack 1 <...>",
      "< [ce] . 1:1(0) ack 1 win 5",
      "> [tos 0x28,ttl 64] . 1:1(0) ack 1",
      "< 40001 > 8080 S 0:0(0) win 1",
      "< S 0:0(0) win 1 <FO aabb,FOEXP>",
      "< icmp unreachable frag_needed mtu 1200 [1:1001(1000)]",
      "< icmp time_exceeded exceeded_in_transit [0:0(0)]",
      "> udp (100)",
      "> . ...(0) ack 1",
      "> R 1:1(0)!",
      "> . 1:1(0) ack 1 <nop,nop,TS val ... ecr 7!>",
      "> [dscp 0x2e,ttl 64] . 1:1(0) ack 1",
    ]
  ) assertEquals(showPacket(packet(line)), line);
  for (
    const [line, shown] of [
      ["> [ecn ect0, hlim 3] . 1:1(0)", "> [ect0,ttl 3] . 1:1(0)"],
      ["> (class 0x10) . 1:1(0)", "> [tos 0x10] . 1:1(0)"],
      ["> [dscp ef] . 1:1(0)", "> [dscp 0x2e] . 1:1(0)"],
      [
        "< . 1:1(0) win 1 <ECN e1b 1 ceb 2 e0b 3,nop>",
        "< . 1:1(0) win 1 <kind_174 000001000002000003,nop>",
      ],
      [
        "< . 1:1(0) win 1 <AccECN0 EE0B 1,nop,nop,nop>",
        "< . 1:1(0) win 1 <kind_172 000001,nop,nop,nop>",
      ],
      ["< S 0:0(0) win 1 <exp-TARR 3,nop,nop>", "< S 0:0(0) win 1 <kind_254 00ac0060,nop,nop>"],
    ]
  ) assertEquals(showPacket(packet(line)), shown);
  assertEquals(
    packet("< [4294967295:4294967295(0)] icmp time_exceeded ttl_exceeded_in_transit"),
    packet("< icmp time_exceeded exceeded_in_transit [4294967295:4294967295(0)]"),
  );
});

Deno.test("packets: numbers wrap, spaces and commas are free", () => {
  assertEquals(tcp("< . 4294967295:9(10) ack 1 win 1").length, 10);
  assertEquals(tcp("> S 0:0(0) <mss 1460 , sackOK, eol,eol>").options.length, 4);
  assertEquals(packet("<[noecn]  SEW  0:0(0) win 1").ip, { ecn: "noecn" });
  assertEquals(packet("<(ect0) . 1:1(0) ack 1 win 1").ip, { ecn: "ect0" });
  assertEquals(tcp("> R 5:5(0)").options, []);
  const body = packet("< icmp unreachable [5000:6000(1000)]").body;
  assertEquals(body.kind === "icmp" && [body.type, body.code], [3, 0]);
});

Deno.test("packets that cannot be", () => {
  for (
    const line of [
      "< . 1:1(0) ack 1",
      "< . 1:5(3) ack 1 win 1",
      "> Q 1:1(0)",
      "< . 1:1(0) ack 1 win 1 <...>",
      "< . 1:1(0) ack win 1",
      "< [xyz] . 1:1(0) ack 1 win 1",
      "< icmp nonsense [1:1(0)]",
      "< S 0:0(0) win 1 <FO abc>",
      "< . 1:1(0) ack 1 win 65536",
      "< . 1:1(0) ack 4294967296 win 1",
      "< . 1:1(0) ack 1 win 1 urg 65536",
      "< . 4294967296:4294967296(0) win 1",
      "< 70000 > 1 . 1:1(0) win 1",
      "< [ttl 256] . 1:1(0) win 1",
      "< [ect01] . 1:1(0) win 1",
      "< ...(0) win 1",
      "< . 1:1(0) win 1 <nop>",
      "< . 1:1(0) win 1 <mss 65536>",
      "< . 1:1(0) win 1 <sack>",
      "> . 1:1(0) <ECN e0b 1 e1b 2,nop>",
      "< . 1:1(0) win 1 <TS val ... ecr 1,nop,nop>",
    ]
  ) assertThrows(() => packet(line), ScriptError, undefined, line);
  for (
    const line of [
      "< gre: . 1:1(0) ack 1 win 1",
      "> [flowlabel 0x12] . 1:1(0)",
      "< S 0:0(0) win 1 <tmp 5>",
      "< icmp packet_too_big mtu 1280 [1:1(0)]",
    ]
  ) assertThrows(() => packet(line), Unsupported, undefined, line);
});

Deno.test("calls: arguments, results, errors and remarks", () => {
  const fcntl = call("fcntl(3, F_SETFL, O_RDWR | O_NONBLOCK) = 0 (flags (a) b)");
  assertEquals(fcntl.args[2].kind, "or");
  const connect = call("connect (3, ..., ...) = -1 EINPROGRESS (Operation now in progress)");
  assertEquals([connect.errno, connect.name], ["EINPROGRESS", "connect"]);
  assertEquals(connect.text, "connect (3, ..., ...) = -1 EINPROGRESS");
  const poll = call("poll([{fd=4, events=POLLIN, revents=0}], 1, 0) = 0x2");
  assertEquals(poll.result, { kind: "number", value: 2 });
  const send = call(
    'sendmsg(4, {msg_name(...)=..., msg_iov(1)=[{"a" "b", 2}], msg_flags=0}, 0) = 2',
  );
  const record = send.args[1];
  assertEquals(record.kind === "record" && record.fields.map(({ name }) => name), [
    "msg_name",
    "msg_iov",
    "msg_flags",
  ]);
  assertEquals(call("write(4,\n ...,\n 5) = 5").args.length, 3);
  for (const broken of ["close(3 = 0", "close(3)", "close 3 = 0", "close(;) = 0"]) {
    assertThrows(() => call(broken), ScriptError, undefined, broken);
  }
});
