import { assertEquals } from "@std/assert";
import { judgeRun, loadedFile, readJunit } from "./junit.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.010">
    <testsuite name="./tests/a_test.ts" tests="4" disabled="1" errors="0" failures="1">
        <testcase name="a &lt;1&gt; &#39;" classname="./tests/a_test.ts" time="0.250">
        </testcase>
        <testcase name="b" classname="./tests/a_test.ts" time="0.000" line="2" col="6">
            <skipped/>
        </testcase>
        <testcase name="c" classname="./tests/a_test.ts" time="0.002" line="3" col="6">
            <failure message="Uncaught Error: x">Error: &lt;skipped/&gt;</failure>
        </testcase>
        <testcase name="d" classname="./tests/a_test.ts" time="0.002" line="4" col="6"/>
    </testsuite>
</testsuites>
`;
const none = new Set<string>();
const states = (results: ReturnType<typeof readJunit>) =>
  results.map(({ file, name, state }) => `${file} ${name} ${state}`);

Deno.test("readJunit tells passed, failed and skipped tests", () => {
  assertEquals(states(readJunit(REPORT)), [
    "tests/a_test.ts a <1> ' passed",
    "tests/a_test.ts b skipped",
    "tests/a_test.ts c failed",
    "tests/a_test.ts d passed",
  ]);
  assertEquals(readJunit(REPORT)[0].seconds, 0.25);
});

Deno.test("judgeRun counts files that could not be loaded", () => {
  const loaded = new Set(["tests/a_test.ts"]);
  const results = judgeRun(REPORT, ["tests/a_test.ts", "tests/b_test.ts"], loaded, false);
  assertEquals(
    states(results).at(-1),
    "tests/b_test.ts could not be loaded, or has no test failed",
  );
  assertEquals(judgeRun(REPORT, ["tests/a_test.ts"], loaded, false).length, 4);
});

Deno.test("loadedFile reads the lines that name a file with tests", () => {
  assertEquals(loadedFile("running 3 tests from ./tests/a_test.ts"), "tests/a_test.ts");
  assertEquals(loadedFile("running 1 test from ./tests/a_test.ts"), "tests/a_test.ts");
  assertEquals(loadedFile("./tests/a_test.ts => a test ... ok (1ms)"), "tests/a_test.ts");
  assertEquals(loadedFile("running 0 tests from ./tests/b_test.ts"), undefined);
  assertEquals(loadedFile("a test that is running 1 test from here"), undefined);
});

Deno.test("judgeRun counts a failure outside of any test", () => {
  const passed = REPORT.replace(/<failure.*<\/failure>/, "");
  assertEquals(judgeRun(passed, [], none, true).some(({ state }) => state === "failed"), false);
  assertEquals(
    states(judgeRun(passed, [], none, false)).at(-1),
    "deno test failed outside of any test failed",
  );
  assertEquals(judgeRun("", [], none, false).length, 1);
});
