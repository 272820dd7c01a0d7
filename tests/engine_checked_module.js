// @ts-self-types="./engine_checked_module.d.ts"
/** The checked engine as a module; `build.ts --checked` makes it. For tests only. */
import source engine from "../runtime/wasm/engine_checked.wasm";

export default engine;
