/** The checked engine: asserts on, and with the probes of assembly/index_checked.ts. */
declare const engine: WebAssembly.Module;
export default engine;
