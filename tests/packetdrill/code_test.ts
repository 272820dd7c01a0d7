/** Code blocks: expressions, statements, and what is refused. */

import { assertEquals, assertThrows } from "@std/assert";
import { CodeRunner } from "../../packetdrill/code.ts";
import { Mismatch, Unsupported } from "../../packetdrill/errors.ts";

const INFO = new Map([["tcpi_a", 5], ["tcpi_b", 12], ["TCPI_OPT_SACK", 2]]);

function printed(text: string): string[] {
  return new CodeRunner().run(text, INFO);
}

Deno.test("code: operators bind as in Python", () => {
  const cases: [string, string][] = [
    ["1 + 2 * 3 - 4 // 3", "6"],
    ["-7 // 2", "-4"],
    ["-7 % 3", "2"],
    ["2 ** 3 ** 2", "512"],
    ["1 << 4 | 3 & 2 ^ 8", "26"],
    ["not 1 == 2 and 3 < 4 <= 4", "True"],
    ["1 < 5 < 3", "False"],
    ["0 or 'x'", "x"],
    ["tcpi_a * 1000 == 5000", "True"],
    ["(tcpi_b & TCPI_OPT_SACK) != 0", "False"],
    ["abs(-3) + max(1, 2) + min((4, 5)) + int(2.9)", "11"],
    ["0x10 + .5", "16.5"],
    ["'%d of %s is %x' % (tcpi_a, 'b', 255)", "5 of b is ff"],
    ["'{} {1} {0}'.format(1, 2)", "1 2 1"],
    ["(1, 2)", "(1, 2)"],
    ["tcpi_a in (4, 5)", "True"],
    ["'a' 'b'", "ab"],
    ["None == None", "True"],
    ["~5", "-6"],
  ];
  for (const [text, result] of cases) assertEquals(printed(`print(str(${text}))`), [result], text);
});

Deno.test("code: statements by lines, semicolons and backslashes", () => {
  assertEquals(printed("x = 1; x += tcpi_a\nprint x, 'y' # z"), ["6 y"]);
  assertEquals(printed("assert tcpi_a == 5, \\\n  tcpi_a\nprint(1)"), ["1"]);
  assertEquals(printed("assert tcpi_a == 5 \\ assert tcpi_b == 12\nprint('ok')"), ["ok"]);
  assertEquals(printed("print()"), [""]);
});

Deno.test("code: names live on from block to block", () => {
  const runner = new CodeRunner();
  runner.run("n = tcpi_a", INFO);
  assertEquals(runner.run("print(n + 1)", INFO), ["6"]);
});

Deno.test("code: an assertion that fails tells the values", () => {
  const error = assertThrows(
    () => printed("assert tcpi_a == tcpi_b, 'no: %d' % tcpi_a"),
    Mismatch,
    "no: 5",
  );
  assertEquals(error.expected, "assert tcpi_a == tcpi_b, 'no: %d' % tcpi_a");
  assertEquals(error.got, "tcpi_a = 5, tcpi_b = 12");
});

Deno.test("code: all else is unsupported, whatever it is", () => {
  for (
    const text of [
      "import os",
      "if tcpi_a: pass",
      "open('x')",
      "tcpi_none",
      "x",
      "1 +",
      "(1",
      "'a",
      "$",
      "'a'.upper()",
      "1 / 0",
      "'a' * 2",
      "x = y = 1",
      "assert",
      "f(",
    ]
  ) assertThrows(() => printed(text), Unsupported, undefined, text);
});
