/**
 * Runs the code blocks of scripts: assertions about TCP_INFO, in the small part of Python that
 * scripts use.
 *
 * @module
 */

import { CodeParser, type Statement } from "./code_parser.ts";
import { CodeFault, evaluate, show, truth, type Value } from "./code_value.ts";
import { Mismatch, Unsupported } from "./errors.ts";

/** One name space for all blocks of a script. */
export class CodeRunner {
  readonly #names = new Map<string, Value>();

  /**
   * Runs a block.
   *
   * @param text what stands between the braces
   * @param info the fields of TCP_INFO now, and constants
   * @returns the lines that it printed
   * @throws Mismatch for an assertion that fails, Unsupported for what is not known
   */
  run(text: string, info: ReadonlyMap<string, number>): string[] {
    const printed: string[] = [];
    const lookUp = (name: string) => this.#lookUp(name, info);
    for (const statement of new CodeParser(text).statements()) {
      this.#step(statement, lookUp, printed);
    }
    return printed;
  }

  #lookUp(name: string, info: ReadonlyMap<string, number>): Value {
    const own = this.#names.get(name) ?? info.get(name);
    if (own !== undefined) return own;
    if (name.startsWith("tcpi_")) throw new Unsupported(`the TCP_INFO field ${name}`);
    throw new Unsupported(`the name ${name} in a code block`);
  }

  #step(s: Statement, lookUp: (name: string) => Value, printed: string[]): void {
    try {
      if (s.kind === "assert") {
        if (truth(evaluate(s.test, lookUp))) return;
        const said = s.message ? `: ${show(evaluate(s.message, lookUp))}` : "";
        throw new Mismatch(`an assertion fails${said}`, s.text, this.#operands(s, lookUp));
      } else if (s.kind === "print") {
        printed.push(s.items.map((item) => show(evaluate(item, lookUp))).join(" "));
      } else if (s.kind === "assign") {
        this.#names.set(s.name, evaluate(s.value, lookUp));
      } else {
        evaluate(s.value, lookUp);
      }
    } catch (error) {
      if (error instanceof CodeFault) throw new Unsupported(`${error.message} in a code block`);
      throw error;
    }
  }

  /** The values of the fields that an assertion names. */
  #operands(s: Statement & { kind: "assert" }, lookUp: (name: string) => Value): string {
    const names = [...new Set(s.text.match(/\b[A-Za-z_]\w*\b/g) ?? [])];
    return names.filter((name) => name.startsWith("tcpi_") || this.#names.has(name))
      .map((name) => `${name} = ${show(lookUp(name))}`).join(", ");
  }
}
