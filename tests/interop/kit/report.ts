/** What the program that runs the cases tells the tests, line by line. */

/** What became of one case. */
export interface CaseReport {
  readonly name: string;
  /** Empty if the case holds. */
  readonly error: string;
}

/** Begins each line with a report. */
export const REPORT_MARK = "\u0001case ";
/** Name under which the program reports what fails before the cases and after them. */
export const SETUP = "setup";
/** Name of the last thing that the program tries. */
export const CLEAN = "all memory and all descriptors come back";
