/** The segment being input, at a fixed place; valid only during the call of input. */
import { Seg } from "./seg_t";

export const G: Seg = changetype<Seg>(memory.data(offsetof<Seg>(), 16));
