/** Where the two hosts of an interop run are. */

/** Name of the TAP device. */
export const DEVICE = "gw0";
/** The kernel's address. */
export const KERNEL = "10.77.0.1";
/** The stack's address. */
export const GODWIT = "10.77.0.2";
/** An address on their network that nobody has. */
export const ABSENT = "10.77.0.99";
