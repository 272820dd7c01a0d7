/**
 * Reads the JUnit report of `deno test`.
 *
 * @module
 */

/** One test or step. */
export interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  readonly seconds: number;
}

const CASE =
  /<testcase name="([^"]*)" classname="([^"]*)" time="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs;
const ENTITIES: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Tests of a report; its files as paths below the working directory. */
export function readJunit(xml: string): TestResult[] {
  return [...xml.matchAll(CASE)].map(([, name, file, seconds, body = ""]) => ({
    file: decode(file).replace(/^\.\//, ""),
    name: decode(name),
    state: /<(failure|error)\b/.test(body)
      ? "failed"
      : body.includes("<skipped")
      ? "skipped"
      : "passed",
    seconds: Number(seconds),
  }));
}

function decode(text: string): string {
  return text.replace(/&(#x?)?(\w+);/g, (whole, numeric, body) => {
    if (!numeric) return ENTITIES[body] ?? whole;
    return String.fromCodePoint(parseInt(body, numeric === "#x" ? 16 : 10));
  });
}

/**
 * The file that `deno test` says it runs in this line of its output, if it has a test. One after
 * the other files are announced; in parallel each test's line begins with its file.
 */
export function loadedFile(line: string): string | undefined {
  const announced = /^running [1-9]\d* tests? from (?:\.\/)?(\S+)$/.exec(line);
  return (announced ?? /^\.\/(\S+_test\.ts) => /.exec(line))?.[1];
}

/**
 * Results of a run as a whole. A file that was to run and is not among the loaded ones could not be
 * loaded, or registers no test: one failure. So is a run that failed though no test did. (The
 * report itself names the file that registers a test, which may be a helper of the one that runs.)
 */
export function judgeRun(
  xml: string,
  files: readonly string[],
  loaded: ReadonlySet<string>,
  success: boolean,
): TestResult[] {
  const results = readJunit(xml);
  const fault = (file: string, name: string): TestResult => ({
    file,
    name,
    state: "failed",
    seconds: 0,
  });
  for (const file of files) {
    if (!loaded.has(file)) results.push(fault(file, "could not be loaded, or has no test"));
  }
  if (!success && !results.some(({ state }) => state === "failed")) {
    results.push(fault("deno test", "failed outside of any test"));
  }
  return results;
}
