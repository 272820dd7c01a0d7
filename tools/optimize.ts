/**
 * Optimizes a compiled module with Binaryen, for speed where packets pass and for size everywhere
 * else. Putting functions into their callers makes the packet path faster and everything larger, so
 * only tiny functions, functions with one caller and those of {@link HOT} are put there.
 *
 * @module
 */

import binaryen from "binaryen";
import { HOT } from "./hot.ts";

/** What the compiler may use, and so may the optimizer; all of it is in every host. */
const FEATURES = binaryen.Features.MutableGlobals | binaryen.Features.SignExt |
  binaryen.Features.NontrappingFPToInt | binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt | binaryen.Features.SIMD128;
/** Nodes of a function that always goes into its callers: hardly more than the call itself. */
const TINY = 12;
/** Nodes of a function that goes into its only caller. */
const ONE_CALLER = 1000;
/** Nodes of a function of the packet path that goes into its callers. */
const HOT_NODES = 200;

/** The module, optimized; names of functions are kept if `named`, with the same code. */
export function optimize(wasm: Uint8Array, named = false): Uint8Array<ArrayBuffer> {
  const module = binaryen.readBinary(wasm);
  try {
    module.setFeatures(FEATURES);
    binaryen.setOptimizeLevel(3);
    binaryen.setShrinkLevel(0);
    binaryen.setZeroFilledMemory(true);
    binaryen.setGenerateStackIR(true);
    binaryen.setOptimizeStackIR(true);
    binaryen.setAllowInliningFunctionsWithLoops(true);
    binaryen.setAlwaysInlineMaxSize(TINY);
    binaryen.setOneCallerInlineMaxSize(ONE_CALLER);
    // The names tell which functions are hot.
    binaryen.setDebugInfo(true);
    binaryen.setFlexibleInlineMaxSize(TINY);
    module.optimize();
    keepApart(module);
    binaryen.setFlexibleInlineMaxSize(HOT_NODES);
    module.optimize();
    binaryen.setDebugInfo(named);
    module.optimize();
    return new Uint8Array(module.emitBinary());
  } finally {
    module.dispose();
  }
}

/** From here on, nothing that is not hot goes into another function. */
function keepApart(module: binaryen.Module): void {
  const hot = new Set(HOT);
  for (let i = 0; i < module.getNumFunctions(); i++) {
    const { name } = binaryen.getFunctionInfo(module.getFunctionByIndex(i));
    if (hot.has(name)) continue;
    binaryen.setPassArgument("no-inline", name);
    module.runPasses(["no-inline"]);
  }
  binaryen.clearPassArguments();
}
