/**
 * True in the checked engine, which tests run: `build.ts --checked` defines GODWIT_CHECKED. The
 * compiler drops what stands behind `if (CHECKED)` from the release engine.
 */
export const CHECKED: bool = isDefined(GODWIT_CHECKED);
