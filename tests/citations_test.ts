/**
 * What RFC 9293 and RFC 5681 demand, from the requirement to the code to the test: the tables of
 * docs/requirements.md name files, and the files cite the requirement.
 *
 * A citation is the RFC's own number, `MUST-12`, or `RFC 5681 3.1-4`, which the table explains; in
 * a comment of the code, in a comment or a name of the test.
 */

import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const DOCUMENT = "docs/requirements.md";
/** Folders whose files cite, and what the files are called. */
const CITING: readonly [folder: string, files: RegExp][] = [
  ["assembly", /\.ts$/],
  ["runtime", /\.ts$/],
  ["tests", /\.(ts|pkt)$/],
];
const STATES = ["met", "not met", "n/a"] as const;
/** How many of each kind RFC 9293 has (appendix B). */
const NUMBERED = { MUST: 69, SHLD: 31, REC: 1, MAY: 18 } as const;

/** One row of a table. */
interface Requirement {
  readonly rfc: string;
  /** `MUST-12` or, for RFC 5681, `3.1-4`. */
  readonly id: string;
  readonly state: string;
  /** Files below assembly/, or the reason. */
  readonly code: string;
  /** Files below tests/. */
  readonly tests: string;
}

/** The rows of the tables. */
function parse(text: string): Requirement[] {
  const rows: Requirement[] = [];
  let rfc = "";
  for (const line of text.split("\n")) {
    rfc = line.match(/^## RFC (\d+)/)?.[1] ?? rfc;
    const cells = line.split("|").map((cell) => cell.trim());
    const [, id, , , state, code, tests] = cells;
    if (!/^((MUST|SHLD|REC|MAY)-\d+|\d(\.\d)?-\d+)$/.test(id ?? "")) continue;
    rows.push({ rfc, id, state, code, tests });
  }
  return rows;
}

/** Paths that a cell names, below a folder unless they say otherwise. */
function paths(cell: string, folder: string): string[] {
  return [...cell.matchAll(/`([\w./-]+\.(?:ts|pkt))`/g)].map(([, path]) =>
    path.startsWith("runtime/") ? path : `${folder}/${path}`
  );
}

/** Numbers of RFC 5681, also several in a row, on over the end of a line of a comment. */
const FIVE = /\bRFC 5681 \d(?:\.\d)?-\d+(?:,\s*(?:\*|\/\/)?\s*\d(?:\.\d)?-\d+)*/g;

/** The requirements that a text cites, as `9293 MUST-12` and `5681 3.1-4`. */
function citations(text: string): Set<string> {
  const found = new Set<string>();
  for (const [id] of text.matchAll(/\b(?:MUST|SHLD|REC|MAY)-\d+\b/g)) found.add(`9293 ${id}`);
  for (const [list] of text.matchAll(FIVE)) {
    for (const [id] of list.slice(8).matchAll(/\d(?:\.\d)?-\d+/g)) found.add(`5681 ${id}`);
  }
  return found;
}

/** Files below a folder, as paths in the project. */
function* files(folder: string, wanted: RegExp): Generator<string> {
  for (const entry of Deno.readDirSync(new URL(folder, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* files(path, wanted);
    else if (wanted.test(entry.name) && path !== "tests/citations_test.ts") yield path;
  }
}

const document = await Deno.readTextFile(new URL(DOCUMENT, ROOT));
const rows = parse(document);
const cited = new Map<string, Set<string>>();
for (const [folder, wanted] of CITING) {
  for (const path of files(folder, wanted)) {
    cited.set(path, citations(Deno.readTextFileSync(new URL(path, ROOT))));
  }
}

Deno.test("citations: the tables have every requirement, each once", () => {
  const ids = rows.map(({ rfc, id }) => `${rfc} ${id}`);
  assertEquals(ids.length, new Set(ids).size, "rows and different requirements");
  const expected = Object.entries(NUMBERED).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, i) => `9293 ${kind}-${i + 1}`)
  );
  assertEquals(ids.filter((id) => id.startsWith("9293")).toSorted(), expected.toSorted());
  // those of RFC 5681 are counted in each section from 1
  const last = new Map<string, number>();
  for (const { id } of rows.filter(({ rfc }) => rfc === "5681")) {
    const [section, number] = id.split("-");
    assertEquals(Number(number), (last.get(section) ?? 0) + 1, `RFC 5681 ${id}`);
    last.set(section, Number(number));
  }
  assertEquals([...last.keys()], ["2", "3", "3.1", "3.2", "4.1", "4.2", "4.3"]);
});

Deno.test("citations: what is met is cited by the code and by the test that the row names", () => {
  const faults: string[] = [];
  for (const { rfc, id, state, code, tests } of rows) {
    if (state !== "met") continue;
    const places = [...paths(code, "assembly"), "", ...paths(tests, "tests")];
    if (places[0] === "") faults.push(`${id}: no code`);
    if (places.at(-1) === "") faults.push(`${id}: no test`);
    for (const path of places.filter((place) => place !== "")) {
      if (!cited.has(path)) faults.push(`${id}: there is no ${path}`);
      else if (!cited.get(path)!.has(`${rfc} ${id}`)) faults.push(`${id}: not cited by ${path}`);
    }
    const shown = paths(tests, "tests").filter((path) => !/(_test\.ts|\.pkt)$/.test(path));
    for (const path of shown) faults.push(`${id}: ${path} is no test`);
  }
  assertEquals(faults, []);
});

Deno.test("citations: what is not met has its reason", () => {
  for (const { id, state, code, tests } of rows) {
    const may = id.startsWith("MAY");
    assert(may ? /^(taken|not taken)$/.test(state) : STATES.some((s) => s === state), id);
    if (state === "met" || state === "taken") continue;
    assert(/\w{2}/.test(code) && tests === "", `${id}: the reason, and no test`);
  }
});

Deno.test("citations: no file cites a requirement that there is not", () => {
  const known = new Set(rows.map(({ rfc, id }) => `${rfc} ${id}`));
  const strangers = [...cited].flatMap(([path, ids]) =>
    [...ids].filter((id) => !known.has(id)).map((id) => `${path}: ${id}`)
  );
  assertEquals(strangers, []);
});

Deno.test("citations: the counts of the document are right", () => {
  const count = (prefix: string, state: string) =>
    rows.filter((row) => `${row.rfc} ${row.id}`.startsWith(prefix) && row.state === state).length;
  const kinds = [["MUST", "9293 MUST"], ["SHOULD", "9293 SHLD"], ["RFC 5681", "5681 "]];
  const lines = kinds.map(([name, prefix]) =>
    `${name}: ${STATES.map((state) => `${count(prefix, state)} ${state}`).join(", ")}`
  );
  console.log(lines.join("; "));
  const told = [...document.matchAll(/^- (.*: \d+ met, \d+ not met, \d+ n\/a)/gm)];
  assertEquals(told.map(([, line]) => line), lines);
});
